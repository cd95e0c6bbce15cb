"""A render worker: claims one render, makes it, hands it in, again and again.

Started by `supervisor.py` as `python -m synthesis.server.jobs.worker`; ends when its parent does.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy.exc import OperationalError

from synthesis.errors import FailedError, SynthesisError
from synthesis.files import disk_error
from synthesis.server import file_name, folder
from synthesis.server.file_name import FileName
from synthesis.server.jobs import queue
from synthesis.server.jobs.finish import finish_next
from synthesis.server.settings import Settings
from synthesis.server.store import jobs as job_store
from synthesis.server.store.engine import is_full, open_engine, read
from synthesis.server.store.files import IndexedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from synthesis.server.jobs.queue import Claim

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.25
DISK_FULL_SECONDS = 10
LOST_CLAIM = 75
"""Exit code of a worker that dropped a render nobody wants any more."""
ERROR_LENGTH = 500


class Worker:
    """One process's worth of rendering."""

    def __init__(self, settings: Settings, name: str, renderer: str) -> None:
        self.settings = settings
        self.name = name
        self.renderer_name = renderer
        self.engine: Engine = open_engine(settings.database)
        self._renderer: Any = None
        self._spec: tuple[int, Any] | None = None

    def run(self) -> None:
        """Work for ever; a database that is busy for too long is asked again."""
        while True:
            try:
                busy = self.step()
            except Exception:  # a worker must outlive whatever one step meets
                log.exception("a step failed; trying again")
                time.sleep(1)
                continue
            if not busy:
                time.sleep(IDLE_SECONDS)

    def step(self) -> bool:
        """Make one render or finish one job; False when there was nothing to do."""
        claim = queue.claim(self.engine, self.name, lease=self.settings.lease)
        if claim is None:
            return finish_next(self.engine, self.settings)
        try:
            self._make(claim)
        except Exception as error:  # whatever a renderer raises counts against the render, not the worker
            if is_disk_full(error):
                log.warning("the disk is full; trying again in %d s: %s", DISK_FULL_SECONDS, _describe(error))
                self._postpone(claim)
                return True
            log.exception("job %s render %d failed, try %d", claim.job_id, claim.render_id, claim.attempts)
            queue.fail(self.engine, claim, _describe(error), attempts=self.settings.attempts)
        return True

    def _postpone(self, claim: Claim) -> None:
        """Wait until there may be room again, for the database too, and give the render back."""
        while True:
            time.sleep(DISK_FULL_SECONDS)
            try:
                return queue.postpone(self.engine, claim)
            except OperationalError as error:
                log.warning("the disk is still full: %s", error.orig)

    def _make(self, claim: Claim) -> None:
        from synthesis.humans.render import render
        from synthesis.humans.resolve import resolve

        started = time.monotonic()
        directory = self.settings.work / f"{claim.job_id}.{claim.render_id}.{claim.worker}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            with _heartbeat(self.engine, claim, self.settings.lease):
                scene = resolve(self._load_spec(claim), claim.seed, claim.render_id)
                rendered = render(
                    scene, job_id=claim.job_id, directory=directory, renderer=self._load_renderer()
                )
                produced = _index(directory, claim)
            lines = [_keyed(line, claim) for line in rendered.metadata]
            kept = queue.complete(
                self.engine,
                claim,
                produced,
                lines,
                lambda: _place(directory, folder.make_job_folder(self.settings, claim.job_id)),
            )
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        log.info(
            "job %s render %d %s, %d files, %.2f s",
            claim.job_id,
            claim.render_id,
            "done" if kept else "given up: it is not wanted any more",
            len(produced),
            time.monotonic() - started,
        )

    def _load_spec(self, claim: Claim) -> Any:
        from synthesis.humans.spec import load

        if self._spec is None or self._spec[0] != claim.job:
            with read(self.engine) as db:
                body = job_store.spec(db, claim.job)
            if body is None:
                raise FailedError(f"job {claim.job_id} has no spec")
            self._spec = (claim.job, load(body))
        return self._spec[1]

    def _load_renderer(self) -> Any:
        from synthesis.humans import renderers

        if self._renderer is None:
            # One worker a core, one thread each: two threads in each of two workers took twice as long.
            self._renderer = renderers.get(self.renderer_name, threads=1)
        return self._renderer


@contextlib.contextmanager
def _heartbeat(engine: Engine, claim: Claim, lease: float) -> Any:
    """Prolong the lease while the block runs; end the process when the claim is gone: it renders in vain."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(lease / 4):
            try:
                held = queue.heartbeat(engine, claim, lease=lease)
            except Exception:  # a missed beat is no reason to stop; the lease allows for three
                log.exception("a heartbeat failed")
                continue
            if not held and not done.is_set():
                log.info("job %s render %d is not wanted any more", claim.job_id, claim.render_id)
                os._exit(LOST_CLAIM)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _index(directory: Path, claim: Claim) -> list[IndexedFile]:
    """Measure and hash every file, and have it on the disk for good before anybody lists it."""
    produced = []
    for path in sorted(directory.iterdir()):
        name = file_name.parse(path.name)
        if name is None or name.render_id != claim.render_id:
            raise FailedError(f"the renderer wrote a file that does not belong: {path.name}")
        with path.open("rb+") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            os.fsync(file.fileno())
            produced.append(IndexedFile(name, file.tell(), digest))
    if not produced:
        raise FailedError("the renderer wrote no file")
    return produced


def _keyed(line: bytes, claim: Claim) -> tuple[FileName, bytes]:
    """Sort key of a metadata line."""
    content = orjson.loads(line)
    return FileName(claim.render_id, content["camera_name"], content["frame_number"], "metadata"), line


def _place(source: Path, target: Path) -> None:
    for path in source.iterdir():
        path.replace(target / path.name)
    folder.sync(target)


def is_disk_full(error: Exception) -> bool:
    """Whether a render failed only for want of room."""
    if isinstance(error, OSError):
        return disk_error(error, Path()).kind == "disk-full"
    return is_full(error) or (isinstance(error, SynthesisError) and error.kind == "disk-full")


def _describe(error: Exception) -> str:
    text = error.message if isinstance(error, SynthesisError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:ERROR_LENGTH]


def _end_with_parent() -> None:
    """End the process when standard input closes: the server holds its other end for as long as it lives."""

    def wait() -> None:
        # Not through `sys.stdin`: its lock, held by a thread, breaks the interpreter when it ends.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a worker on a data folder until standard input closes."""
    parser = argparse.ArgumentParser(prog="synthesis-worker")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--renderer", required=True)
    options = parser.parse_args(arguments)
    _end_with_parent()
    if hasattr(os, "nice"):
        os.nice(5)  # answering requests goes first
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    Worker(Settings(data=options.data), options.name, options.renderer).run()


if __name__ == "__main__":
    main()
