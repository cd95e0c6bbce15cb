"""Ctrl-C and cancel tokens: quick, and nothing is lost."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, outcome, start
from synthesis._core import CancelToken
from synthesis.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1024 * 1024
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def files() -> list[File]:
    """Small files and one that takes a while."""
    small = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(100)]
    return [File("0.exr", made(32 * MIB)), *small]


@posix
def test_ctrl_c_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    with FaultyServer(files(), pace=0.01) as server:
        child = start(server, tmp_path, concurrency=8)
        wait_until(lambda: sum(server.sent.values()) > 5 * MIB)
        asked = time.monotonic()
        child.send_signal(signal.SIGINT)
        result = outcome(child)
        assert (result["kind"], result["exit_code"]) == ("interrupted", 130)
        assert time.monotonic() - asked < 5
        assert_exact(server, tmp_path)

        arrived = sum(server.sent.values())
        server.pace = 0
        server.forget()
        assert fetch(server, tmp_path).failures == ()
        assert sum(server.sent.values()) < sum(len(file.data) for file in server.lines) - arrived // 3
        assert_complete(server, tmp_path)


@posix
@pytest.mark.parametrize(
    "fault",
    [faults.mute(), faults.stall(at=100), faults.status(503, retry_after="60")],
    ids=["mute", "stall", "waiting-to-retry"],
)
def test_ctrl_c_is_felt_while_nothing_moves(fault: faults.Fault, tmp_path: Path) -> None:
    with FaultyServer([File("0.rgb.png", made(20_000))]) as server:
        server.faults["0.rgb.png"] = [faults.always(fault)]
        child = start(server, tmp_path)
        wait_until(lambda: bool(server.gets("0.rgb.png")))
        child.send_signal(signal.SIGINT)
        assert outcome(child, timeout=5)["exit_code"] == 130
        assert_exact(server, tmp_path)


def test_a_token_cancels_from_another_thread(tmp_path: Path) -> None:
    with FaultyServer(files(), pace=0.01) as server:
        token = CancelToken()
        timer = threading.Timer(0.3, token.cancel)
        timer.start()
        with pytest.raises(CancelledError):
            fetch(server, tmp_path, cancel=token)
        timer.join()
        assert_exact(server, tmp_path)
        server.pace = 0
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_an_error_in_the_progress_callback_stops_the_run(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    with FaultyServer(files(), pace=0.01) as server:
        with pytest.raises(ZeroDivisionError):
            fetch(server, tmp_path, progress=fail)
        assert_exact(server, tmp_path)
        server.pace = 0
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_progress_counts_up_to_the_summary(tmp_path: Path) -> None:
    seen = []
    with FaultyServer(files()) as server:
        summary = fetch(server, tmp_path, progress=seen.append)
    assert seen
    assert [p.files_done for p in seen] == sorted(p.files_done for p in seen)
    assert seen[-1].files_done == summary.files_done == summary.files_total == 101
    assert seen[-1].bytes_done == summary.bytes_done == summary.bytes_total
