"""Lists with files of several hosts: trouble with one of them is not the others'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.command import Command
from fakes.faulty import JOB, FaultyServer, File, made
from fakes.fetch import assert_complete, fetch
from synthesis.errors import UnavailableError
from synthesis.ops.fetch import fetch as fetch_list
from synthesis.transport import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = 60
LIMITS = Limits(attempts=4)


@pytest.fixture
def bad() -> Iterator[FaultyServer]:
    with FaultyServer([File(f"bad{at}.bin", made(500, at)) for at in range(4)], key=None) as running:
        yield running


@pytest.fixture
def good() -> Iterator[FaultyServer]:
    with FaultyServer([File(f"{at}.bin", made(500, at)) for at in range(FILES)], key=None) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    return Command(tmp_path)


def lines(*servers: FaultyServer) -> str:
    urls = [f"{one.url}/api/v1/files/{JOB}/{file.name}\n" for one in servers for file in one.lines]
    return "".join(urls)


def write(cli: Command, *servers: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(lines(*servers))


def test_a_pause_is_only_the_hosts_own(cli: Command, bad: FaultyServer, good: FaultyServer) -> None:
    for file in bad.lines:
        bad.faults[file.name] = [faults.status(503, retry_after="4")]
    write(cli, bad, good)
    cli.ok("fetch", "urls.txt", "-o", "out", "-c", "2")
    again = min(bad.gets(file.name)[-1].at for file in bad.lines)
    assert all(good.gets(file.name)[0].at < again for file in good.lines)
    assert len(list((cli.folder / "out").iterdir())) == FILES + 4


def test_a_host_that_wants_days_fails_alone(cli: Command, bad: FaultyServer, good: FaultyServer) -> None:
    for file in bad.lines:
        bad.faults[file.name] = [faults.always(faults.status(503, retry_after="999999"))]
    write(cli, good, bad)
    done = cli("fetch", "urls.txt", "-o", "out")
    assert done.code in (1, 5)
    names = {path.name for path in (cli.folder / "out").iterdir()}
    assert names >= {file.name for file in good.lines}
    assert not names & {file.name for file in bad.lines}


def test_a_host_that_wants_one_pause_after_the_other_is_given_up(
    tmp_path: Path, bad: FaultyServer, good: FaultyServer
) -> None:
    for file in bad.lines:
        bad.faults[file.name] = [faults.always(faults.status(503, retry_after="1"))]
    urls = tmp_path / "urls.txt"
    urls.write_text(lines(bad, good))
    summary = fetch_list(urls, tmp_path / "out", limits=LIMITS)
    assert summary.failed_by_kind == {"throttled": len(bad.lines)}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {file.name for file in good.lines}
    # Three pauses of all its files together, not some for each; nobody else waited.
    first, last = bad.requests[0].at, bad.requests[-1].at
    assert 2.9 < last - first < 5
    assert max(request.at for request in good.requests) < first + 1


def test_a_job_whose_host_wants_one_pause_after_the_other_ends(tmp_path: Path) -> None:
    with FaultyServer([File(f"{at}.rgb.png", made(500, at)) for at in range(300)]) as server:
        for file in server.lines:
            server.faults[file.name] = [faults.always(faults.status(503, retry_after="1"))]
        with pytest.raises(UnavailableError, match="one pause after the other") as caught:
            fetch(server, tmp_path)
        assert caught.value.kind == "throttled"
        moments = [request.at for request in server.requests if ".png" in request.path]
        assert max(moments) - min(moments) < 5


def test_a_body_that_trickles_is_asked_for_again(tmp_path: Path) -> None:
    with FaultyServer([File("0.rgb.png", made(800, 0))]) as server:
        server.faults["0.rgb.png"] = [faults.drip(pieces=800, pause=0.05)]
        assert fetch(server, tmp_path).failures == ()
        assert len(server.gets("0.rgb.png")) == 2
        assert_complete(server, tmp_path)
