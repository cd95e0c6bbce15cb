"""A platform that serves one job's manifest and files, and misbehaves on schedule.

    with FaultyServer([File("0.rgb.png", data)]) as server:
        server.faults["0.rgb.png"] = [faults.reset(at=100), faults.status(503)]

Each GET of a file takes the next fault from its list; an empty list answers as one should.
`faults.always(...)` never leaves the list. The manifest has its own list. Every request is kept in
`server.requests`; `server.sent` counts the body bytes that left for each file.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import zstandard

from fakes.wire import Answer, Exchange, Request, Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    Fault = Callable[["FileExchange"], None]
    ManifestFault = Callable[["ManifestExchange"], None]

T = TypeVar("T")

KEY = "key-that-must-not-leak"
ORG = "acme"
JOB = "job-1"
BUCKET = "bucket"  # the same files as an object store would give them
PIECE = 64 * 1024
MODIFIED = ("Fri, 20 Nov 2026 10:00:00 GMT", "2026-11-20T10:00:00.000Z")


@dataclass(frozen=True)
class File:
    """One line of the manifest and what the server answers for it."""

    name: str
    data: bytes = field(repr=False)
    flag: str = "rgb"
    render_id: int | None = 0  # None: a file of the whole job
    url: str | None = None  # a pre-signed absolute URL of its own

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of the content, which is also the ETag."""
        return hashlib.sha256(self.data).hexdigest()

    def line(self) -> bytes:
        """The file's line of the manifest."""
        line: dict[str, object] = {"n": self.name, "a": self.flag, "r": self.render_id}
        line |= {"b": len(self.data), "h": self.sha256}
        if self.url is not None:
            line["u"] = self.url
        return json.dumps(line).encode() + b"\n"


