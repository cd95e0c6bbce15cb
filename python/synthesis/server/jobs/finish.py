"""The end of a job: `metadata.jsonl` is assembled from its lines, and the job is sealed."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, tuple_, update

from synthesis.server import folder
from synthesis.server.file_name import JOB_WIDE, FileName
from synthesis.server.store import files
from synthesis.server.store.engine import read, write
from synthesis.server.store.files import IndexedFile
from synthesis.server.store.tables import jobs, metadata_lines

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from synthesis.server.settings import Settings
    from synthesis.server.store.tables import Record

METADATA = FileName(JOB_WIDE, "", 0, "metadata")
LINES_PER_PAGE = 2000


def finish_next(engine: Engine, settings: Settings) -> bool:
    """Finish one job whose renders are all made, failed or cancelled; False when there is none to finish.

    One worker finishes at a time, for the lines of a large job are gigabytes; were there two, one would seal.
    """
    with read(engine) as db:
        over = or_(
            jobs.c.status == "cancelled",
            jobs.c.renders_created + jobs.c.renders_failed >= jobs.c.renders_total,
        )
        query = select(jobs).where(jobs.c.sealed.is_(False), jobs.c.kind == "humans", over)
        job = db.execute(query.order_by(jobs.c.key).limit(1)).one_or_none()
    if job is None:
        return False
    with folder.hold(settings.data / "finish.lock") as alone:
        if not alone:
            return False
        draft = settings.work / f"{job.id}.metadata.jsonl"
        try:
            _seal(engine, settings, job, draft, _assemble(engine, job.key, draft))
        finally:
            draft.unlink(missing_ok=True)
    return True


def _assemble(engine: Engine, job: int, draft: Path) -> IndexedFile | None:
    """Write all lines in order (render_id, camera, frame); None when there are none."""
    key = (metadata_lines.c.render_id, metadata_lines.c.camera, metadata_lines.c.frame)
    digest, size, after = hashlib.sha256(), 0, (JOB_WIDE, "", 0)
    with draft.open("wb") as file:
        while True:
            query = select(*key, metadata_lines.c.line).where(
                metadata_lines.c.job == job, tuple_(*key) > tuple_(*after)
            )
            with read(engine) as db:
                rows = db.execute(query.order_by(*key).limit(LINES_PER_PAGE)).all()
            if not rows:
                break
            for row in rows:
                line = row.line.rstrip(b"\n") + b"\n"
                digest.update(line)
                size += file.write(line)
            after = tuple(rows[-1])[:3]
        file.flush()
        os.fsync(file.fileno())
    return IndexedFile(METADATA, size, digest.digest()) if size else None


def _seal(engine: Engine, settings: Settings, job: Record, draft: Path, metadata: IndexedFile | None) -> None:
    with write(engine) as db:
        now = db.execute(select(jobs.c.sealed, jobs.c.status).where(jobs.c.key == job.key)).one()
        if now.sealed:
            return
        if metadata is not None:
            target = folder.make_job_folder(settings, job.id)
            draft.replace(target / str(METADATA))
            folder.sync(target)
            files.add(db, job.key, [metadata])
            db.execute(delete(metadata_lines).where(metadata_lines.c.job == job.key))
        values: dict[str, Any] = {"sealed": True}
        if now.status != "cancelled":
            values["status"] = "completed" if job.renders_created > 0 else "failed"
            values["finished_at"] = time.time()
        db.execute(update(jobs).where(jobs.c.key == job.key).values(**values))
