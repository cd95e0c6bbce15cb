"""`synthesis job`: look at jobs, wait for them, stop them, fetch their specs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from synthesis.cli import assets
from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.files import result_path
from synthesis.cli.flags import complete_from
from synthesis.cli.output import plural, table
from synthesis.cli.session import Session
from synthesis.errors import FailedError, UsageError

if TYPE_CHECKING:
    from synthesis.schema.job import Job

app = group("Look at jobs, wait for them, download them.")
app.add("assets", assets.app)

JobArgument = Annotated[str, Argument(metavar="JOB", help="ID of the job.")]


@command(app, "status")
def status(session: Session, job: JobArgument) -> None:
    """Show how many renders of a job there are.

    \b
    Example:
      synthesis job status 12ab3c45-678-9d12-34ef-5ghijkl678f8
    """
    found = session.client.jobs.get(job)
    session.out.result(found.model_dump(mode="json"), _status_text(found), bare=_word(found))


@command(app, "list")
def list_jobs(
    session: Session,
    limit: Annotated[int, Option("--limit", metavar="N", min=1, help="Show the N newest jobs at most.")] = 50,
    status: Annotated[
        str | None,
        Option(
            "--status",
            metavar="STATUS",
            autocompletion=complete_from("submitted", "rendering", "completed", "cancelled", "failed"),
            show_default=False,
            help="Only jobs that are submitted, rendering, completed, cancelled or failed.",
        ),
    ] = None,
) -> None:
    """List the org's jobs, newest first.

    \b
    Examples:
      synthesis job list
      synthesis job list --status completed --limit 5
    """
    jobs = list(session.client.jobs.list(limit=limit, status=status))
    rows = [
        (
            job.id,
            job.name,
            job.status,
            f"{job.renders_created:,}/{job.renders_total:,}",
            f"{job.created_at.astimezone():%Y-%m-%d %H:%M}",
        )
        for job in jobs
    ]
    text = table(("ID", "NAME", "STATUS", "RENDERS", "CREATED"), rows, right=(3,)) if rows else "no jobs yet"
    session.out.result(
        {"items": [job.model_dump(mode="json") for job in jobs]},
        text,
        bare="\n".join(job.id for job in jobs) or None,
    )


@command(app, "watch")
def watch(
    session: Session,
    job: JobArgument,
    interval: Annotated[
        float, Option("--interval", metavar="SECONDS", min=0.1, help="How often to ask.")
    ] = 2.0,
) -> None:
    """Wait until a job is finished.

    Leaves with 0 when it was completed, with 1 when it was cancelled or failed.

    \b
    Example:
      synthesis job watch JOB && synthesis job assets download JOB --assets rgb,info -o renders
    """
    found = wait(session, job, interval=interval)
    session.out.summary(found.model_dump(mode="json"), _status_text(found), bare=_word(found))
    if found.status != "completed":
        raise FailedError(
            f"job {job} was {found.status}"
            if found.status == "cancelled"
            else f"job {job} failed: {found.error}",
            hint="what was made before stays: see synthesis job assets view",
            fields={"job": job, "status": found.status},
        )


def wait(session: Session, job: str, *, interval: float) -> Job:
    """Show a job's progress until it is finished, and return it."""
    from synthesis.cli.progress import RenderLine

    line = RenderLine(session.out)
    try:
        return session.client.jobs.watch(
            job,
            interval=interval,
            progress=lambda now: line(now.status, now.renders_created, now.renders_failed, now.renders_total),
        )
    finally:
        line.done()


@command(app, "cancel")
def cancel(session: Session, job: JobArgument) -> None:
    """Stop a job; what was made stays.

    Renders that have completed still count towards your org's usage.

    \b
    Example:
      synthesis job cancel 12ab3c45-678-9d12-34ef-5ghijkl678f8
    """
    found = session.client.jobs.cancel(job)
    made = plural(found.renders_created, "render")
    session.out.result(
        found.model_dump(mode="json"), f"job {job} cancelled, {made} created before", bare=_word(found)
    )


@command(app, "rename")
def rename(
    session: Session,
    job: JobArgument,
    name: Annotated[str, Argument(metavar="NAME", help="Its new name.")],
) -> None:
    """Give a job another name.

    \b
    Example:
      synthesis job rename JOB "glasses, second try"
    """
    found = session.client.jobs.rename(job, name)
    session.out.result(
        found.model_dump(mode="json"), f"job {found.id} is now named {found.name}", bare=found.name
    )


@command(app, "spec")
def spec(
    session: Session,
    job: JobArgument,
    output: Annotated[
        Path | None,
        Option(
            "--output-dir",
            "-o",
            metavar="PATH",
            show_default=False,
            help="Folder or file.  [default: spec.json]",
        ),
    ] = None,
    stdout: Annotated[bool, Option("--stdout", "-s", help="Write the spec to stdout, and only it.")] = False,
    force: Annotated[bool, Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Fetch the input JSON of a job, byte for byte as it was submitted.

    \b
    Examples:
      synthesis job spec JOB
      synthesis job spec JOB -o mydir/filename.json
      synthesis job spec -s JOB | jq .humans
    """
    from synthesis.files import file_exists, write_file

    if stdout and output is not None:
        raise UsageError("-s and -o say different places", hint="use one of them")
    if stdout:
        session.out.data(session.client.jobs.spec(job))
        return
    target = result_path(output, "spec.json")
    if target.exists() and not force:
        raise file_exists(target)
    data = session.client.jobs.spec(job)
    write_file(target, data, overwrite=force)
    session.out.result(
        {"job": job, "path": str(target), "bytes": len(data)}, f"Saved to {target}", bare=str(target)
    )


def _word(job: Job) -> str:
    """The original's word: a job is `submitted` until it is finished."""
    return "submitted" if job.status == "rendering" else job.status


def _status_text(job: Job) -> str:
    lines = [f"status: {_word(job)}", f"{job.renders_created}/{job.renders_total} renders created"]
    if job.renders_failed:
        lines.append(f"{job.renders_failed} renders failed")
    if job.error:
        lines.append(f"reason: {job.error}")
    return "\n".join(lines)
