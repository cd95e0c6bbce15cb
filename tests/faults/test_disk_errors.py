"""What a disk answers when it is ill, far away or full: each error at each kind of call."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fakes.calls import Call, Verdict, Watch
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import STATE, assert_complete, assert_exact, fetch, final_names, outcome, start
from fakes.power import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the user notifications of Linux")

FILES = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(12)]
FILES += [File(f"{at}.rgb.png", made(1_500_000, at), render_id=at) for at in (12, 13)]
WRITES = {"write", "pwrite64", "writev", "pwritev"}
RENAMES = {"rename", "renameat", "renameat2", "link", "linkat"}
SYNCS = {"fsync", "fdatasync", "syncfs"}
OPENS = {"open", "openat"}
MAKES = os.O_CREAT | TEMPORARY


def failing(
    folder: Path, names: set[str], code: int, *, after: int = 0, times: int = 1_000_000
) -> Callable[[Call], Verdict]:
    """The calls of these names below the folder fail with `code`, `times` times, after the first few."""
    seen = 0

    def judge(call: Call) -> Verdict:
        nonlocal seen
        if call.name not in names or not any(path.startswith(str(folder)) for path in call.paths):
            return None
        if call.name in OPENS and not call.args[2 if call.name == "openat" else 1] & MAKES:
            return None
        seen += 1
        return code if after < seen <= after + times else None

    return judge


LASTING = {
    "write-EIO": (WRITES, errno.EIO, "disk"),
    "write-ENOSPC": (WRITES, errno.ENOSPC, "disk-full"),
    "write-EDQUOT": (WRITES, errno.EDQUOT, "disk-full"),
    "write-ESTALE": (WRITES, errno.ESTALE, "disk"),
    "rename-EIO": (RENAMES, errno.EIO, "disk"),
    "rename-ENOSPC": (RENAMES, errno.ENOSPC, "disk-full"),
    "rename-EACCES": (RENAMES, errno.EACCES, "permission"),
    "rename-EROFS": (RENAMES, errno.EROFS, "permission"),
    "rename-ESTALE": (RENAMES, errno.ESTALE, "disk"),
    "create-EMFILE": (OPENS, errno.EMFILE, "disk"),
    "create-EACCES": (OPENS, errno.EACCES, "permission"),
    "create-ENOSPC": (OPENS, errno.ENOSPC, "disk-full"),
    "sync-EIO": (SYNCS, errno.EIO, "disk"),
    "sync-ESTALE": (SYNCS, errno.ESTALE, "disk"),
    "sync-ENOSPC": (SYNCS, errno.ENOSPC, "disk-full"),
}


@pytest.mark.parametrize("after", [0, 6], ids=["at-once", "on-the-way"])
@pytest.mark.parametrize(("names", "code", "kind"), LASTING.values(), ids=LASTING)
def test_a_disk_that_stays_ill_ends_the_run(
    names: set[str], code: int, kind: str, after: int, tmp_path: Path
) -> None:
    if names == SYNCS and after:
        after = 2  # there are few of them
    folder = tmp_path / "job"
    with FaultyServer(FILES) as server:
        with Watch(failing(folder, names, code, after=after), names) as watch:
            result = outcome(start(server, folder, watch=watch, concurrency=2))
        assert (result["kind"], result["exit_code"]) == (kind, 6)
        assert str(folder) in result["message"]
        assert_exact(server, folder)
        assert fetch(server, folder).failures == ()
        assert_complete(server, folder)


PASSING = {
    "write-ESTALE": (WRITES, errno.ESTALE),
    "write-EAGAIN": (WRITES, errno.EAGAIN),
    "write-EINTR": (WRITES, errno.EINTR),
    "rename-ESTALE": (RENAMES, errno.ESTALE),
    "create-ESTALE": (OPENS, errno.ESTALE),
    "sync-EINTR": (SYNCS, errno.EINTR),
    "no-exclusive-rename": ({"renameat2"}, errno.EINVAL),
}


@pytest.mark.parametrize(("names", "code"), PASSING.values(), ids=PASSING)
def test_a_network_disk_that_is_away_for_a_moment_is_waited_for(
    names: set[str], code: int, tmp_path: Path
) -> None:
    folder = tmp_path / "job"
    after = 0 if code == errno.EINVAL or names == SYNCS else 5
    times = 1_000_000 if code == errno.EINVAL else 2
    with FaultyServer(FILES) as server:
        with Watch(failing(folder, names, code, after=after, times=times), names) as watch:
            result = outcome(start(server, folder, watch=watch, concurrency=2))
        assert result["exit_code"] == 0, result
        assert_complete(server, folder)


def test_a_small_file_costs_the_disk_few_calls(tmp_path: Path) -> None:
    """To open, write and name it; with close, request and answer six of the eight that are allowed."""
    folder, count = tmp_path / "job", 100
    calls: Counter[str] = Counter()

    def judge(call: Call) -> Verdict:
        if any(path.startswith(str(folder)) for path in call.paths):
            calls[call.name] += 1
        return None

    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(count)]
    with FaultyServer(files) as server:
        for most in (3 * count + 40, 40):  # the second run finds all there
            calls.clear()
            with Watch(judge) as watch:
                assert outcome(start(server, folder, watch=watch))["exit_code"] == 0
            assert sum(calls.values()) <= most, calls
            assert calls["fsync"] + calls["fdatasync"] + calls["syncfs"] < 12, calls
        assert_complete(server, folder)


def test_a_disk_that_knows_nothing_but_rename_does(tmp_path: Path) -> None:
    """FAT has no second names, no files without a name and no rename that spares what is there."""
    folder = tmp_path / "job"

    def judge(call: Call) -> Verdict:
        if call.name == "renameat2":
            return errno.EINVAL
        if call.name in ("link", "linkat"):
            return errno.EPERM
        is_nameless = call.name == "openat" and TEMPORARY and call.args[2] & TEMPORARY
        return errno.EOPNOTSUPP if is_nameless else None

    with FaultyServer(FILES) as server, Watch(judge, RENAMES | OPENS) as watch:
        assert outcome(start(server, folder, watch=watch))["exit_code"] == 0
        assert_complete(server, folder)


def test_what_is_missing_on_a_full_disk_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    full = Watch(failing(folder, WRITES, errno.ENOSPC, after=8), WRITES)
    with FaultyServer(FILES) as server, full as watch:
        result = outcome(start(server, folder, watch=watch, concurrency=2))
    assert result["kind"] == "disk-full"
    assert "B are still to come" in result["message"]


@pytest.mark.parametrize(
    "answer", [("result", 0), errno.ENOLCK, errno.EOPNOTSUPP], ids=["lies", "no-lockd", "none"]
)
def test_where_locks_are_a_fiction_the_text_of_the_lock_counts(answer: Verdict, tmp_path: Path) -> None:
    def judge(call: Call) -> Verdict:
        return answer if call.name == "flock" else None

    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(60)]
    with FaultyServer(files, pace=0.03) as server:
        with Watch(judge, {"flock"}) as one, Watch(judge, {"flock"}) as two:
            first = start(server, tmp_path, watch=one, concurrency=2)
            while not final_names(tmp_path):
                time.sleep(0.005)
            second = outcome(start(server, tmp_path, watch=two))
            if answer == ("result", 0):
                # A lock of a local disk is believed: here both work, and nothing goes wrong all the same.
                assert second["exit_code"] in (0, 1, 6)
                outcome(first)
                assert_exact(server, tmp_path)
            else:
                assert second["kind"] == "locked"
                server.pace = 0
                assert outcome(first)["exit_code"] == 0
        server.pace = 0
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


def leave_lock(folder: Path, line: str, *, age: float) -> None:
    """A state folder with the lock of somebody else, last written `age` seconds ago."""
    (folder / STATE).mkdir(parents=True)
    (folder / STATE / "lock").write_text(line)
    os.utime(folder / STATE / "lock", (time.time() - age,) * 2)


@pytest.mark.parametrize(("age", "is_free"), [(5, False), (3600, True)], ids=["fresh", "stale"])
def test_the_lock_of_another_machine_is_kept_while_it_is_fresh(
    age: float, is_free: bool, tmp_path: Path
) -> None:
    leave_lock(tmp_path, "4242 another-machine 17\n", age=age)
    with FaultyServer(FILES) as server:
        no_locks = Watch(lambda call: errno.ENOLCK if call.name == "flock" else None, {"flock"})
        with no_locks as watch:
            result = outcome(start(server, tmp_path, watch=watch))
        if is_free:
            assert result["exit_code"] == 0
            assert_complete(server, tmp_path)
        else:
            assert (result["kind"], result["exit_code"]) == ("locked", 6)
            assert "4242 on another-machine" in result["message"]


def test_the_lock_of_a_machine_that_died_does_not_matter_where_locks_work(tmp_path: Path) -> None:
    leave_lock(tmp_path, "4242 another-machine 17\n", age=1)
    with FaultyServer(FILES) as server:
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("become", ["gone", "file", "link"])
def test_a_folder_that_goes_away_on_the_way_is_an_honest_end(become: str, tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(200)]
    folder, elsewhere, moved = tmp_path / "job", tmp_path / "elsewhere", tmp_path / "moved"
    elsewhere.mkdir()
    with FaultyServer(files, pace=0.02) as server:
        child = start(server, folder, concurrency=2)
        while len(final_names(folder)) < 5:
            time.sleep(0.005)
        folder.rename(moved)
        if become == "gone":
            shutil.rmtree(moved)
        elif become == "file":
            folder.write_text("a file")
        else:
            folder.symlink_to(elsewhere, target_is_directory=True)
        server.pace = 0
        result = outcome(child)
        assert result["exit_code"] == 6, result
        assert list(elsewhere.iterdir()) == []
        if become == "file":
            assert folder.read_text() == "a file"
        if moved.exists():
            assert_exact(server, moved)


def test_few_descriptors_mean_few_permits(tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(300)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, concurrency=400, descriptors=90)
        assert outcome(child)["exit_code"] == 0
        assert server.connections <= 60
        assert_complete(server, tmp_path)
