"""Synthetic humans: ids of people, and jobs that render them.

The body of `POST /humans/jobs` is the spec itself, byte for byte what `GET /jobs/{id}/spec` gives
back; the job's name and the addresses to notify are query parameters (`name`, `notify_emails`,
comma separated). A spec inside another JSON object would lose its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthesis.schema.identities import IdentityResults
from synthesis.schema.job import JobCreated, JobValidation
from synthesis.server.endpoint import Query, bad_field, json_answer
from synthesis.server.store import jobs
from synthesis.server.store.accounts import is_email

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy import Connection
    from starlette.responses import Response

    from synthesis.server.endpoint import Call

MOST_EMAILS = 50

CREATE_QUERY = (
    Query("name", "the job's name; without it the platform gives one"),
    Query("notify_emails", "addresses to notify on completion, comma separated"),
)


def request_identities(call: Call) -> Response:
    """Ids of people by sex, ethnicity and age: the object of `results.json`."""
    from synthesis.humans.identities import request

    return json_answer(IdentityResults.model_validate(request(call.json())))


def create_job(call: Call) -> Response:
    """Check the spec and queue its renders."""
    name = call.query("name")
    if name is not None:
        check_name(name)
    emails = _emails(call.query("notify_emails"))
    spec = _load(call)

    def create(db: Connection) -> tuple[int, BaseModel]:
        row = jobs.create(
            db,
            org=call.org.key,
            kind="humans",
            name=name,
            spec=call.body,
            renders_total=spec.renders_total,
            images_total=spec.images_total,
            created_by=call.caller.email,
            notify_emails=emails,
        )
        return 201, JobCreated(
            id=row.id,
            name=row.name,
            status=row.status,
            renders_total=row.renders_total,
            images_total=row.images_total,
            warnings=tuple(spec.warnings),
        )

    return call.once(create)


def validate_job(call: Call) -> Response:
    """Check a spec and say what it would make; create nothing."""
    spec = _load(call)
    return json_answer(
        JobValidation(
            renders_total=spec.renders_total, images_total=spec.images_total, warnings=tuple(spec.warnings)
        )
    )


def check_name(name: str) -> None:
    """Refuse what cannot name a job."""
    if not jobs.is_name(name):
        raise bad_field("name", f"must have 1 to {jobs.NAME_LENGTH} printable characters")


def _load(call: Call) -> Any:
    from synthesis.humans.spec import load

    return load(call.body)


def _emails(text: str | None) -> list[str]:
    emails = [part.strip() for part in (text or "").split(",") if part.strip()]
    for email in emails:
        if not is_email(email):
            raise bad_field("notify_emails", f"holds {email[:100]!r}, which is not an e-mail address")
    if len(emails) > MOST_EMAILS:
        raise bad_field("notify_emails", f"must hold at most {MOST_EMAILS} addresses")
    return emails
