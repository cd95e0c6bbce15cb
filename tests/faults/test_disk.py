"""Disks that are full, closed to us, or in use by another process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, final_names, kill, outcome, start
from synthesis.errors import DiskError, SynthesisError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB; skips where we may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(command, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "sizes", [[20_000] * 400, [100_000, 8 * MIB], [12 * MIB, 12 * MIB]], ids=["small", "one-big", "big"]
)
def test_a_full_disk_ends_the_run_with_nothing_wrong(sizes: list[int], small_disk: Path) -> None:
    files = [File(f"{at}.rgb.png", made(size, at), render_id=at) for at, size in enumerate(sizes)]
    with FaultyServer(files) as server:
        with pytest.raises(DiskError) as caught:
            fetch(server, small_disk)
        assert caught.value.kind == "disk-full"
        assert caught.value.hint
        assert_exact(server, small_disk)


def test_a_disk_that_fills_up_on_the_way_keeps_what_is_whole(small_disk: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(160)]
    ballast = small_disk / "ballast"
    with FaultyServer(files, pace=0.02) as server:
        child = start(server, small_disk, concurrency=4)
        while len(final_names(small_disk)) < 20:
            time.sleep(0.005)
        filler = made(64 * 1024)
        with ballast.open("wb") as out:
            try:
                while True:
                    out.write(filler)
                    out.flush()
            except OSError:
                pass
        assert outcome(child)["kind"] == "disk-full"
        ballast.unlink()
        there = len(final_names(small_disk))
        assert there >= 20
        assert_exact(server, small_disk)
        server.pace = 0
        summary = fetch(server, small_disk)
        assert (summary.files_present, summary.files_new) == (there, 160 - there)
        assert_complete(server, small_disk)


def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    with FaultyServer([File("0.rgb.png", b"x")]) as server, pytest.raises(DiskError) as caught:
        fetch(server, folder)
    assert caught.value.kind == "permission"
    assert "closed" in caught.value.message


def test_a_read_only_disk_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with FaultyServer([File("0.rgb.png", b"x")]) as server, pytest.raises(DiskError) as caught:
        fetch(server, small_disk)
    assert caught.value.kind == "permission"
    assert str(small_disk) in caught.value.message


@pytest.mark.parametrize("concurrency", [1, 2, 4096])
def test_any_concurrency_does(concurrency: int, tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(30)]
    with FaultyServer([*files, File("big.exr", made(34 * MIB))]) as server:
        assert fetch(server, tmp_path, concurrency=concurrency).failures == ()
        assert_complete(server, tmp_path)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("a file")
    with FaultyServer([File("0.rgb.png", b"x")]) as server, pytest.raises(SynthesisError) as caught:
        fetch(server, place)
    assert "taken" in caught.value.message
    assert place.read_text() == "a file"


def test_folders_that_do_not_exist_are_made(tmp_path: Path) -> None:
    with FaultyServer([File("0.rgb.png", b"x")]) as server:
        fetch(server, tmp_path / "a" / "b")
        assert_complete(server, tmp_path / "a" / "b")


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(100)]
    with FaultyServer(files, pace=0.05) as server:
        first = start(server, tmp_path, concurrency=2)
        while not final_names(tmp_path):
            time.sleep(0.005)
        with pytest.raises(DiskError) as caught:
            fetch(server, tmp_path)
        assert caught.value.kind == "locked"
        server.pace = 0
        assert outcome(first)["exit_code"] == 0
        assert_complete(server, tmp_path)


def test_the_lock_of_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(50)]
    with FaultyServer(files, pace=0.05) as server:
        first = start(server, tmp_path, concurrency=2)
        while not final_names(tmp_path):
            time.sleep(0.005)
        kill(first)
        server.pace = 0
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)
