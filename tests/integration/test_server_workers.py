"""Renders by real workers, and what killing anything at any moment does to a job: nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.server import file_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.platform import Platform

SUFFIXES = {
    "alpha.tif",
    "clothing_segments.png",
    "depth.tif",
    "exr",
    "info.json",
    "normals.tif",
    "rgb.png",
    "segments.png",
}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="finds workers through /proc")


def spec(renders: int, cameras: tuple[str, ...] = ("default",)) -> dict[str, Any]:
    """A spec of tiny pictures."""
    size = {"resolution_w": 32, "resolution_h": 32}
    made = [{"name": name, "specifications": size} for name in cameras]
    identities = {"ids": [24], "renders_per_identity": renders}
    return {"humans": [{"identities": identities, "camera_and_light_rigs": [{"cameras": made}]}]}


def check_exact(platform: Platform, job: str, renders: int, cameras: tuple[str, ...] = ("default",)) -> None:
    """Every file is there once, with the bytes the manifest promises, and nothing else is."""
    head, *lines, _ = platform.manifest(job)
    expected = {"metadata.jsonl"} | {
        f"{render_id}.cam_{camera}.f_1.{suffix}"
        for render_id in range(renders)
        for camera in cameras
        for suffix in SUFFIXES
    }
    names = [line["n"] for line in lines]
    assert len(names) == len(set(names)) == head["count"]
    assert set(names) == expected
    folder = platform.data / "files" / job
    assert {path.name for path in folder.iterdir()} == expected
    for line in lines:
        data = (folder / line["n"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (line["b"], line["h"])
    assert head["bytes"] == sum(line["b"] for line in lines)
    totals = platform.get(f"/jobs/{job}/assets").json()
    assert totals["total"] == {"count": head["count"], "bytes": head["bytes"]}
    texts = (folder / "metadata.jsonl").read_bytes().splitlines(keepends=True)
    keys = [(line["render_id"], line["camera_name"], line["frame_number"]) for line in map(json.loads, texts)]
    assert keys == [(render_id, camera, 1) for render_id in range(renders) for camera in sorted(cameras)]
    assert all(text.endswith(b"\n") for text in texts)
    nothing_left(platform)


def nothing_left(platform: Platform) -> None:
    """Workers tidy up a moment after a job is complete."""
    end = time.monotonic() + 30
    while left := list((platform.data / "work").iterdir()):
        assert time.monotonic() < end, left
        time.sleep(0.02)


def children(platform: Platform) -> list[int]:
    """Process ids of the server's workers."""
    assert platform.process is not None
    pid = platform.process.pid
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(text) for text in (task / "children").read_text().split()]
    return found


def let_work(platform: Platform, job: str, seconds: float) -> None:
    """Let the workers make at least one render, then a while longer."""
    before = platform.job(job)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = platform.job(job)
        if now["renders_created"] > before["renders_created"] or now["finished_at"] is not None:
            break
        time.sleep(0.01)
    time.sleep(seconds)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z (zombie)" in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_job_from_spec_to_files(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    cameras = ("b", "a")
    job = platform.create(spec(6, cameras))
    done = platform.wait(job)
    assert (done["status"], done["renders_created"], done["renders_failed"]) == ("completed", 6, 0)
    assert done["finished_at"] >= done["created_at"]
    check_exact(platform, job, 6, cameras)
    again = platform.ask("POST", f"/jobs/{job}/cancel")
    assert (again.status, again.json()["kind"]) == (409, "conflict")


