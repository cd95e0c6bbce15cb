"""Jobs of an org."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, get_args

from starlette.responses import Response

from synthesis.errors import NotFoundError
from synthesis.schema.asset import Asset, AssetList, Total
from synthesis.schema.asset_kind import KINDS
from synthesis.schema.job import Job, JobRename, JobStatus
from synthesis.schema.wire import Page
from synthesis.server.endpoint import Query, bad_field, json_answer
from synthesis.server.routes.humans import check_name
from synthesis.server.store import files, jobs
from synthesis.server.store.engine import read, write

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from synthesis.server.endpoint import Call
    from synthesis.server.store.tables import Record

MOST = 500

LIST_QUERY = (
    Query("limit", "jobs per page", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100}),
    Query("cursor", "`next` of the page before"),
    Query("status", "only jobs of this status", {"type": "string", "enum": list(get_args(JobStatus))}),
)


def find(db: Connection, call: Call) -> Record:
    """The job of the path, in the org acted for."""
    return jobs.find(db, call.org.key, call.path("id"))


def list_jobs(call: Call) -> Response:
    """The org's jobs, newest first."""
    limit = call.number("limit", default=100, low=1, high=MOST)
    before = call.number("cursor", default=0, low=1, high=2**62) or None
    status = call.query("status")
    if status is not None and status not in get_args(JobStatus):
        raise bad_field("status", f"must be one of {', '.join(get_args(JobStatus))}")
    with read(call.platform.engine) as db:
        rows = jobs.page(db, call.org.key, before=before, status=status, limit=limit + 1)
    following = str(rows[limit - 1].key) if len(rows) > limit else None
    return json_answer(Page[Job](items=[jobs.wire(row) for row in rows[:limit]], next=following))


def get_job(call: Call) -> Response:
    """One job: its status and how far it is."""
    with read(call.platform.engine) as db:
        return json_answer(jobs.wire(find(db, call)))


def rename_job(call: Call) -> Response:
    """Give the job another name."""
    name = call.parse(JobRename).name
    check_name(name)
    with write(call.platform.engine) as db:
        jobs.rename(db, find(db, call).key, name)
        return json_answer(jobs.wire(find(db, call)))


def cancel_job(call: Call) -> Response:
    """Stop the job; what is done is kept. 409 when it is finished."""
    with write(call.platform.engine) as db:
        jobs.cancel(db, find(db, call))
        return json_answer(jobs.wire(find(db, call)), status=202)


def get_spec(call: Call) -> Response:
    """The bytes that were submitted."""
    with read(call.platform.engine) as db:
        body = jobs.spec(db, find(db, call).key)
    if body is None:
        raise NotFoundError("the job has no spec: it was imported")
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    return Response(body, headers={"ETag": etag, "Cache-Control": "no-store"}, media_type="application/json")


def list_assets(call: Call) -> Response:
    """Which assets the job has: files and bytes of each."""
    with read(call.platform.engine) as db:
        totals = files.totals(db, find(db, call).key)
    items = [
        Asset(**kind._asdict(), count=totals[kind.flag][0], bytes=totals[kind.flag][1])
        for kind in KINDS
        if kind.flag in totals
    ]
    total = Total(count=sum(item.count for item in items), bytes=sum(item.bytes for item in items))
    return json_answer(AssetList(items=items, total=total))
