"""After a power loss, files renamed but not yet synced may lack their bytes: they are looked at again."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.calls import Call, Verdict, Watch
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import STATE, assert_complete, assert_shards, fetch, final_names, outcome, start
from fakes.power import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a system that names its starts")

FILES = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(6)]


def leave_journal(folder: Path, *, boot: str, synced: float) -> None:
    """The state folder of a run that last synced at `synced`, in the machine's start `boot`."""
    record = json.dumps({"synced": {"boot": boot, "seconds": int(synced)}}, separators=(",", ":"))
    check = hashlib.sha256(record.encode()).hexdigest()[:8]
    (folder / STATE).mkdir()
    (folder / STATE / "journal").write_text(f"{check} {record}\n")


def lose_bytes(path: Path, *, changed: float) -> None:
    """What some file systems leave: the right size, zeros for content."""
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, (changed, changed))


def test_young_files_are_hashed_and_mended(tmp_path: Path) -> None:
    now = time.time()
    with FaultyServer(FILES) as server:
        fetch(server, tmp_path)
        for file in FILES:
            os.utime(tmp_path / file.name, (now - 600, now - 600))
        lose_bytes(tmp_path / FILES[2].name, changed=now - 50)
        lose_bytes(tmp_path / FILES[4].name, changed=now - 40)
        leave_journal(tmp_path, boot="another-start", synced=now - 100)
        server.forget()
        summary = fetch(server, tmp_path)
        assert (summary.files_present, summary.files_new) == (4, 2)
        assert_complete(server, tmp_path)


def test_a_kill_before_the_look_does_not_end_the_doubt(tmp_path: Path) -> None:
    now = time.time()
    with FaultyServer(FILES) as server:
        fetch(server, tmp_path)
        lose_bytes(tmp_path / FILES[2].name, changed=now - 50)
        leave_journal(tmp_path, boot="another-start", synced=now - 100)
        server.manifest_faults = [faults.always(lambda exchange: exchange.reset())]
        with pytest.raises(Exception, match="connection"):
            fetch(server, tmp_path)
        server.manifest_faults.clear()
        assert fetch(server, tmp_path).files_new == 1
        assert_complete(server, tmp_path)


def test_without_a_loss_nothing_is_hashed_again(tmp_path: Path) -> None:
    now = time.time()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with FaultyServer(FILES) as server:
        fetch(server, tmp_path)
        lose_bytes(tmp_path / FILES[2].name, changed=now - 50)
        leave_journal(tmp_path, boot=boot, synced=now - 100)
        assert fetch(server, tmp_path).files_present == len(FILES)


BOOT = "/proc/sys/kernel/random/boot_id"
LOSSES = int(os.environ.get("SYNTHESIS_KILLS", "12"))


def another_boot(place: Path) -> Callable[[Call], Verdict]:
    """Lets a child see another start of the machine."""
    place.write_text("another-start\n")
    return lambda call: ("fd", os.open(place, os.O_RDONLY)) if call.path == BOOT else None


def test_whatever_a_power_loss_leaves_the_next_run_mends(tmp_path: Path) -> None:
    files = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(30)]
    files += [File(f"{at}.rgb.png", made(2_500_000, at), render_id=at) for at in (30, 31)]
    draw = random.Random(7)
    folder = tmp_path / "job"
    recorder = Recorder(folder)
    with FaultyServer(files, pace=0.02) as server:
        with Watch(recorder.judge, Recorder.CALLS) as watch:
            done = outcome(start(server, folder, watch=watch, checkpoint=0.1, concurrency=4))
            assert done["exit_code"] == 0
        assert_complete(server, folder)
        assert sum(event.what == "syncfs" for event in recorder.events) > 2
        server.pace = seen = 0
        for loss in range(LOSSES):
            place = tmp_path / f"after-{loss}"
            # The last one comes when all is done: then everything must be there without another look.
            at = recorder.lose_power(draw, place, at=len(recorder.events) if loss == 0 else None)
            spoilt = [
                file.name
                for file in files
                if (place / file.name).exists() and (place / file.name).read_bytes() != file.data
            ]
            seen += bool(spoilt)
            if loss == 0:
                assert spoilt == []
                assert {file.name for file in files} <= set(final_names(place))
            with Watch(another_boot(tmp_path / "boot"), {"open", "openat"}) as watch:
                done = outcome(start(server, place, watch=watch))
            assert done["exit_code"] == 0, (at, done)
            assert_complete(server, place)
            shutil.rmtree(place)
    assert seen, "no power loss has spoilt a file: the replay proves nothing"


def test_whatever_a_power_loss_leaves_of_shards_the_next_run_mends(tmp_path: Path) -> None:
    files = [File(f"{at:03}.rgb.png", made(20_000, at), render_id=at) for at in range(40)]
    draw, folder = random.Random(8), tmp_path / "job"
    recorder = Recorder(folder)
    options = {"tar": True, "tar_renders": 8}
    with FaultyServer(files, pace=0.02) as server:
        with Watch(recorder.judge, Recorder.CALLS) as watch:
            child = start(server, folder, watch=watch, checkpoint=0.1, concurrency=4, **options)
            assert outcome(child)["exit_code"] == 0
        assert_shards(server, folder, complete=True)
        server.pace = 0
        for loss in range(LOSSES // 2):
            place = tmp_path / f"after-{loss}"
            at = recorder.lose_power(draw, place)
            with Watch(another_boot(tmp_path / "boot"), {"open", "openat"}) as watch:
                done = outcome(start(server, place, watch=watch, **options))
            assert done["exit_code"] == 0, (at, done)
            assert_shards(server, place, complete=True)
            shutil.rmtree(place)
