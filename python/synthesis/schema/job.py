"""Jobs: what an org asked to be rendered, and how far it is."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from synthesis.schema.wire import Wire

JobStatus = Literal["submitted", "rendering", "completed", "cancelled", "failed"]

FINISHED: frozenset[JobStatus] = frozenset({"completed", "cancelled", "failed"})
"""Statuses that never change again."""


class Job(Wire):
    """A job. `renders_created` and `renders_failed` grow up to `renders_total`.

    `failed` means that not one render could be made; `error` then says why.
    `generation` rises whenever files arrive; it is what the manifest's `since` takes.
    """

    id: str
    name: str
    org: str
    status: JobStatus
    renders_total: int
    renders_created: int
    renders_failed: int
    images_total: int
    generation: int
    created_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    created_by: str | None = None
    notify_emails: tuple[str, ...] = ()
    error: str | None = None


class JobCreated(Wire):
    """The answer of `POST /humans/jobs`."""

    id: str
    name: str
    status: JobStatus
    renders_total: int
    images_total: int
    warnings: tuple[str, ...] = ()


class JobRename(Wire):
    """The body of `PATCH /jobs/{id}`."""

    name: str = Field(min_length=1, max_length=200)


class JobValidation(Wire):
    """The answer of `POST /humans/jobs:validate`: what the spec would make; nothing is created."""

    renders_total: int
    images_total: int
    warnings: tuple[str, ...] = ()
