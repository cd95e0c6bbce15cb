"""Links that end: pre-signed ones of their own, and a template renewed ahead of time."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from fakes.wire import Answer, Exchange, Server
from synthesis.ops.download import download
from synthesis.transport import Limits, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.ops.transfer import Summary

DATA = b"the bytes of a file" * 100
EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


class Signing(Server):
    """A job of `count` files whose links bear the number of the manifest that gave them."""

    def __init__(self, count: int, *, own: bool, life: float = 3600, pause: float = 0) -> None:
        super().__init__(self.answer)
        self.names = [f"{at:03}.rgb.png" for at in range(count)]
        self.own = own
        self.life = life
        self.pause = pause
        self.manifests = 0
        self.oldest = 1  # links of earlier manifests have expired
        self.refused = 0
        self.keyed = 0

    def answer(self, exchange: Exchange) -> None:
        """Answer a request for the manifest or for a file."""
        request = exchange.request
        if request.path.endswith("/manifest"):
            self.manifests += 1
            body = self.manifest(request.query.get("after"))
            exchange.reply(Answer(200, {"Content-Type": "application/x-ndjson"}, body))
            return
        time.sleep(self.pause)
        self.keyed += "authorization" in request.headers
        if int(request.query["sig"]) < self.oldest:
            self.refused += 1
            exchange.reply(Answer(403, {"Content-Type": "application/xml"}, EXPIRED))
            return
        exchange.reply(Answer(200, {"ETag": '"not-a-sha256"'}, DATA))

    def manifest(self, after: str | None) -> bytes:
        """The lines after a name, each link signed anew."""
        sign = f"?sig={self.manifests}"
        head = {"job": "j", "generation": 1, "complete": True, "count": len(self.names)}
        head |= {"bytes": len(self.names) * len(DATA), "expires": int(time.time() + self.life)}
        lines: list[dict[str, object]] = [{**head, "url": f"/files/{{name}}{sign}"}]
        for name in self.names if after is None else self.names[self.names.index(after) + 1 :]:
            line: dict[str, object] = {"n": name, "a": "rgb", "r": int(name[:3]), "b": len(DATA)}
            line["h"] = hashlib.sha256(DATA).hexdigest()
            lines.append(line | ({"u": f"{self.url}/store/{name}{sign}"} if self.own else {}))
        lines.append({"end": True, "next": None})
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def fetch(server: Signing, folder: Path, concurrency: int) -> Summary:
    transport = Transport(server.url, "key", "acme", limits=Limits(connect=2, first_byte=2, idle=2))
    return download(transport, "j", assets=["rgb"], directory=folder, concurrency=concurrency)


def test_own_links_are_renewed_once_for_all(tmp_path: Path) -> None:
    with Signing(300, own=True) as server:
        server.oldest = 2  # every link of the first manifest has expired already
        summary = fetch(server, tmp_path, 8)
        assert summary.failures == ()
        assert summary.files_new == 300
        # One renewal brings 256 links; the queue had the old ones, which the first answers refuse. A slow
        # machine renews a few times more, but never once for each file.
        assert server.manifests <= 12
        assert len(list(tmp_path.iterdir())) == 300


def test_own_links_that_never_work_end(tmp_path: Path) -> None:
    with Signing(3, own=True) as server:
        server.oldest = 1_000
        summary = fetch(server, tmp_path, 2)
        assert {failure.kind for failure in summary.failures} == {"url-expired"}
        assert summary.failed == 3
        assert server.refused < 3 * 6
        assert "sig=" not in str(summary)


def test_a_template_is_renewed_before_its_end(tmp_path: Path) -> None:
    with Signing(25, own=False, life=2, pause=0.1) as server:
        summary = fetch(server, tmp_path, 1)
        assert summary.failures == ()
        assert server.manifests >= 2
        assert server.refused == 0
        assert server.keyed == 25
