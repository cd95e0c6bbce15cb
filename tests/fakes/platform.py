"""A real embedded platform for tests: its own process, port 0, a temporary data folder.

Use the fixture `platform`, or `Platform(folder)` to start, kill and restart one by hand.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from synthesis.server import admin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EMAIL, ORG = "ada@example.com", "acme"
START_WITHIN = 60.0


@dataclass(frozen=True)
class Answer:
    """What the server said; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Platform:
    """One data folder and, while started, the server on it; account, org and key exist."""

    def __init__(self, data: Path, *, workers: int = 0, renderer: str = "flat") -> None:
        self.data = data
        self.workers = workers
        self.renderer = renderer
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.org = ORG
        admin.create_account(data, EMAIL)
        admin.create_org(data, ORG, EMAIL)
        self.key = admin.create_key(data, EMAIL)

    def start(self) -> Platform:
        """Start the server and wait until it answers."""
        (self.data / "server.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "synthesis.server", "--data", str(self.data), "--port", "0"]
        command += ["--workers", str(self.workers), "--renderer", self.renderer]
        with (self.data / "logs" / "process.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + START_WITHIN
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                self.url = json.loads((self.data / "server.json").read_bytes())["url"]
                return self
            time.sleep(0.02)
        raise AssertionError(f"the platform did not start:\n{self.logs()}")

    def stop(self) -> int:
        """Ask the server to end; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def interrupt(self) -> int:
        """Press Control-C: the whole process group hears it; the server's exit code."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)

    def kill(self) -> None:
        """End the server as `kill -9` does; its workers notice by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def close(self) -> None:
        """End the server if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def logs(self) -> str:
        """Everything the server and its workers wrote."""
        return "\n".join(path.read_text() for path in sorted((self.data / "logs").glob("*.log")))

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = "",
        org: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, sent exactly as given; `path` below /api/v1 unless it begins with `//` (then one `/`).

        Args:
            method: the method.
            path: path and query.
            body: bytes as they are, anything else as JSON.
            key: None sends none, "" the platform's.
            org: likewise.
            headers: more headers.
        """
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key or self.key}")
        if org is not None:
            sent.setdefault("X-Synthesis-Org", org or self.org)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        target = path[1:] if path.startswith("//") else f"/api/v1{path}"
        try:
            connection.request(method, target, body=data, headers=sent)
            answer = connection.getresponse()
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            )
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        """One GET."""
        return self.ask("GET", path, **options)

    def create(self, spec: Any, **options: Any) -> str:
        """Create a job; its id."""
        answer = self.ask("POST", "/humans/jobs", body=spec, **options)
        assert answer.status == 201, answer.body
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as it stands."""
        answer = self.get(f"/jobs/{job_id}")
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def wait(self, job_id: str, *, seconds: float = 90) -> dict[str, Any]:
        """Wait until a job is finished and its manifest complete; the job."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.manifest(job_id)[0]["complete"]:
                return self.job(job_id)
            time.sleep(0.1)
        raise AssertionError(f"the job did not finish: {self.job(job_id)}\n{self.logs()}")

    def manifest(self, job_id: str, query: str = "") -> list[dict[str, Any]]:
        """All lines of a manifest."""
        answer = self.get(f"/jobs/{job_id}/manifest{query}")
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]

    def import_folder(self, folder: Path, name: str = "imported") -> str:
        """Make a job of the renders in a folder; its id."""
        return admin.import_folder(self.data, folder, name, self.org).job.id
