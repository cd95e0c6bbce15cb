"""Keeps the wished number of worker processes alive, and frees what a dead one had claimed."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synthesis.server import folder
from synthesis.server.jobs import queue
from synthesis.server.jobs.worker import LOST_CLAIM

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from synthesis.server.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
STOP_SECONDS = 5
QUICK_DEATH_SECONDS = 5
LONGEST_PAUSE = 30.0


@dataclass
class _Slot:
    """The place of one worker: its process, and how often in a row it died young."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    name: str = ""
    started: float = 0.0
    start_at: float = 0.0
    deaths: int = field(default=0)


class Supervisor:
    """Worker processes of one server; use it as a context manager."""

    def __init__(self, settings: Settings, engine: Engine, *, workers: int, renderer: str) -> None:
        self._settings = settings
        self._engine = engine
        self._renderer = renderer
        self._slots = [_Slot(number) for number in range(1, workers + 1)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers at once; what they were making is claimed again when a server starts."""
        self._stop.set()
        self._thread.join()
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _watch(self) -> None:
        while not self._stop.is_set():
            for slot in self._slots:
                try:
                    self._tend(slot)
                except Exception:  # the watch must go on, whatever one look meets
                    log.exception("cannot tend worker %d", slot.number)
            self._stop.wait(LOOK_SECONDS)

    def _tend(self, slot: _Slot) -> None:
        if slot.process is not None and slot.process.poll() is not None:
            self._bury(slot, slot.process)
        if slot.process is None and time.monotonic() >= slot.start_at:
            self._start(slot)

    def _bury(self, slot: _Slot, process: subprocess.Popen[bytes]) -> None:
        queue.release(self._engine, slot.name)
        folder.empty(self._settings.work, f"*{slot.name}*")
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        slot.process = None
        now = time.monotonic()
        if process.returncode == LOST_CLAIM:
            slot.deaths, slot.start_at = 0, now
            return
        log.warning("worker %d ended with %s; starting another", slot.number, process.returncode)
        slot.deaths = slot.deaths + 1 if now - slot.started < QUICK_DEATH_SECONDS else 0
        slot.start_at = now + min(0.25 * (2**slot.deaths - 1), LONGEST_PAUSE)

    def _start(self, slot: _Slot) -> None:
        slot.name = f"{slot.number}-{uuid.uuid4().hex}"
        slot.started = time.monotonic()
        command = [sys.executable, "-m", "synthesis.server.jobs.worker"]
        command += ["--data", str(self._settings.data), "--name", slot.name, "--renderer", self._renderer]
        with (self._settings.logs / f"worker-{slot.number}.log").open("ab") as output:
            slot.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, **_out_of_reach()
            )


def _out_of_reach() -> dict[str, Any]:
    """Options that keep Control-C, which a terminal sends to a whole group, from the workers."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"process_group": 0}
