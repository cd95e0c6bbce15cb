"""`job assets download --watch`: a job that renders meanwhile, one that ends badly, and an interrupt."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from fakes.command import Command
from fakes.platform import ORG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.platform import Platform

TINY = {"name": "default", "specifications": {"resolution_w": 32, "resolution_h": 32}}
PEOPLE = {"ids": [80, 24], "renders_per_identity": 3}
SPEC = {"humans": [{"identities": PEOPLE, "camera_and_light_rigs": [{"cameras": [TINY]}]}]}


def command(folder: Path, platform: Platform) -> Command:
    return Command(folder, SYNTHESIS_SERVER=platform.url, SYNTHESIS_API_KEY=platform.key, SYNTHESIS_ORG=ORG)


def test_a_job_is_fetched_while_it_renders(start: Callable[..., Platform], tmp_path: Path) -> None:
    platform = start(workers=1)
    cli = command(tmp_path, platform)
    job = platform.create(SPEC)
    line = ["job", "assets", "download", job, "--assets", "rgb,info,metadata", "-o", "out"]
    done = cli.ok(*line, "--watch", "--json", timeout=120)
    summary = done.events()[-1]
    assert (summary["event"], summary["complete"], summary["failed"]) == ("done", True, 0)
    assert summary["files_new"] == summary["files_total"] == 6 * 2 + 1
    assert platform.job(job)["status"] == "completed"
    seen = [event for event in done.events() if event["event"] == "progress"]
    assert {event["files_present"] for event in seen} == {0}  # what a former pass brought is no older
    assert [event["seconds"] for event in seen] == sorted(event["seconds"] for event in seen)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {entry["n"] for entry in platform.manifest(job, "?assets=rgb,info,metadata")[1:-1]}
    assert cli.ok(*line).out.startswith("nothing new in ")


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_waiting_ends_with_the_job_or_with_whoever_waits(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(workers=0)
    cli = command(tmp_path, platform)
    job = platform.create(SPEC)
    line = ["job", "assets", "download", job, "--assets", "rgb", "-o", "out", "--watch"]
    running = cli.start(*line)
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "--watch" in err.decode().splitlines()[-1]
    running = cli.start(*line, "--json")
    assert running.stdout is not None
    assert b'"start"' in running.stdout.readline()  # the job was found as it is, before it is cancelled
    assert platform.ask("POST", f"/jobs/{job}/cancel").status == 202
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err


def test_watching_and_checking_exclude_each_other(start: Callable[..., Platform], tmp_path: Path) -> None:
    cli = command(tmp_path, start(workers=0))
    done = cli("job", "assets", "download", "any", "--assets", "rgb", "--watch", "--verify")
    assert (done.code, "--watch and --verify exclude each other" in done.err) == (2, True)
