"""SIGKILL at any instant: nothing wrong under a final name, and the next run fetches what is missing.

SYNTHESIS_KILLS sets how many random instants each test tries (6 here; 20 and more before a release).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from fakes.faulty import FaultyServer, File, made
from fakes.fetch import (
    STATE,
    assert_complete,
    assert_exact,
    assert_shards,
    fetch,
    final_names,
    kill,
    outcome,
    start,
)

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("SYNTHESIS_KILLS", "6"))
MIB = 1024 * 1024
GRAIN = 8 * MIB  # a connection loses its last MiB and what lay in the buffers of its two sockets


def wait_for_bytes(server: FaultyServer, count: int) -> None:
    """Return once the server has sent `count` bytes of files."""
    end = time.monotonic() + 30
    while sum(server.sent.values()) < count:
        assert time.monotonic() < end, "the child fetches nothing"
        time.sleep(0.002)


@pytest.mark.parametrize("seed", range(KILLS))
def test_small_files_survive(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(400)]
    with FaultyServer(files, pace=0.002) as server:
        child = start(server, tmp_path, concurrency=16)
        wait_for_bytes(server, draw.randrange(1, 400 * 20_000))
        kill(child)
        assert_exact(server, tmp_path)
        there = len(final_names(tmp_path))

        server.pace = 0
        server.forget()
        summary = fetch(server, tmp_path)
        assert summary.files_present == there
        assert summary.files_new == 400 - there
        # Beside what was left: bodies that were still on their way to the killed one.
        assert sum(server.sent.values()) <= (400 - there + 16) * 20_000
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("seed", range(KILLS))
def test_big_files_are_taken_up_where_they_were(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    count, size = 2, 64 * MIB
    files = [File(f"{at}.exr", made(size, at), flag="exr", render_id=at) for at in range(count)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, assets=["exr"], concurrency=2)
        wait_for_bytes(server, draw.randrange(size // 2, count * size - size // 4))
        kill(child)
        arrived = sum(server.sent.values())
        assert_exact(server, tmp_path)

        server.pace = 0
        server.forget()
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        again = sum(server.sent.values()) - (count * size - arrived)
        assert again <= count * GRAIN
        assert_complete(server, tmp_path)


def test_a_part_that_is_changed_between_two_runs_is_found(tmp_path: Path) -> None:
    count, size = 3, 24 * MIB
    files = [File(f"{at}.exr", made(size, at), flag="exr", render_id=at) for at in range(count)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, assets=["exr"], concurrency=count)
        wait_for_bytes(server, count * size // 2)
        kill(child)
        part = max((tmp_path / STATE).glob("*.part"), key=lambda path: path.stat().st_size)
        with part.open("r+b") as changed:
            changed.seek(2 * MIB)
            changed.write(b"changed by somebody")

        server.pace = 0
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


def journal_of(folder: Path) -> dict[str, tuple[str, int]]:
    """What a journal vouches for: by part the sha256 of the whole and the bytes that are there."""
    known: dict[str, tuple[str, int]] = {}
    path = folder / STATE / "journal"
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        head, _, record = line.partition(b" ")
        if head != hashlib.sha256(record).hexdigest()[:8].encode():
            break
        ((kind, said),) = json.loads(record).items()
        if kind == "start":
            known[said["part"]] = (said["sha256"], 0)
        elif kind == "done":
            sha256, count = known[said["part"]]
            known[said["part"]] = (sha256, count + said["to"] - said["from"])
        elif kind == "gone":
            known.pop(said["part"], None)
    return known


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_mixed_job_survives(seed: int, tmp_path: Path) -> None:
    draw = random.Random(1_000 + seed)
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(150)]
    files += [File(f"{at}.rgb.png", made(3 * MIB, at), render_id=at) for at in range(150, 154)]
    files += [File("154.rgb.png", made(36 * MIB, 154), render_id=154)]
    draw.shuffle(files)
    total, permits = sum(len(file.data) for file in files), 8
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, concurrency=permits)
        wait_for_bytes(server, draw.randrange(1, total - 2 * MIB))
        kill(child)
        assert_exact(server, tmp_path)
        # The journal is a part of what the disk holds.
        by_sha256 = {file.sha256: file for file in files}
        for part, (sha256, count) in journal_of(tmp_path).items():
            path = tmp_path / STATE / f"{part}.part"
            if not path.exists():  # it got its name, and the kill came before the journal's line
                assert (tmp_path / by_sha256[sha256].name).exists()
            else:
                assert count <= path.stat().st_size
        held = sum(len(file.data) for file in files if (tmp_path / file.name).exists())
        held += sum(count for _, count in journal_of(tmp_path).values())

        server.pace = 0
        server.forget()
        assert fetch(server, tmp_path).failures == ()
        assert sum(server.sent.values()) <= total - held + permits * MIB
        assert_complete(server, tmp_path)


@pytest.mark.parametrize("seed", range(min(KILLS, 20)))
def test_a_report_of_a_killed_run_tells_no_lies(seed: int, tmp_path: Path) -> None:
    draw = random.Random(2_000 + seed)
    folder, report = tmp_path / "job", tmp_path / "report.ndjson"
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(600)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, folder, concurrency=16, report=str(report))
        wait_for_bytes(server, draw.randrange(1, 550 * 20_000))
        kill(child)
        assert_exact(server, folder)
        *lines, _ = report.read_bytes().split(b"\n") if report.exists() else [b""]  # the last may be cut
        told = [json.loads(line) for line in lines]
        assert not any("end" in line for line in told)
        assert {line["name"] for line in told if line["status"] == "new"} <= set(final_names(folder))

        server.pace = 0
        assert outcome(start(server, folder, report=str(report)))["exit_code"] == 0
        last = json.loads(report.read_bytes().splitlines()[-1])
        assert (last["end"], last["new"] + last["present"], last["failed"]) == (True, 600, 0)
        assert_complete(server, folder)


@pytest.mark.parametrize("seed", range(min(KILLS, 20)))
def test_shards_of_a_killed_run_are_whole(seed: int, tmp_path: Path) -> None:
    draw = random.Random(3_000 + seed)
    files = [File(f"{at:03}.rgb.png", made(20_000, at), render_id=at) for at in range(300)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, concurrency=16, tar=True, tar_renders=20)
        wait_for_bytes(server, draw.randrange(1, 290 * 20_000))
        kill(child)
        assert_shards(server, tmp_path, complete=False)

        server.pace = 0
        assert outcome(start(server, tmp_path, tar=True, tar_renders=20))["exit_code"] == 0
        assert_shards(server, tmp_path, complete=True)
        assert len(final_names(tmp_path)) == 15


def test_many_kills_in_a_row_still_come_to_an_end(tmp_path: Path) -> None:
    draw = random.Random(1)
    files = [File("big.exr", made(32 * MIB), flag="rgb")]
    files += [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(200)]
    with FaultyServer(files, pace=0.002) as server:
        for _ in range(KILLS):
            child = start(server, tmp_path, concurrency=8)
            wait_for_bytes(server, sum(server.sent.values()) + draw.randrange(1, 36 * MIB // KILLS))
            kill(child)
            assert_exact(server, tmp_path)
        server.pace = 0
        assert outcome(start(server, tmp_path))["exit_code"] == 0
        assert_complete(server, tmp_path)


def test_a_state_folder_full_of_rubbish_is_no_obstacle(tmp_path: Path) -> None:
    files = [File(f"{at}.exr", made(24 * MIB, at), flag="exr", render_id=at) for at in range(2)]
    with FaultyServer(files, pace=0.001) as server:
        child = start(server, tmp_path, assets=["exr"])
        wait_for_bytes(server, 24 * MIB)
        kill(child)
        for path in sorted((tmp_path / ".synthesis").rglob("*")):
            if path.is_file():
                data = bytearray(path.read_bytes())
                data[: min(200, len(data))] = b"\xa5" * min(200, len(data))
                path.write_bytes(data)
        server.pace = 0
        assert fetch(server, tmp_path, assets=["exr"]).failures == ()
        assert_complete(server, tmp_path)


def test_parts_of_another_version_are_not_taken_up(tmp_path: Path) -> None:
    old, new = File("0.exr", made(48 * MIB, 1)), File("0.exr", made(48 * MIB, 2))
    with FaultyServer([old], pace=0.001) as server:
        child = start(server, tmp_path)
        wait_for_bytes(server, 24 * MIB)
        kill(child)
    with FaultyServer([new]) as server:
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)
