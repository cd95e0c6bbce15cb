"""Big files come in ranges: parts of two versions or of the wrong place must never meet in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, final_names
from synthesis.errors import KINDS, UnavailableError, VerifyError

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.faulty import FileExchange

NAME = "0.exr"
SIZE = 40 * 1024 * 1024 + 123


def file() -> File:
    """One file that is worth splitting."""
    return File(NAME, made(SIZE), flag="exr")


def test_ranges_are_used_and_guarded(tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        first, *others = [request.headers for request in server.gets(NAME)]
        assert others
        tag = f'"{server.lines[0].sha256}"'
        assert first.get("if-range", tag) == tag
        assert all(headers["if-range"] == tag for headers in others)
        assert server.sent[NAME] == SIZE
        assert_complete(server, tmp_path)


def test_a_server_without_ranges_still_serves(tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.always(faults.no_range())]
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_single_answer_without_range_does_not_spoil_the_file(turn: int, tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [*[faults.honest] * turn, faults.no_range()]
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_file_that_changes_between_ranges_is_never_spliced(turn: int, tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        other = made(SIZE, seed=9)
        server.faults[NAME] = [*[faults.honest] * turn, faults.replaced(other)]
        (failure,) = fetch(server, tmp_path, assets=["exr"]).failures
        assert issubclass(KINDS[failure.kind], (VerifyError, UnavailableError))
        assert final_names(tmp_path) == []


@pytest.mark.parametrize("size", [SIZE - 1000, SIZE + 1000, 100])
def test_a_file_that_changes_its_size_is_never_spliced(size: int, tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.honest, faults.replaced(made(size, seed=9))]
        (failure,) = fetch(server, tmp_path, assets=["exr"]).failures
        assert failure.name == NAME
        assert final_names(tmp_path) == []


def test_a_file_that_changes_and_changes_back_is_exact(tmp_path: Path) -> None:
    original = file()
    with FaultyServer([original]) as server:
        server.faults[NAME] = [faults.replaced(made(SIZE, seed=9)), faults.replaced(original.data)]
        fetch(server, tmp_path, assets=["exr"])
        assert_exact(server, tmp_path)
        server.replace(NAME, original.data)
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("shift", [1, 4096])
def test_a_range_from_the_wrong_place_is_refused(shift: int, tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.honest, faults.other_range(shift=shift)]
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


def test_where_ranges_are_never_right_the_whole_is_asked_for(tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.always(faults.other_range())]
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)
        assert "range" not in server.gets(NAME)[-1].headers


@pytest.mark.parametrize("code", [400, 403, 405, 501])
def test_where_parts_are_refused_the_whole_is_asked_for(code: int, tmp_path: Path) -> None:
    def refuse_parts(exchange: FileExchange) -> None:
        act = faults.status(code) if "range" in exchange.request.headers else faults.honest
        act(exchange)

    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.always(refuse_parts)]
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


def test_a_part_that_is_forbidden_leaves_what_is_there(tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.short(missing=5_000_000), faults.always(faults.status(403))]
        (failure,) = fetch(server, tmp_path, assets=["exr"], concurrency=1).failures
        assert failure.status == 403

        server.faults.clear()
        done = server.sent[NAME]
        server.forget()
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert server.sent[NAME] <= SIZE - done // 2
        assert_complete(server, tmp_path)


def test_a_part_that_fails_for_ever_does_not_lose_the_others(tmp_path: Path) -> None:
    with FaultyServer([file()]) as server:
        server.faults[NAME] = [faults.honest, faults.honest, faults.always(faults.status(503))]
        (failure,) = fetch(server, tmp_path, assets=["exr"]).failures
        assert failure.status == 503
        assert final_names(tmp_path) == []

        server.faults.clear()
        done = server.sent[NAME]
        server.forget()
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert server.sent[NAME] <= SIZE - done // 2
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("turn", [0, 1, 4])
def test_a_wrong_byte_is_found_among_files_that_are_read_back_together(turn: int, tmp_path: Path) -> None:
    files = [File(f"{at}.exr", made(SIZE, at), flag="exr", render_id=at) for at in range(3)]
    with FaultyServer(files, pace=0.001) as server:
        server.faults["1.exr"] = [*[faults.honest] * turn, faults.always(faults.wrong_bytes(at=5_000_000))]
        (failure,) = fetch(server, tmp_path, assets=["exr"]).failures
        assert (failure.name, failure.kind) == ("1.exr", "mismatch")
        assert final_names(tmp_path) == ["0.exr", "2.exr"]
        assert_exact(server, tmp_path)