class FileExchange(Exchange):
    """A request for a file, with the file as it is now."""

    def __init__(self, exchange: Exchange, platform: FaultyServer, file: File) -> None:
        super().__init__(platform, exchange.connection, exchange.request)
        self.platform = platform
        self.file = file

    def honest(self, *, ranges: bool = True) -> Answer:
        """The right answer to this request; `ranges=False` gives the whole file, as if none was asked."""
        data, tag = self.file.data, f'"{self.file.sha256}"'
        headers = {"ETag": tag, "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        headers["Last-Modified"] = MODIFIED[0]
        asked = self.request.headers.get("range") if ranges else None
        if asked is None or self.request.headers.get("if-range", tag) != tag:
            return Answer(200, {**headers, "Content-Length": str(len(data))}, data)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(data) - int(last))
        stop = min(int(last) + 1, len(data)) if first and last else len(data)
        if start >= len(data):
            return Answer(416, {**headers, "Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        headers["Content-Length"] = str(stop - start)
        return Answer(206, headers, data[start:stop])

    def reply(self, answer: Answer) -> None:
        """Answer in full, at the server's pace."""
        self.head(answer)
        if self.request.method != "HEAD":
            self.body(answer.body)

    def body(self, data: bytes) -> None:
        """Send body bytes, paced when the server is slow, and count what left."""
        for at in range(0, len(data), PIECE):
            if self.platform.pace:
                self.pause(self.platform.pace)
            self.send(data[at : at + PIECE])
            self.platform.count(self.file.name, len(data[at : at + PIECE]))


class ManifestExchange(Exchange):
    """A request for the manifest, with the lines that answer it."""

    def __init__(self, exchange: Exchange, platform: FaultyServer, lines: list[bytes]) -> None:
        super().__init__(platform, exchange.connection, exchange.request)
        self.platform = platform
        self.lines = lines  # header first, end last, each with its newline

    def honest(self, lines: Iterable[bytes] | None = None, *, cut: bool = False) -> None:
        """Stream `lines` in chunks, zstd when asked for; `cut` drops the connection after them."""
        packed = "zstd" in self.request.headers.get("accept-encoding", "")
        headers = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
        headers["Date"] = formatdate(time.time() + self.platform.clock, usegmt=True)
        if packed:
            headers["Content-Encoding"] = "zstd"
        self.head(Answer(200, headers))
        packer = zstandard.ZstdCompressor().compressobj()
        for line in self.lines if lines is None else lines:
            data = packer.compress(line) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) if packed else line
            if data:
                self.chunk(data)
        if cut:
            self.close()
        if packed and (data := packer.flush()):
            self.chunk(data)
        self.chunk(b"")


class FaultyServer(Server):
    """One job on a real socket; see the module's text."""

    def __init__(
        self,
        files: Iterable[File] = (),
        *,
        key: str | None = KEY,
        pace: float = 0,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(self._route, tls=tls, port=port)
        self.key = key
        self.pace = pace  # seconds before each 64 KiB of a body
        self.lines: list[File] = list(files)
        self.content: dict[str, File] = {file.name: file for file in self.lines}
        self.faults: dict[str, list[Fault]] = {}
        self.manifest_faults: list[ManifestFault] = []
        self.requests: list[Request] = []
        self.sent: Counter[str] = Counter()
        self.signature = 1
        self.clock = 0  # seconds that the server's clock is ahead
        self.life: float | None = None  # seconds that a signature lives; None: for years
        self._guard = threading.Lock()

    def gets(self, name: str) -> list[Request]:
        """The requests for one file, in order."""
        path = f"/api/v1/files/{JOB}/{name}"
        return [request for request in self.requests if request.path == path]

    def manifest_gets(self) -> list[Request]:
        """The requests for the manifest, in order."""
        return [request for request in self.requests if request.path.endswith("/manifest")]

    def replace(self, name: str, data: bytes) -> None:
        """Change a file's content; the manifest keeps what it said."""
        self.content[name] = File(name, data)

    def count(self, name: str, size: int) -> None:
        """Add body bytes that left for a file."""
        with self._guard:
            self.sent[name] += size

    def expire(self) -> None:
        """Make every signature given so far an expired one."""
        with self._guard:
            self.signature += 1

    def forget(self) -> None:
        """Drop what was recorded, between two runs."""
        with self._guard:
            self.requests.clear()
            self.sent.clear()

    def manifest_lines(self, query: dict[str, str]) -> list[bytes]:
        """Header, file lines and end line for a query (`assets`, `render_ids`, `after`)."""
        flags = set(query.get("assets", "all").replace(" ", "").split(","))
        wanted = _ids(query["render_ids"]) if query.get("render_ids") else None
        chosen = [
            file
            for file in self.lines
            if ("all" in flags or file.flag in flags) and (wanted is None or file.render_id in wanted)
        ]
        expires = 1_900_000_000 if self.life is None else int(time.time() + self.clock + self.life)
        header = {
            "job": JOB,
            "generation": 1,
            "complete": True,
            "count": len(chosen),
            "bytes": sum(len(file.data) for file in chosen),
            "url": f"/api/v1/files/{JOB}/{{name}}?assets=rgb&exp={expires}&sig={self.signature}",
            "expires": expires,
        }
        if "after" in query:
            names = [file.name for file in chosen]
            chosen = chosen[names.index(query["after"]) + 1 :]
        end = {"end": True, "next": None}
        return [
            json.dumps(header).encode() + b"\n",
            *(file.line() for file in chosen),
            json.dumps(end).encode() + b"\n",
        ]

    def _route(self, exchange: Exchange) -> None:
        request = exchange.request
        with self._guard:
            self.requests.append(request)
        if request.path == f"/api/v1/jobs/{JOB}/manifest":
            self._manifest(exchange)
        elif request.path.startswith(prefix := f"/api/v1/files/{JOB}/"):
            self._file(exchange, request.path.removeprefix(prefix))
        elif request.path.rstrip("/") == f"/{BUCKET}":
            exchange.reply(self._listing())
        elif request.path.startswith(prefix := f"/{BUCKET}/"):
            self._file(exchange, request.path.removeprefix(prefix))
        else:
            exchange.reply(problem(404, "not-found", f"nothing at {request.path}"))

    def _listing(self) -> Answer:
        """All files as S3 lists them (ListObjectsV2)."""
        items = "".join(
            f"<Contents><Key>{file.name}</Key><LastModified>{MODIFIED[1]}</LastModified>"
            f"<ETag>&quot;{file.sha256}&quot;</ETag><Size>{len(file.data)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for file in self.lines
        )
        head = f"<Name>{BUCKET}</Name><Prefix/><KeyCount>{len(self.lines)}</KeyCount><MaxKeys>1000</MaxKeys>"
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        text = f'<ListBucketResult xmlns="{space}">{head}<IsTruncated>false</IsTruncated>{items}'
        body = f'<?xml version="1.0" encoding="UTF-8"?>{text}</ListBucketResult>'.encode()
        return Answer(200, {"Content-Type": "application/xml"}, body)

    def _manifest(self, exchange: Exchange) -> None:
        if self.key is not None and exchange.request.headers.get("authorization") != f"Bearer {self.key}":
            exchange.reply(problem(401, "unauthorized", "the key is missing or wrong"))
            return
        view = ManifestExchange(exchange, self, self.manifest_lines(exchange.request.query))
        fault = self._next(self.manifest_faults)
        (fault or ManifestExchange.honest)(view)

    def _file(self, exchange: Exchange, name: str) -> None:
        if name not in self.content:
            exchange.reply(problem(404, "not-found", f"no file {name}"))
            return
        view = FileExchange(exchange, self, self.content[name])
        is_head = exchange.request.method == "HEAD"  # a look at a file meets no fault
        fault = None if is_head else self._next(self.faults.get(name, []))
        if fault is not None:
            fault(view)
        elif self.key is not None and exchange.request.query.get("sig") != str(self.signature):
            exchange.reply(problem(403, "url-expired", "the signature has expired"))
        else:
            view.reply(view.honest())

    def _next(self, schedule: list[T]) -> T | None:
        with self._guard:
            if not schedule:
                return None
            return schedule[0] if getattr(schedule[0], "always", False) else schedule.pop(0)


def problem(status: int, kind: str, detail: str) -> Answer:
    """An error as the platform words it."""
    body = {"type": "about:blank", "title": kind, "status": status, "detail": detail, "kind": kind}
    return Answer(status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode())


def made(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress or repeat, the same for the same arguments."""
    return hashlib.shake_256(f"{seed}:{size}".encode()).digest(size)


def quoted(name: str) -> str:
    """A name as it stands in a URL."""
    return quote(name, safe="")


def _ids(text: str) -> set[int]:
    ids: set[int] = set()
    for item in text.split(","):
        first, _, last = item.partition("-")
        ids |= set(range(int(first), int(last or first) + 1))
    return ids
