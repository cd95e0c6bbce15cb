"""Answers that go wrong between the first byte of the head and the last of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, final_names
from synthesis.errors import KINDS, UnavailableError, VerifyError

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 20_000
BIG = 40 * 1024 * 1024  # fetched in ranges
HIT = "1.cam_default.f_1.rgb.png"

PASSING = {
    "reset-before-the-body": faults.reset(),
    "reset-in-the-body": faults.reset(at=SMALL // 2),
    "short-by-one": faults.short(),
    "short-by-half": faults.short(missing=SMALL // 2),
    "long-by-one": faults.long(),
    "long-without-a-length": faults.long(extra=1000, framed=False),
    "length-too-small": faults.wrong_length(by=-7),
    "length-too-big": faults.wrong_length(by=7),
    "wrong-byte-first": faults.wrong_bytes(),
    "wrong-byte-last": faults.wrong_bytes(at=-1),
    "slow-drip": faults.drip(),
    "stall-in-the-body": faults.stall(at=SMALL // 2),
    "stall-before-the-body": faults.stall(),
    "mute": faults.mute(),
    "gzip": faults.gzip(),
    "sign-in-page": faults.page(),
    "no-http": faults.nonsense(),
}

LASTING = {
    "reset": (faults.reset(at=100), UnavailableError),
    "short": (faults.short(), (UnavailableError, VerifyError)),
    "long": (faults.long(), (UnavailableError, VerifyError)),
    "wrong-byte": (faults.wrong_bytes(), VerifyError),
    "stall": (faults.stall(at=100), UnavailableError),
    "mute": (faults.mute(), UnavailableError),
    "gzip": (faults.gzip(), (UnavailableError, VerifyError)),
    "sign-in-page": (faults.page(), (UnavailableError, VerifyError)),
    "no-http": (faults.nonsense(), UnavailableError),
}


def files(size: int = SMALL) -> list[File]:
    """Three files, the middle one of `size`; the others show that the job goes on."""
    sizes = (SMALL, size, SMALL)
    return [
        File(f"{at}.cam_default.f_1.rgb.png", made(size, at), render_id=at) for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("size", [SMALL, BIG], ids=["small", "big"])
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_is_overcome(fault: faults.Fault, size: int, tmp_path: Path) -> None:
    with FaultyServer(files(size)) as server:
        server.faults[HIT] = [fault]
        summary = fetch(server, tmp_path)
        assert summary.failures == ()
        assert summary.files_done == summary.files_new == 3
        assert_complete(server, tmp_path)


@pytest.mark.parametrize(("fault", "kinds"), LASTING.values(), ids=LASTING)
def test_a_lasting_fault_fails_that_file_alone(
    fault: faults.Fault, kinds: type | tuple[type, ...], tmp_path: Path
) -> None:
    with FaultyServer(files()) as server:
        server.faults[HIT] = [faults.always(fault)]
        summary = fetch(server, tmp_path)
        assert [failure.name for failure in summary.failures] == [HIT]
        assert issubclass(KINDS[summary.failures[0].kind], kinds)
        assert summary.files_done == 2
        assert_exact(server, tmp_path)
        assert len(final_names(tmp_path)) == 2

        server.faults.clear()
        assert fetch(server, tmp_path).files_new == 1
        assert_complete(server, tmp_path)


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with FaultyServer([File("0.rgb.png", b""), *files()]) as server:
        assert fetch(server, tmp_path).files_done == 4
        assert_complete(server, tmp_path)


def test_an_empty_job_is_done_at_once(tmp_path: Path) -> None:
    with FaultyServer() as server:
        assert fetch(server, tmp_path).files_total == 0
        assert_complete(server, tmp_path)


def test_a_second_run_asks_for_the_manifest_alone(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        fetch(server, tmp_path)
        server.forget()
        summary = fetch(server, tmp_path)
        assert (summary.files_new, summary.files_present, summary.bytes_new) == (0, 3, 0)
        assert len(server.requests) == len(server.manifest_gets()) == 1
        assert_complete(server, tmp_path)


def test_a_missing_file_alone_is_fetched_again(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        fetch(server, tmp_path)
        (tmp_path / HIT).unlink()
        server.forget()
        assert fetch(server, tmp_path).files_new == 1
        assert len(server.gets(HIT)) == 1
        assert len(server.requests) == 2
        assert_complete(server, tmp_path)


def damage(path: Path) -> None:
    """Change one byte in the middle, not the size."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_verify_finds_a_damaged_file_and_leaves_it(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        fetch(server, tmp_path)
        damage(tmp_path / HIT)
        (failure,) = fetch(server, tmp_path, verify=True).failures
        assert (failure.name, failure.kind) == (HIT, "mismatch")
        assert len(server.gets(HIT)) == 1


def test_update_replaces_what_differs(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        fetch(server, tmp_path)
        damage(tmp_path / HIT)
        server.forget()
        assert fetch(server, tmp_path, update=True).files_new == 1
        assert len(server.requests) == 2
        assert_complete(server, tmp_path)


def test_a_file_of_another_size_is_replaced_only_when_asked(tmp_path: Path) -> None:
    with FaultyServer(files()) as server:
        (tmp_path / HIT).write_bytes(b"mine, perhaps")
        (failure,) = fetch(server, tmp_path).failures
        assert (failure.name, failure.kind) == (HIT, "differs")
        assert (tmp_path / HIT).read_bytes() == b"mine, perhaps"
        assert fetch(server, tmp_path, update=True).failures == ()
        assert_complete(server, tmp_path)
