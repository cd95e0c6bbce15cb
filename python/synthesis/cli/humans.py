"""`synthesis humans`: ask for identities, check specs, create jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.files import check_json, read_input, result_path
from synthesis.cli.output import plural
from synthesis.cli.session import Session
from synthesis.errors import UnavailableError, UsageError

app = group("Choose identities and create jobs of humans.")

SpecArgument = Annotated[Path, Argument(metavar="SPEC", help="The job's input JSON; - is stdin.")]


@command(app, "ids")
def ids(
    session: Session,
    request: Annotated[Path, Argument(metavar="REQUEST", help="The ID request, JSON; - is stdin.")],
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            metavar="PATH",
            show_default=False,
            help="Folder or file.  [default: results.json]",
        ),
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Get identity ids for a distribution of sex, ethnicity and age.

    REQUEST is a file like {"count": 100} or, with groups that add up to 100 percent,
    {"count": 100, "criteria": [{"sex": ["female"], "age": ["25-34"], "percent": 100}]}.
    The answer is written to results.json; copy its ids into a spec.

    \b
    Examples:
      synthesis humans ids request.json
      synthesis humans ids request.json -o people/women.json
    """
    from synthesis.files import file_exists, write_file

    data = read_input(request)
    check_json(data, request)
    target = result_path(output, "results.json")
    if target.exists() and not force:
        raise file_exists(target)
    results = session.client.identities.request(data)
    write_file(target, results.model_dump_json(indent=2).encode() + b"\n", overwrite=force)
    for warning in results.data.warnings:
        session.out.warn(warning)
    session.out.result(
        {**results.model_dump(mode="json"), "path": str(target)},
        f"{results.message}\nSaved to {target}",
        bare=str(target),
    )


@command(app, "create")
def create(
    session: Session,
    spec: SpecArgument,
    name: Annotated[
        str | None,
        Option("--name", metavar="NAME", show_default=False, help="Name of the job; need not be unique."),
    ] = None,
    notify_emails: Annotated[
        str | None,
        Option(
            "--notify-emails",
            metavar="A,B",
            show_default=False,
            help="Addresses to write to on completion, comma separated.",
        ),
    ] = None,
) -> None:
    """Create a job from an input JSON.

    Prints the job's ID, which the other commands take; --quiet prints the ID alone.

    \b
    Examples:
      synthesis humans create spec.json
      synthesis humans create spec.json --name my_job_name
      synthesis humans create spec.json --notify-emails user1@example.com,user2@example.com
    """
    data = read_input(spec)
    check_json(data, spec)
    addresses = _addresses(notify_emails)
    try:
        job = session.client.jobs.create(data, name=name, notify_emails=addresses)
    except UnavailableError as error:
        if error.kind in ("network", "timeout") and "cannot connect" not in error.message:
            error.hint = "the job may have been made: look for it with synthesis job list before another try"
        raise
    for warning in job.warnings:
        session.out.warn(warning)
    session.out.result(
        job.model_dump(mode="json"), f"Successfully created\nAPI job with ID {job.id}", bare=job.id
    )


@command(app, "validate")
def validate(session: Session, spec: SpecArgument) -> None:
    """Check an input JSON without creating a job; needs no server.

    \b
    Example:
      synthesis humans validate spec.json
    """
    from synthesis.humans import spec as specs

    data = read_input(spec)
    check_json(data, spec)
    checked = specs.load(data)
    renders, images = plural(checked.renders_total, "render"), plural(checked.images_total, "image")
    for warning in checked.warnings:
        session.out.warn(warning)
    session.out.result(
        {
            "valid": True,
            "renders_total": checked.renders_total,
            "images_total": checked.images_total,
            "warnings": list(checked.warnings),
        },
        f"{spec} is valid: {renders}, {images}",
        bare="valid",
    )


def _addresses(given: str | None) -> list[str]:
    addresses = [part.strip() for part in (given or "").split(",") if part.strip()]
    for address in addresses:
        name, at, host = address.partition("@")
        if not (name and at and host) or " " in address:
            raise UsageError(
                f"--notify-emails: {address!r} is no e-mail address",
                hint="write them like: --notify-emails a@example.com,b@example.com",
            )
    if given is not None and not addresses:
        raise UsageError(
            "--notify-emails is empty", hint="name at least one address, or leave the option out"
        )
    return addresses
