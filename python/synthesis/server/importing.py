"""A job made of renders that exist already."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from synthesis.errors import DiskError, UsageError
from synthesis.files import disk_error
from synthesis.server import file_name, folder
from synthesis.server.file_name import JOB_WIDE, FileName
from synthesis.server.store import files, jobs
from synthesis.server.store.engine import read, write
from synthesis.server.store.files import IndexedFile
from synthesis.server.store.tables import file_totals
from synthesis.server.store.tables import files as files_table
from synthesis.server.store.tables import jobs as jobs_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from synthesis.schema.job import Job
    from synthesis.server.settings import Settings

BATCH = 1000
THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did; `skipped` are names that no render has."""

    job: Job
    files: int
    bytes: int
    skipped: tuple[str, ...]


def bring_in(
    engine: Engine,
    settings: Settings,
    source: Path,
    *,
    name: str,
    org: int,
    copy: bool,
    progress: Callable[[int, int], None] | None,
) -> Imported:
    """Link or copy, hash and index every render of a folder; the job is finished when all are in.

    A failure removes the job again; what a killed import left goes with the next import or start.

    Raises:
        DiskError: kind `locked` when another import runs.
    """
    found, skipped = _look(source)
    with folder.lock_imports(settings) as alone:
        if not alone:
            raise DiskError(
                f"another import into {settings.data} is under way",
                kind="locked",
                hint="run this one when that has ended",
                fields={"path": str(settings.data)},
            )
        remove_unfinished(engine, settings)
        job, size = _make_job(engine, settings, found, name=name, org=org, copy=copy, progress=progress)
    return Imported(job=job, files=len(found), bytes=size, skipped=skipped)


def remove_unfinished(engine: Engine, settings: Settings) -> None:
    """Remove the jobs of imports that were killed; call it only while holding `folder.lock_imports`."""
    with read(engine) as db:
        killed = select(jobs_table.c.key, jobs_table.c.id).where(
            jobs_table.c.kind == "import", jobs_table.c.sealed.is_(False)
        )
        rows = db.execute(killed).all()
    for row in rows:
        _undo(engine, row.key, settings.files / row.id)


def _make_job(
    engine: Engine,
    settings: Settings,
    found: dict[FileName, Path],
    *,
    name: str,
    org: int,
    copy: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[Job, int]:
    """The finished job and its bytes."""
    renders = {entry.render_id for entry in found} - {JOB_WIDE}
    images = {entry[:3] for entry in found if entry.render_id != JOB_WIDE}
    with write(engine) as db:
        row = jobs.create(
            db,
            org=org,
            kind="import",
            name=name,
            spec=None,
            renders_total=len(renders),
            images_total=len(images),
            created_by=None,
            notify_emails=[],
        )
    target = settings.files / row.id
    try:
        folder.make_job_folder(settings, row.id)
        size = _take_in(engine, row.key, target, found, copy=copy, progress=progress)
        folder.sync(target)
    except BaseException:
        _undo(engine, row.key, target)
        raise
    with write(engine) as db:
        values = {"status": "completed", "sealed": True, "renders_created": len(renders)}
        change = update(jobs_table).where(jobs_table.c.key == row.key)
        db.execute(change.values(**values, next_render=len(renders), finished_at=time.time()))
    with read(engine) as db:
        return jobs.wire(jobs.find(db, org, row.id)), size


def _look(source: Path) -> tuple[dict[FileName, Path], tuple[str, ...]]:
    found: dict[FileName, Path] = {}
    skipped: list[str] = []
    try:
        paths = sorted(source.iterdir())
    except OSError as error:
        raise disk_error(error, source) from error
    for path in paths:
        name = file_name.parse(path.name) or file_name.parse_old(path.name)
        if name is None or not path.is_file():
            skipped.append(path.name)
        elif name in found:
            raise UsageError(
                f"{found[name].name} and {path.name} are the same file of one image",
                hint="keep one of the two in the folder",
            )
        else:
            found[name] = path
    if not found:
        raise UsageError(
            f"no file in {source} is named like a render",
            hint="expected names such as 0.cam_default.f_1.rgb.png or 0.rgb.png",
        )
    return found, tuple(skipped)


def _take_in(
    engine: Engine,
    job: int,
    target: Path,
    found: dict[FileName, Path],
    *,
    copy: bool,
    progress: Callable[[int, int], None] | None,
) -> int:
    def one(entry: tuple[FileName, Path]) -> IndexedFile:
        name, source = entry
        try:
            return _place(source, target / str(name), name, copy=copy)
        except OSError as error:
            raise disk_error(error, source) from error

    done = size = 0
    with ThreadPoolExecutor(THREADS) as pool:
        entries = sorted(found.items())
        for start in range(0, len(entries), BATCH):
            arrived = list(pool.map(one, entries[start : start + BATCH]))
            with write(engine) as db:
                files.add(db, job, arrived)
            done += len(arrived)
            size += sum(file.size for file in arrived)
            if progress is not None:
                progress(done, len(found))
    return size


def _place(source: Path, target: Path, name: FileName, *, copy: bool) -> IndexedFile:
    source = source.resolve()  # a hard link to a symbolic link would be one
    if not copy:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            copy = True
    if copy:
        shutil.copyfile(source, target)
    if copy:
        folder.sync(target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return IndexedFile(name, file.tell(), digest)


def _undo(engine: Engine, job: int, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)  # first: without the job nobody would look for it again
    with write(engine) as db:
        for table in (files_table, file_totals):
            db.execute(delete(table).where(table.c.job == job))
        db.execute(delete(jobs_table).where(jobs_table.c.key == job))
