"""Claims on renders. Every step is one transaction, so any process may die anywhere.

A render is first "unclaimed" (no row; `jobs.next_render` has not passed it), then `claimed` by one
worker until a lease runs out, then done (no row; its files are indexed), `waiting` for another
try, or `failed` after the last one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, insert, or_, select, update

from synthesis.server.store import files
from synthesis.server.store.engine import read, write
from synthesis.server.store.tables import jobs, metadata_lines, renders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

    from synthesis.server.file_name import FileName
    from synthesis.server.store.files import IndexedFile
    from synthesis.server.store.tables import Record

OPEN = ("submitted", "rendering")

DEATHS = 10
"""Tries of a render whose workers die in the middle: it may be what kills them, but need not be."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One render that one worker may make until its lease runs out."""

    worker: str
    job: int
    job_id: str
    seed: int
    render_id: int
    attempts: int


def claim(engine: Engine, worker: str, *, lease: float) -> Claim | None:
    """Take the next render of the oldest open job, interrupted ones first; None when there is none."""
    with read(engine) as db:  # most calls find nothing: do not bother the writer
        if _interrupted(db) is None and _unclaimed(db) is None:
            return None
    with write(engine) as db:
        while (row := _interrupted(db)) is not None:
            if row.attempts < DEATHS:
                return _reclaim(db, row, worker, lease)
            _give_up(db, row.job, row.render_id, row.error or "the worker died in the middle of it")
        job = _unclaimed(db)
        return None if job is None else _claim_new(db, job, worker, lease)


def _interrupted(db: Connection) -> Record | None:
    ready = or_(
        renders.c.state == "waiting", and_(renders.c.state == "claimed", renders.c.lease_until < time.time())
    )
    query = select(renders, jobs.c.id, jobs.c.seed).join_from(renders, jobs).where(ready)
    return db.execute(query.order_by(renders.c.job, renders.c.render_id).limit(1)).one_or_none()


def _unclaimed(db: Connection) -> Record | None:
    query = select(jobs.c.key, jobs.c.id, jobs.c.seed, jobs.c.next_render).where(
        jobs.c.sealed.is_(False),
        jobs.c.kind == "humans",
        jobs.c.status.in_(OPEN),
        jobs.c.next_render < jobs.c.renders_total,
    )
    return db.execute(query.order_by(jobs.c.key).limit(1)).one_or_none()


def _reclaim(db: Connection, row: Record, worker: str, lease: float) -> Claim:
    values = {
        "state": "claimed",
        "worker": worker,
        "lease_until": time.time() + lease,
        "attempts": row.attempts + 1,
    }
    db.execute(update(renders).where(*_is(row.job, row.render_id)).values(**values))
    return Claim(
        worker=worker,
        job=row.job,
        job_id=row.id,
        seed=row.seed,
        render_id=row.render_id,
        attempts=row.attempts + 1,
    )


def _claim_new(db: Connection, job: Record, worker: str, lease: float) -> Claim:
    render_id = job.next_render
    db.execute(
        update(jobs).where(jobs.c.key == job.key).values(next_render=render_id + 1, status="rendering")
    )
    values = {
        "state": "claimed",
        "worker": worker,
        "lease_until": time.time() + lease,
        "attempts": 1,
        "errors": 0,
    }
    db.execute(insert(renders).values(job=job.key, render_id=render_id, **values))
    return Claim(worker=worker, job=job.key, job_id=job.id, seed=job.seed, render_id=render_id, attempts=1)


def heartbeat(engine: Engine, claim: Claim, *, lease: float) -> bool:
    """Prolong the lease; False when the claim is gone (cancelled, or taken by another worker)."""
    with write(engine) as db:
        query = update(renders).where(*_held(claim)).values(lease_until=time.time() + lease)
        return db.execute(query).rowcount == 1


def complete(
    engine: Engine,
    claim: Claim,
    produced: Sequence[IndexedFile],
    lines: Sequence[tuple[FileName, bytes]],
    place: Callable[[], None],
) -> bool:
    """Make a render part of its job: `place()` moves the files, then all is indexed; or nothing happens.

    False when the claim is gone: the files are somebody else's work now.
    """
    with write(engine) as db:
        if db.execute(delete(renders).where(*_held(claim))).rowcount == 0:
            return False
        place()
        files.add(db, claim.job, produced)
        if lines:
            rows = [
                {
                    "job": claim.job,
                    "render_id": name.render_id,
                    "camera": name.camera,
                    "frame": name.frame,
                    "line": line,
                }
                for name, line in lines
            ]
            db.execute(insert(metadata_lines), rows)
        created = jobs.c.renders_created + 1
        db.execute(update(jobs).where(jobs.c.key == claim.job).values(renders_created=created))
    return True


def fail(engine: Engine, claim: Claim, error: str, *, attempts: int) -> None:
    """Let the render be tried again, or record it as failed when it raised for the last time."""
    with write(engine) as db:
        values = {"state": "waiting", "worker": None, "lease_until": None, "error": error}
        change = update(renders).where(*_held(claim)).values(**values, errors=renders.c.errors + 1)
        held = db.execute(change).rowcount == 1
        if not held:
            return
        raised = select(renders.c.errors).where(*_is(claim.job, claim.render_id))
        if db.execute(raised).scalar_one() >= attempts:
            _give_up(db, claim.job, claim.render_id, error)


def postpone(engine: Engine, claim: Claim) -> None:
    """Give a render back without counting the try: not it is at fault, but the machine."""
    with write(engine) as db:
        freed = {"state": "waiting", "worker": None, "lease_until": None, "attempts": claim.attempts - 1}
        db.execute(update(renders).where(*_held(claim)).values(**freed))


def release(engine: Engine, worker: str) -> None:
    """Free what a dead worker held; the try counts, for the render may be what killed it."""
    with write(engine) as db:
        held = and_(renders.c.state == "claimed", renders.c.worker == worker)
        db.execute(update(renders).where(held).values(state="waiting", worker=None, lease_until=None))


def release_all(engine: Engine) -> None:
    """Free every claim when a server starts: its former workers are gone, by no fault of the renders."""
    with write(engine) as db:
        freed = {"state": "waiting", "worker": None, "lease_until": None}
        fewer = case((renders.c.attempts > 0, renders.c.attempts - 1), else_=0)
        db.execute(update(renders).where(renders.c.state == "claimed").values(**freed, attempts=fewer))


def _give_up(db: Connection, job: int, render_id: int, error: str) -> None:
    values = {"state": "failed", "worker": None, "lease_until": None, "error": error}
    db.execute(update(renders).where(*_is(job, render_id)).values(**values))
    failed = jobs.c.renders_failed + 1
    db.execute(update(jobs).where(jobs.c.key == job).values(renders_failed=failed, error=error))


def _is(job: int, render_id: int) -> tuple[Any, ...]:
    return (renders.c.job == job, renders.c.render_id == render_id)


def _held(claim: Claim) -> tuple[Any, ...]:
    return (*_is(claim.job, claim.render_id), renders.c.state == "claimed", renders.c.worker == claim.worker)
