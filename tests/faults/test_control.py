"""How much at once: pauses that all keep, limits that were asked for, late answers, hopeless jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import JOB, KEY, ORG, FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch
from synthesis.errors import NotFoundError, UnavailableError
from synthesis.ops.download import download
from synthesis.transport import Limits, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.ops.transfer import Summary

HIT = "31.rgb.png"


def files(count: int, size: int = 5_000) -> list[File]:
    """Small files, one a render."""
    return [File(f"{at}.rgb.png", made(size, at), render_id=at) for at in range(count)]


def patiently(server: FaultyServer, folder: Path) -> Summary:
    """Download with the patience of a user, so that only what is done at the tail can be quick."""
    transport = Transport(server.url, KEY, ORG, limits=Limits())
    return download(transport, JOB, directory=folder, assets=["rgb"])


def test_a_pause_is_kept_by_every_permit(tmp_path: Path) -> None:
    with FaultyServer(files(400)) as server:
        server.faults[HIT] = [faults.status(429, retry_after="1")]
        assert fetch(server, tmp_path, concurrency=8).failures == ()
        refused, again = server.gets(HIT)
        assert again.at - refused.at >= 0.99
        # What was under way may still end.
        hurried = [one for one in server.requests if refused.at + 0.4 < one.at < refused.at + 0.99]
        assert hurried == []
        assert_complete(server, tmp_path)


def test_a_pause_of_days_ends_the_run_and_says_so(tmp_path: Path) -> None:
    with FaultyServer(files(8)) as server:
        server.faults[HIT.replace("31", "3")] = [faults.always(faults.status(503, retry_after="999999"))]
        with pytest.raises(UnavailableError, match="wants a pause") as caught:
            fetch(server, tmp_path)
        assert caught.value.kind == "throttled"
        assert_exact(server, tmp_path)


def test_a_storm_of_refusals_leaves_fewer_permits(tmp_path: Path) -> None:
    with FaultyServer(files(300)) as server:
        for at in range(100, 130):
            server.faults[f"{at}.rgb.png"] = [faults.status(503, retry_after="1")]
        summary = fetch(server, tmp_path, concurrency="auto")
        assert summary.failures == ()
        assert summary.permits < summary.most_permits
        assert summary.throttled_seconds > 0
        assert_complete(server, tmp_path)


def test_a_limit_of_bytes_a_second_is_kept(tmp_path: Path) -> None:
    with FaultyServer(files(20, 100_000)) as server:
        begun = time.monotonic()
        summary = fetch(server, tmp_path, limit_rate=2_000_000)
        assert time.monotonic() - begun >= 0.9
        assert summary.bound.what == "limit"
        assert_complete(server, tmp_path)


def test_a_limit_of_requests_a_second_is_kept(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        fetch(server, tmp_path, max_rps=50)
        moments = [request.at for request in server.requests if ".png" in request.path]
        assert max(moments) - min(moments) >= 1.0
        assert_complete(server, tmp_path)


def test_a_late_answer_at_the_end_is_asked_for_again(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        server.faults["59.rgb.png"] = [faults.mute()]
        summary = patiently(server, tmp_path)
        assert summary.failures == ()
        assert len(server.gets("59.rgb.png")) == 2
        assert summary.seconds < Limits().first_byte / 2
        assert_complete(server, tmp_path)


def test_who_waits_at_the_gate_is_not_late(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        server.faults["59.rgb.png"] = [faults.status(503, retry_after="1")]
        assert patiently(server, tmp_path).failures == ()
        assert len(server.gets("59.rgb.png")) == 2
        assert_complete(server, tmp_path)


def test_a_stalled_body_at_the_end_is_given_up_early(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        server.faults["59.rgb.png"] = [faults.stall(at=1_000)]
        summary = patiently(server, tmp_path)
        assert summary.failures == ()
        assert summary.seconds < Limits().idle / 2
        assert_complete(server, tmp_path)


def test_a_job_that_the_server_mostly_lacks_is_stopped(tmp_path: Path) -> None:
    with FaultyServer(files(400)) as server:
        for file in server.lines:
            server.faults[file.name] = [faults.always(faults.status(404, kind="not-found"))]
        with pytest.raises(NotFoundError, match="of the first 101 files are refused"):
            fetch(server, tmp_path)
        asked = [request for request in server.requests if ".png" in request.path]
        assert len(asked) < 250


def test_a_small_job_goes_on_and_lists_what_is_missing(tmp_path: Path) -> None:
    with FaultyServer(files(40)) as server:
        for at in range(0, 40, 4):
            server.faults[f"{at}.rgb.png"] = [faults.always(faults.status(404, kind="not-found"))]
        summary = fetch(server, tmp_path)
        assert summary.failed_by_kind == {"not-found": 10}
        assert summary.files_new == 30
        assert_exact(server, tmp_path)


def test_a_file_in_trouble_goes_to_the_back(tmp_path: Path) -> None:
    with FaultyServer(files(200)) as server:
        server.faults["0.rgb.png"] = [faults.reset()] * 4
        assert fetch(server, tmp_path, concurrency=2).failures == ()
        last = server.gets("0.rgb.png")[-1]
        before = [request for request in server.requests if request.at < last.at]
        assert len(before) > 150
        assert_complete(server, tmp_path)
