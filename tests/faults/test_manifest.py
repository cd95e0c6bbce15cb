"""Manifests that are cut, late, garbled or something else altogether."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch
from synthesis.errors import AccessError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 30


def files() -> list[File]:
    """A job of thirty small files."""
    return [File(f"{at}.rgb.png", made(3_000, at), render_id=at) for at in range(COUNT)]


@pytest.mark.parametrize("inside", [False, True], ids=["between-lines", "inside-a-line"])
@pytest.mark.parametrize("lines", [0, 1, 17, COUNT - 1])
def test_a_cut_manifest_is_resumed(lines: int, inside: bool, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.manifest_cut(lines=lines, inside=inside)]
        assert fetch(server, tmp_path).failures == ()
        _, second = server.manifest_gets()
        assert second.query.get("after") == (f"{lines - 1}.rgb.png" if lines else None)
        assert_complete(server, tmp_path)


def test_a_manifest_cut_many_times_makes_progress(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.manifest_cut(lines=3) for _ in range(9)]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_a_body_without_the_end_line_is_a_cut_manifest(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.manifest_without_end(lines=10)]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_a_manifest_that_never_ends_is_an_error(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_without_end(lines=0))]
        with pytest.raises(UnavailableError):
            fetch(server, tmp_path)
        assert_exact(server, tmp_path)


def test_a_server_that_never_goes_on_is_an_error(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        from_the_start = server.manifest_lines({})[:11]
        server.manifest_faults = [faults.always(lambda exchange: exchange.honest(from_the_start, cut=True))]
        with pytest.raises(UnavailableError) as caught:
            fetch(server, tmp_path)
        assert "begins anew" in caught.value.message
        assert len(server.manifest_gets()) == 2
        assert_exact(server, tmp_path)


def test_a_stalled_manifest_is_resumed(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.manifest_stall(lines=5)]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize(
    "fault",
    [faults.manifest_reset(), faults.manifest_status(503), faults.manifest_status(429, retry_after="0")],
    ids=["reset", "503", "429"],
)
def test_a_passing_fault_is_overcome(fault: faults.ManifestFault, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [fault]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_a_page_instead_of_the_manifest_is_named(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_page())]
        with pytest.raises(UnavailableError) as caught:
            fetch(server, tmp_path)
        assert caught.value.kind == "bad-answer"
        assert_exact(server, tmp_path)


@pytest.mark.parametrize(
    "line",
    [b"this is no json\n", b"[1, 2, 3]\n", b"\xff\xfe\x00\n", b"x" * 3_000_000 + b"\n", b"{}" * 50 + b"\n"],
    ids=["text", "array", "not-utf8", "endless-line", "many-objects"],
)
def test_rubbish_that_stays_is_an_error(line: bytes, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_garbage(line=line, before="7.rgb.png"))]
        with pytest.raises(UnavailableError) as caught:
            fetch(server, tmp_path)
        assert caught.value.kind == "bad-answer"
        assert_exact(server, tmp_path)

        server.manifest_faults.clear()
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_rubbish_that_passes_is_asked_for_again(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.manifest_garbage(line=b"\x00\x01\n", before="7.rgb.png")]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b', "a": "rgb", "r": 0, "b": -1, "h": "%s"' % (b"0" * 64),
        b', "a": "rgb", "r": 0, "b": 10, "h": "no hash"',
        b', "a": "rgb", "r": 0, "b": 10, "h": "%s"' % (b"+1" * 32),
        b', "a": "rgb", "r": 0, "b": 1e400, "h": null',
        b', "a": "rgb", "r": 0, "b": 99999999999999999999999, "h": "%s"' % (b"0" * 64),
        b', "a": 5, "r": "x", "b": "10", "h": []',
    ],
    ids=["fields-missing", "negative", "bad-hash", "signs-in-hash", "infinite", "huge", "wrong-types"],
)
def test_a_file_with_a_bad_line_fails_alone(rest: bytes, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        line = b'{"n": "x.rgb.png"' + rest + b"}\n"
        server.manifest_faults = [faults.always(faults.manifest_garbage(line=line, before="7.rgb.png"))]
        summary = fetch(server, tmp_path)
        assert [failure.name for failure in summary.failures] == ["x.rgb.png"]
        assert summary.files_done == COUNT
        assert_exact(server, tmp_path)


def test_a_job_that_is_not_there(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_status(404, kind="not-found"))]
        with pytest.raises(NotFoundError):
            fetch(server, tmp_path)
        assert len(server.requests) == 1


def test_an_org_without_the_job(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_status(403, kind="not-a-member"))]
        with pytest.raises(AccessError):
            fetch(server, tmp_path)
        assert len(server.requests) == 1


def test_a_manifest_with_bytes_after_its_end(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.manifest_faults = [faults.always(faults.manifest_garbage(line=b"trailing\n"))]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_render_ids_are_asked_of_the_server(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        summary = fetch(server, tmp_path, render_ids=((0, 0), (3, 5), (28, 40)))
        assert summary.files_total == 6
        assert summary.missing_render_ids == tuple(range(30, 41))
        assert len([request for request in server.requests if "/files/" in request.path]) == 6
        assert_exact(server, tmp_path)


def test_files_of_the_whole_job_have_no_render_id(tmp_path: Path) -> None:
    with FaultyServer([File("metadata.jsonl", b"{}\n", render_id=None), *files()]) as server:
        assert fetch(server, tmp_path).files_done == COUNT + 1
        assert_complete(server, tmp_path)