def test_several_jobs_at_once(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    made = [platform.create(spec(3)) for _ in range(2)]
    for job in made:
        platform.wait(job)
    for job in made:
        check_exact(platform, job, 3)


@pytest.mark.parametrize("seed", range(2))
def test_a_server_killed_again_and_again(start: Callable[..., Platform], seed: int) -> None:
    draw = random.Random(seed)
    platform = start(workers=2)
    job = platform.create(spec(36))
    for _ in range(3):
        let_work(platform, job, draw.uniform(0, 0.3))
        platform.kill()
        platform.start()
    done = platform.wait(job)
    assert (done["status"], done["renders_created"], done["renders_failed"]) == ("completed", 36, 0)
    check_exact(platform, job, 36)


@linux_only
def test_workers_killed_again_and_again(start: Callable[..., Platform]) -> None:
    draw = random.Random(7)
    platform = start(workers=2)
    job = platform.create(spec(40))
    killed = 0
    for _ in range(5):
        let_work(platform, job, draw.uniform(0, 0.2))
        for pid in children(platform)[:1]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    done = platform.wait(job)
    assert killed > 0
    assert (done["status"], done["renders_created"], done["renders_failed"]) == ("completed", 40, 0)
    check_exact(platform, job, 40)


@linux_only
def test_workers_end_with_a_killed_server(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    platform.create(spec(500))
    workers = children(platform)
    assert len(workers) == 2
    platform.kill()
    end = time.monotonic() + 20
    while not all(gone(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.05)


@linux_only
def test_workers_end_with_a_stopped_server(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    platform.create(spec(500))
    workers = children(platform)
    assert platform.stop() == 0
    assert all(gone(pid) for pid in workers)


@linux_only
def test_control_c_ends_everything_quietly(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    job = platform.create(spec(500))
    let_work(platform, job, 0.1)
    workers = children(platform)
    assert platform.interrupt() == 0
    assert all(gone(pid) for pid in workers)
    for word in ("Traceback", "Fatal", "KeyboardInterrupt"):
        assert word not in platform.logs()


def test_cancel_keeps_what_is_done_and_makes_no_more(start: Callable[..., Platform]) -> None:
    platform = start(workers=2)
    job = platform.create(spec(5000))
    while platform.job(job)["renders_created"] < 3:
        time.sleep(0.05)
    assert platform.ask("POST", f"/jobs/{job}/cancel").status == 202
    done = platform.wait(job)
    assert done["status"] == "cancelled"
    made = done["renders_created"]
    assert 3 <= made < 5000
    time.sleep(1)
    assert platform.job(job)["renders_created"] == made
    _, *lines, _ = platform.manifest(job)
    renders = {line["r"] for line in lines} - {None}
    assert len(renders) == made
    assert len(lines) == made * len(SUFFIXES) + 1
    text = (platform.data / "files" / job / "metadata.jsonl").read_text()
    assert {json.loads(line)["render_id"] for line in text.splitlines()} == renders
    on_disk = [file_name.parse(path.name) for path in (platform.data / "files" / job).iterdir()]
    assert {name.render_id for name in on_disk if name is not None} - {file_name.JOB_WIDE} == renders
    following = platform.create(spec(2))
    assert platform.wait(following)["status"] == "completed"


def test_a_cancelled_job_without_any_render(start: Callable[..., Platform]) -> None:
    platform = start(workers=0)
    job = platform.create(spec(3))
    platform.ask("POST", f"/jobs/{job}/cancel")
    platform.stop()
    platform.workers = 1
    platform.start()
    assert platform.wait(job)["status"] == "cancelled"
    assert len(platform.manifest(job)) == 2


def test_renders_that_cannot_be_made_are_given_up(start: Callable[..., Platform]) -> None:
    platform = start()
    job = platform.create(spec(2))
    platform.stop()
    (platform.data / "files" / job).write_bytes(b"a file where the job's folder should be")
    platform.workers = 1
    platform.start()
    done = platform.wait(job)
    assert (done["status"], done["renders_created"], done["renders_failed"]) == ("failed", 0, 2)
    assert "FileExistsError" in done["error"]
    assert platform.logs().count("try 3") == 2
    nothing_left(platform)


def test_a_growing_job_can_be_followed(start: Callable[..., Platform]) -> None:
    """Asking for what is new, again and again, gives every file once."""
    platform = start(workers=2)
    job = platform.create(spec(15))
    seen: list[str] = []
    generation, complete = 0, False
    while not complete:
        head, *lines, _ = platform.manifest(job, f"?since={generation}")
        seen += [line["n"] for line in lines]
        assert head["count"] == len(lines)
        generation, complete = head["generation"], head["complete"]
    assert len(seen) == len(set(seen)) == 15 * len(SUFFIXES) + 1
