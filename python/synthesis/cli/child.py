"""A platform as a child process: started, waited for, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from synthesis.errors import FailedError, SynthesisError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_WITHIN = 60.0  # seconds; a cold disk may take long to load the libraries
STOP_WITHIN = 20.0


def running(data: Path) -> str | None:
    """Return the URL of the platform that serves this data folder now, or None."""
    try:
        url = str(json.loads((data / "server.json").read_bytes())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _healthy(url) else None


@contextlib.contextmanager
def platform(data: Path, *, port: int, renderer: str, log: Path) -> Iterator[str]:
    """Run `synthesis serve` on `data` as long as the block runs; gives its URL.

    Args:
        data: the data folder.
        port: the port to listen on; 0 takes a free one.
        renderer: what draws.
        log: what the process prints is appended here.

    Raises:
        FailedError: it ended before it listened.
        UnavailableError: it did not listen in time.
    """
    (data / "server.json").unlink(missing_ok=True)  # of a server that was killed
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "synthesis.cli", "serve", "--data", str(data), "--port", str(port)]
    command += ["--renderer", renderer, "--until-stdin-ends"]
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink, stderr=sink)
    try:
        with _ending_by_signal():
            yield _wait(process, data, log)
    finally:
        stop(process)
        if process.stdin is not None:
            process.stdin.close()


@contextlib.contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end us like Control-C, so that the child does not stay behind."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(process: subprocess.Popen[bytes], data: Path, log: Path) -> str:
    end = time.monotonic() + START_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            raise FailedError(f"the platform ended with code {process.returncode}: {_last_line(log)}")
        if (url := running(data)) is not None:
            return url
        time.sleep(0.1)
    raise UnavailableError(f"the platform did not answer within {START_WITHIN:.0f} s", kind="timeout")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and end it if it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(wanted: int) -> int:
    """Return `wanted` if nothing listens on it, else 0."""
    import socket

    with socket.socket() as probe:
        # As servers do on POSIX: a port whose last connections still linger is free.
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def _healthy(url: str) -> bool:
    from synthesis.transport import Transport

    try:
        return Transport(url).request("GET", "/api/v1/health", key=False, timeout=5).status == 200
    except SynthesisError:
        return False


def _last_line(log: Path) -> str:
    """What it said last of why it ended: its error, else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it said nothing"])[-1]
