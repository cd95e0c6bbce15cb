"""Jobs: rows, their wire form, lists, and the few changes a request can make."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from synthesis.errors import FailedError, NotFoundError
from synthesis.schema.job import FINISHED, Job
from synthesis.server.store.tables import jobs, orgs, renders, specs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from synthesis.server.store.tables import Record


NAME_LENGTH = 200


def is_name(text: str) -> bool:
    """Whether a job may have this name: 1 to 200 printable characters, not all of them blanks."""
    return text.strip() != "" and len(text) <= NAME_LENGTH and text.isprintable()


def create(
    db: Connection,
    *,
    org: int,
    kind: str,
    name: str | None,
    spec: bytes | None,
    renders_total: int,
    images_total: int,
    created_by: str | None,
    notify_emails: list[str],
) -> Record:
    """Add a job; nothing is written per render, so a job of a million renders is as fast as one of one."""
    job_id = str(uuid.uuid4())
    values = {
        "id": job_id,
        "org": org,
        "kind": kind,
        "name": name or f"{kind}-{job_id[:8]}",
        "status": "submitted",
        "seed": secrets.randbits(32),
        "renders_total": renders_total,
        "images_total": images_total,
        "created_at": time.time(),
        "created_by": created_by,
        "notify_emails": notify_emails,
    }
    key = db.execute(insert(jobs).values(**values).returning(jobs.c.key)).scalar_one()
    if spec is not None:
        db.execute(insert(specs).values(job=key, body=spec))
    return find(db, org, job_id)


def find(db: Connection, org: int, job_id: str) -> Record:
    """The org's job (with `org_name`); kind `not-found` for jobs of other orgs too."""
    row = db.execute(_select().where(jobs.c.id == job_id, jobs.c.org == org)).one_or_none()
    if row is None:
        raise NotFoundError(f"no job {job_id[:100]!r} in this org", hint="check the id and the org in use")
    return row


def page(db: Connection, org: int, *, before: int | None, status: str | None, limit: int) -> list[Record]:
    """Up to `limit` jobs of the org, newest first, older than the job of key `before`."""
    query = _select().where(jobs.c.org == org).order_by(jobs.c.key.desc()).limit(limit)
    if before is not None:
        query = query.where(jobs.c.key < before)
    if status is not None:
        query = query.where(jobs.c.status == status)
    return list(db.execute(query))


def rename(db: Connection, key: int, name: str) -> None:
    """Give the job another name."""
    db.execute(update(jobs).where(jobs.c.key == key).values(name=name))


def spec(db: Connection, key: int) -> bytes | None:
    """The submitted bytes; None for an imported job."""
    return db.execute(select(specs.c.body).where(specs.c.job == key)).scalar()


def cancel(db: Connection, row: Record) -> None:
    """Stop claiming and drop what is being rendered; what is done stays. Kind `conflict` when finished.

    A worker in the middle of a render finds its claim gone and gives up.
    """
    if row.status in FINISHED:
        raise FailedError(
            f"the job is {row.status}; only unfinished jobs can be cancelled",
            kind="conflict",
            hint="nothing is left to do",
        )
    if row.kind == "import":
        raise FailedError("the job is being imported, not rendered", kind="conflict", hint="end the import")
    db.execute(update(jobs).where(jobs.c.key == row.key).values(status="cancelled", finished_at=time.time()))
    db.execute(delete(renders).where(renders.c.job == row.key, renders.c.state != "failed"))


def wire(row: Record) -> Job:
    """The job as clients see it."""
    return Job(
        id=row.id,
        name=row.name,
        org=row.org_name,
        status=row.status,
        renders_total=row.renders_total,
        renders_created=row.renders_created,
        renders_failed=row.renders_failed,
        images_total=row.images_total,
        generation=row.generation,
        created_at=moment(row.created_at),
        finished_at=None if row.finished_at is None else moment(row.finished_at),
        created_by=row.created_by,
        notify_emails=tuple(row.notify_emails),
        error=row.error,
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def _select() -> Any:
    return select(jobs, orgs.c.name.label("org_name")).join_from(jobs, orgs)
