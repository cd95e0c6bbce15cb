"""A real nginx over a folder, for an integration test and the benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """\
{user}worker_processes 1;
pid {state}/nginx.pid;
error_log {state}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  client_body_temp_path {state}/body;
  proxy_temp_path {state}/proxy;
  fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi;
  scgi_temp_path {state}/scgi;
  default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def found() -> bool:
    """True where nginx is installed."""
    return shutil.which("nginx") is not None


def free_port() -> int:
    """A port that nobody listens on now; nginx cannot be given port 0."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(root: Path, state: Path, *, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """Serve `root`; `state` takes config, logs and pid; `prefix` goes before the command (taskset)."""
    port = free_port()
    user = "user root;\n" if os.name == "posix" and os.geteuid() == 0 else ""
    config = state / "nginx.conf"
    config.write_text(CONFIG.format(user=user, state=state, port=port, root=root))
    command = [
        *prefix,
        "nginx",
        "-c",
        str(config),
        "-p",
        str(state),
        "-e",
        str(state / "error.log"),
        "-g",
        "daemon off;",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    message = "nginx did not start"
    raise RuntimeError(message)
