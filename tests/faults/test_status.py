"""Answers that are refusals: which are asked again, when, and which end the matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, final_names
from synthesis.errors import KINDS, AccessError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

HIT = "3.rgb.png"


def files(count: int = 8) -> list[File]:
    """Small files, one a render."""
    return [File(f"{at}.rgb.png", made(5_000, at), render_id=at) for at in range(count)]


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_passing_refusal_is_asked_again(code: int, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.status(code)]
        summary = fetch(server, tmp_path)
        assert summary.failures == ()
        assert summary.retries >= 1
        assert len(server.gets(HIT)) == 2
        assert_complete(server, tmp_path)


def test_a_burst_of_503_is_ridden_out(tmp_path: Path) -> None:
    with FaultyServer(files(40)) as server:
        for file in server.lines:
            server.faults[file.name] = [faults.status(503), faults.status(503)]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_kept(code: int, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.status(code, retry_after="1")]
        assert fetch(server, tmp_path).failures == ()
        first, second = server.gets(HIT)
        assert second.at - first.at >= 0.99
        assert_complete(server, tmp_path)


def test_retry_after_that_makes_no_sense_is_ignored(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.status(503, retry_after=value) for value in ("soon", "-5", "")]
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        (400, "usage", None),
        (403, "not-a-member", AccessError),
        (404, "not-found", NotFoundError),
        (410, "not-found", NotFoundError),
    ],
)
def test_a_final_refusal_costs_one_request(code: int, kind: str, error: type | None, tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.always(faults.status(code, kind=kind))]
        summary = fetch(server, tmp_path)
        (failure,) = summary.failures
        assert (failure.name, failure.status) == (HIT, code)
        assert error is None or issubclass(KINDS[failure.kind], error)
        assert len(server.gets(HIT)) == 1
        assert summary.failed == 1
        assert summary.files_done == 7
        assert_exact(server, tmp_path)


def test_a_lasting_503_fails_that_file_alone(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.always(faults.status(503))]
        (failure,) = fetch(server, tmp_path).failures
        assert failure.name == HIT
        assert failure.status == 503
        assert issubclass(KINDS[failure.kind], UnavailableError)
        assert len(final_names(tmp_path)) == 7
        assert_exact(server, tmp_path)


def test_an_expired_signature_is_renewed_once(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        server.faults["30.rgb.png"] = [faults.expire()]
        summary = fetch(server, tmp_path, concurrency=8)
        assert summary.failures == ()
        assert len(server.manifest_gets()) == 2
        assert len([r for r in server.requests if "/files/" in r.path]) <= 60 + 8 + 1
        assert_complete(server, tmp_path)


def test_signatures_that_expire_again_and_again_are_renewed(tmp_path: Path) -> None:
    with FaultyServer(files(60)) as server:
        for at in (10, 25, 40, 59):
            server.faults[f"{at}.rgb.png"] = [faults.expire()]
        assert fetch(server, tmp_path, concurrency=4).failures == ()
        assert_complete(server, tmp_path)


def test_a_signature_that_is_never_accepted_does_not_go_round_for_ever(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.always(faults.status(403, kind="url-expired"))]
        (failure,) = fetch(server, tmp_path).failures
        assert failure.name == HIT
        assert issubclass(KINDS[failure.kind], AccessError)
        assert len(server.gets(HIT)) < 12
        assert_exact(server, tmp_path)


def test_a_key_that_is_taken_away_on_the_way_ends_the_run(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.always(faults.status(401, kind="unauthorized"))]
        with pytest.raises(AccessError):
            fetch(server, tmp_path)
        assert len(server.gets(HIT)) == 1
        assert_exact(server, tmp_path)


def test_a_wrong_key_ends_the_run_at_once(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        with pytest.raises(AccessError) as caught:
            fetch(server, tmp_path, key="another-key-of-somebody")
        assert "another-key" not in caught.value.message + str(caught.value.hint) + str(caught.value.fields)
        assert len(server.requests) == 1
        assert final_names(tmp_path) == []
