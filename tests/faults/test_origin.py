"""The key stays with the server it was made for, whatever redirects and URLs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import JOB, KEY, ORG, FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch

if TYPE_CHECKING:
    from pathlib import Path

NAME = "0.rgb.png"
FILE = File(NAME, made(9_000))


def assert_no_key_came(server: FaultyServer) -> None:
    """Nothing that `server` was sent holds the key or tells the org."""
    assert server.requests
    for request in server.requests:
        said = request.target + repr(dict(request.headers))
        assert KEY not in said
        assert ORG not in said
        assert "authorization" not in request.headers


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirected_file_arrives_without_the_key(code: int, tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server, FaultyServer([FILE]) as other:
        server.faults[NAME] = [faults.always(faults.redirect(other.url + "{target}", code=code))]
        assert fetch(server, tmp_path).failures == ()
        assert_no_key_came(other)
        assert_complete(server, tmp_path)


def test_a_redirect_within_the_server_is_followed(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server:
        server.faults[NAME] = [faults.redirect("{target}&moved=1")]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def test_a_redirect_there_and_back_brings_no_key_to_the_other(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server, FaultyServer([FILE]) as other:
        server.faults[NAME] = [faults.redirect(other.url + "{target}")]
        other.faults[NAME] = [faults.redirect(server.url + "{target}")]
        fetch(server, tmp_path)
        assert_no_key_came(other)
        assert_exact(server, tmp_path)


def test_a_redirected_manifest_never_takes_the_key_along(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server, FaultyServer([FILE], key=None) as other:
        place = f"{other.url}/api/v1/jobs/{JOB}/manifest?assets=rgb"
        server.manifest_faults = [faults.always(faults.redirect(place))]
        fetch(server, tmp_path)
        assert_no_key_came(other)
        assert_exact(server, tmp_path)


def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server:
        server.faults[NAME] = [faults.always(faults.redirect("{target}"))]
        (failure,) = fetch(server, tmp_path).failures
        assert failure.name == NAME
        assert len(server.gets(NAME)) < 100
        assert_exact(server, tmp_path)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "", "http://", "//"])
def test_a_redirect_to_nowhere_is_an_honest_failure(place: str, tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server:
        server.faults[NAME] = [faults.always(faults.redirect(place))]
        (failure,) = fetch(server, tmp_path).failures
        assert failure.name == NAME
        assert_exact(server, tmp_path)


def test_a_line_with_its_own_url_is_fetched_there_without_the_key(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as store:
        place = f"{store.url}/api/v1/files/{JOB}/{NAME}?sig=1"
        with FaultyServer([File(NAME, FILE.data, url=place)]) as server:
            assert fetch(server, tmp_path).failures == ()
            assert server.gets(NAME) == []
            assert_no_key_came(store)
            assert_complete(server, tmp_path)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "not a url", "http://", "/etc/passwd"])
def test_a_line_with_a_strange_url_is_an_honest_failure(place: str, tmp_path: Path) -> None:
    with FaultyServer([File(NAME, FILE.data, url=place), File("1.rgb.png", b"fine")]) as server:
        assert [failure.name for failure in fetch(server, tmp_path).failures] == [NAME]
        assert_exact(server, tmp_path)


def test_no_failure_shows_a_signature(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server:
        server.signature = 987654321
        server.faults[NAME] = [faults.always(faults.status(404, kind="not-found"))]
        (failure,) = fetch(server, tmp_path).failures
        assert "987654321" not in repr(failure)
        assert KEY not in repr(failure)


def test_the_core_is_not_asked_to_unpack_anything(tmp_path: Path) -> None:
    with FaultyServer([FILE]) as server:
        fetch(server, tmp_path)
        (request,) = server.gets(NAME)
        assert request.headers.get("accept-encoding", "identity") == "identity"
