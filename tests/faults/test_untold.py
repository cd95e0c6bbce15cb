"""Large files whose size no list tells: split under one strong ETag, and only where the server can."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.command import Command
from fakes.faulty import JOB, FaultyServer, File, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.faulty import Fault, FileExchange

MIB = 1024 * 1024
SIZE = 48 * MIB + 123
NAME = "0.bin"
FILE = File(NAME, made(SIZE))


def changed(**headers: str | None) -> Fault:
    """The right answer with other headers; None takes one away."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        for name, value in headers.items():
            answer.headers.pop(name.replace("_", "-"), None)
            if value is not None:
                answer.headers[name.replace("_", "-")] = value
        exchange.reply(answer)

    return act


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    # Slow enough that permits without work see it, and that the processor has room.
    with FaultyServer([FILE], key=None, pace=0.001) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, server: FaultyServer) -> Command:
    (tmp_path / "urls.txt").write_text(f"{server.url}/api/v1/files/{JOB}/{NAME}\n")
    return Command(tmp_path)


def fetch(cli: Command) -> bytes:
    """The file as `fetch` with four permits brings it, and nothing beside it."""
    cli.ok("fetch", "urls.txt", "-o", "out", "-c", "4")
    out = cli.folder / "out"
    assert [path.name for path in out.iterdir()] == [NAME]
    return (out / NAME).read_bytes()


def ranges(server: FaultyServer) -> list[str | None]:
    """What was asked for."""
    return [request.headers.get("range") for request in server.gets(NAME)]


def test_it_is_split(cli: Command, server: FaultyServer) -> None:
    assert fetch(cli) == FILE.data
    first, *others = server.gets(NAME)
    assert "range" not in first.headers
    assert others
    tag = f'"{FILE.sha256}"'
    assert all(other.headers["range"] and other.headers["if-range"] == tag for other in others)


def test_it_is_split_where_ranges_are_not_announced(cli: Command, server: FaultyServer) -> None:
    server.faults[NAME] = [faults.always(changed(Accept_Ranges=None))]
    assert fetch(cli) == FILE.data
    assert len(ranges(server)) > 2


@pytest.mark.parametrize(
    "answer",
    [changed(ETag=None), changed(ETag=f'W/"{FILE.sha256}"'), changed(Accept_Ranges="none")],
    ids=["no ETag", "weak ETag", "no ranges"],
)
def test_it_is_not_split(cli: Command, server: FaultyServer, answer: Fault) -> None:
    server.faults[NAME] = [faults.always(answer)]
    assert fetch(cli) == FILE.data
    assert ranges(server) == [None]


@pytest.mark.parametrize(
    "refusal",
    [faults.no_range(), faults.other_range(), faults.page(), *map(faults.status, (403, 404, 416, 503))],
    ids=["whole", "other range", "page", "403", "404", "416", "503"],
)
def test_a_range_that_is_refused_leaves_it_whole(cli: Command, server: FaultyServer, refusal: Fault) -> None:
    server.faults[NAME] = [faults.honest, faults.always(refusal)]
    assert fetch(cli) == FILE.data
    assert ranges(server).count(None) == 1


def test_ranges_that_are_never_right_are_not_asked_for_again(cli: Command, server: FaultyServer) -> None:
    def packed(exchange: FileExchange) -> None:
        (faults.gzip() if "range" in exchange.request.headers else faults.honest)(exchange)

    server.faults[NAME] = [faults.always(packed)]
    assert fetch(cli) == FILE.data
    assert ranges(server).count(None) == 2


def test_a_server_that_says_nothing_of_ranges_is_asked_for_one_at_a_time(
    cli: Command, server: FaultyServer
) -> None:
    server.faults[NAME] = [faults.always(faults.no_range())]
    assert fetch(cli) == FILE.data
    assert len(ranges(server)) == 2


def test_a_range_whose_answer_is_late_does_not_cut_the_whole(cli: Command, server: FaultyServer) -> None:
    def late(exchange: FileExchange) -> None:
        if "range" in exchange.request.headers:
            exchange.pause(4)
        faults.no_range()(exchange)

    server.faults[NAME] = [faults.always(late)]
    assert fetch(cli) == FILE.data
    assert ranges(server).count(None) == 1


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_versions_are_never_spliced(cli: Command, server: FaultyServer, turn: int) -> None:
    other = made(SIZE, seed=9)
    server.faults[NAME] = [*[faults.honest] * turn, faults.replaced(other)]
    assert fetch(cli) in (FILE.data, other)


@pytest.mark.parametrize("at", [0, MIB, 9 * MIB])
def test_a_first_answer_that_breaks_is_gone_on_with(cli: Command, server: FaultyServer, at: int) -> None:
    server.faults[NAME] = [faults.reset(at=at)]
    assert fetch(cli) == FILE.data
    assert sum(server.sent.values()) <= SIZE + 16 * MIB


def test_an_answer_without_the_etag_of_the_first_is_another_version(
    cli: Command, server: FaultyServer
) -> None:
    other = made(SIZE, seed=9)

    def behind_another_door(exchange: FileExchange) -> None:
        answer = exchange.honest(ranges=False)
        del answer.headers["ETag"]
        exchange.head(answer)
        exchange.body(other[: 9 * MIB])
        exchange.reset()

    server.faults[NAME] = [faults.reset(), behind_another_door]
    cli.ok("fetch", "urls.txt", "-o", "out", "-c", "1")
    assert (cli.folder / "out" / NAME).read_bytes() in (FILE.data, other)


def test_a_part_that_nobody_asked_for_is_not_the_whole(cli: Command, server: FaultyServer) -> None:
    def part(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.status = 206
        del answer.headers["Content-Length"]
        answer.headers |= {"Content-Range": f"bytes 0-{MIB - 1}/{SIZE}", "Transfer-Encoding": "chunked"}
        exchange.head(answer)
        exchange.chunk(answer.body[:MIB])
        exchange.chunk(b"")

    server.faults[NAME] = [part]
    assert fetch(cli) == FILE.data


def test_a_killed_one_is_taken_up_where_it_was(cli: Command, server: FaultyServer) -> None:
    child = cli.start("fetch", "urls.txt", "-o", "out", "-c", "4")
    end = time.monotonic() + 30
    while server.sent[NAME] < 36 * MIB and time.monotonic() < end:
        time.sleep(0.002)
    child.kill()
    child.communicate(timeout=10)
    assert len(ranges(server)) > 1
    assert not (cli.folder / "out" / NAME).exists()
    server.forget()
    assert fetch(cli) == FILE.data
    assert None not in ranges(server)
    assert server.sent[NAME] <= SIZE - 16 * MIB
