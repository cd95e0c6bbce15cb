"""The server's life: start, lock, announcement, end; and its front page and description."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from synthesis.server.app import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.platform import Platform


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "synthesis.server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_health_needs_no_key(platform: Platform) -> None:
    answer = platform.get("/health", key=None, org=None)
    assert answer.status == 200
    assert answer.json()["status"] == "ok"


def test_one_server_per_data_folder(start: Callable[..., Platform]) -> None:
    platform = start()
    second = run("--data", str(platform.data), "--port", "0")
    assert second.returncode == 6
    assert "in use by another server" in second.stderr
    assert platform.url in second.stderr
    assert platform.get("/health").status == 200


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs" / "server.log").mkdir(parents=True)
    done = run("--data", str(tmp_path), "--port", "0")
    assert done.returncode != 0
    assert "server.log: " in done.stderr
    assert "Traceback" not in done.stderr


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_graceful_end(start: Callable[..., Platform], number: signal.Signals) -> None:
    platform = start(workers=1)
    assert platform.process is not None
    announced = json.loads((platform.data / "server.json").read_bytes())
    assert announced == {"url": platform.url, "pid": platform.process.pid}
    platform.process.send_signal(number)
    assert platform.process.wait(30) == 0
    assert not (platform.data / "server.json").exists()
    platform.start()
    assert platform.get("/me").status == 200


def test_a_server_follows_a_killed_one(start: Callable[..., Platform]) -> None:
    platform = start()
    platform.kill()
    assert (platform.data / "server.json").exists()
    assert platform.start().get("/me").status == 200


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run("--data", str(tmp_path / "data"), "--port", port)
    assert answer.returncode == 5
    assert f"port {port}" in answer.stderr
    assert len(answer.stderr.splitlines()) == 2
    assert not (tmp_path / "data" / "server.json").exists()


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    answer = run("--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert answer.returncode in (2, 6)
    assert "Traceback" not in answer.stderr


def test_a_renderer_that_is_not_there(tmp_path: Path) -> None:
    answer = run("--data", str(tmp_path / "data"), "--renderer", "oil")
    assert answer.returncode == 2
    assert "mitsuba" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_the_front_page(platform: Platform) -> None:
    answer = platform.get("//", key=None, org=None)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"no web app" in answer.body


def test_every_route_is_described(platform: Platform) -> None:
    document = platform.get("/openapi.json", key=None, org=None).json()
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert {(route.method, route.path) for route in ROUTES} <= described
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    text = json.dumps(document)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert reference in document["components"]["schemas"]
    for path, item in document["paths"].items():
        for operation in item.values():
            given = {part["name"] for part in operation["parameters"] if part["in"] == "path"}
            assert given == set(re.findall(r"\{(\w+)\}", path))


@posix_only
def test_a_slow_reader_does_not_hold_up_the_end(start: Callable[..., Platform], tmp_path: Path) -> None:
    platform = start()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.cam_a.f_1.exr").write_bytes(os.urandom(30 << 20))
    job = platform.import_folder(tmp_path / "in")
    parts = urlsplit(platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    head = {"Authorization": f"Bearer {platform.key}", "X-Synthesis-Org": platform.org}
    connection.request("GET", f"/api/v1/files/{job}/0.cam_a.f_1.exr", headers=head)
    connection.getresponse().read(10)
    assert platform.stop() == 0
    connection.close()
