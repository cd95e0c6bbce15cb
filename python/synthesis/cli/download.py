"""`synthesis job assets download`: flags to assets, progress, and what the summary says."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synthesis.cli.flags import parse_flags
from synthesis.cli.summary import failed_files, report
from synthesis.cli.transfer import How, run
from synthesis.errors import FailedError, SynthesisError, UsageError
from synthesis.ops import render_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synthesis.cli.session import Session
    from synthesis.ops.transfer import Progress, Summary

MOST_NAMED = 3
"""Assets that the progress line names; more are counted."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, as it was typed."""

    job: str
    flags: str
    directory: Path
    render_ids: str | None = None
    extract: bool = False
    watch: bool = False
    allow_missing: bool = False
    how: How = field(default_factory=How)

    def label(self, flags: list[str]) -> str:
        """What the progress line calls the assets."""
        if flags == ["all"]:
            return "all assets"
        if len(flags) <= MOST_NAMED:
            return ",".join(flags)
        asked = [flag.strip().lower() for flag in self.flags.split(",")]
        return "all assets" if "all" in asked else f"{len(flags)} assets"

    def command(self, options: str) -> str:
        """The command line that asks for this again."""
        words = ["synthesis", "job", "assets", "download", self.job, "--assets", self.flags.replace(" ", "")]
        words += ["-o", str(self.directory)] if self.how.tar is None else []
        if self.render_ids is not None:
            words += ["-r", self.render_ids.replace(" ", "")]
        for name in ("extract", "watch", "allow_missing"):
            if getattr(self, name):
                words.append("--" + name.replace("_", "-"))
        return shlex.join(words + self.how.words()) + options


def download(session: Session, wanted: Wanted) -> None:
    """Download what is wanted, show how it goes, say what is there now; raise for what is not."""
    check(wanted)
    ranges = render_ids.parse(wanted.render_ids) if wanted.render_ids is not None else None
    wanted.how.use_network()
    flags = plain_flags(wanted) or choose_flags(session, wanted)
    resume = wanted.command(session.options)
    session.out.event("start", job=wanted.job, assets=flags, directory=str(wanted.directory), resume=resume)
    was_there = wanted.directory.exists()
    summary = transfer(session, wanted, flags, ranges)
    lack = lacking(session, wanted, flags, summary)
    if lack is not None and not summary.listed:  # there is nothing to report
        if not was_there:
            with suppress(OSError):
                wanted.directory.rmdir()
        raise lack
    report(session, summary, wanted.how, wanted.directory, job=wanted.job)
    if not summary.complete:
        why = "ended, but not its last files" if wanted.watch else "not finished"
        more = "once more" if wanted.watch else "again later for the rest, or --watch"
        session.out.warn(f"the job is {why}: run the same command {more}")
    if (error := failed(wanted, summary, resume) or lack) is not None:
        raise error


def check(wanted: Wanted) -> None:
    """Raise `UsageError` for options that make no sense together, before anything is asked."""
    how = wanted.how
    how.options()
    for one, others in (("watch", ("verify", "dry_run")), ("extract", ("verify", "dry_run", "tar"))):
        other = next((name for name in others if getattr(how, name)), None)
        if getattr(wanted, one) and other is not None:
            raise UsageError(
                f"--{one} and --{other.replace('_', '-')} exclude each other", hint="leave one of them out"
            )


def transfer(
    session: Session, wanted: Wanted, flags: list[str], ranges: tuple[tuple[int, int], ...] | None = None
) -> Summary:
    """Run the download with its progress line; what stops it early says how to go on."""
    options = wanted.how.options()

    def call(progress: Callable[[Progress], None]) -> Summary:
        options["progress"] = progress
        return session.client.jobs.download(
            wanted.job,
            assets=flags,
            directory=wanted.directory,
            render_ids=ranges,
            extract=wanted.extract,
            watch=wanted.watch,
            **options,
        )

    label = wanted.label(flags)
    resume = wanted.command(session.options)
    return run(session, call, resume=resume, label=label, waits=wanted.watch, directory=wanted.directory)


def plain_flags(wanted: Wanted) -> list[str] | None:
    """Return flags that any job may have; they are asked for at once, without a look at the job.

    So the first file is there a round trip or two earlier, and a second run asks for the manifest only.
    """
    from synthesis.schema.asset_kind import BY_FLAG

    flags = list(dict.fromkeys(part.strip().lower() for part in wanted.flags.split(",")))
    if wanted.extract or wanted.watch or not {"all", *BY_FLAG}.issuperset(flags):
        return None
    return ["all"] if "all" in flags else flags


def lacking(session: Session, wanted: Wanted, flags: list[str], summary: Summary) -> SynthesisError | None:
    """Return what the job has not of what was asked for; it is only looked at if the manifest lacks it."""
    is_listed = bool(summary.listed) if flags == ["all"] else set(flags).issubset(summary.listed)
    if wanted.watch or summary.missing or is_listed:
        return None
    try:
        choose_flags(session, wanted)
    except SynthesisError as error:
        return error
    return None


def choose_flags(session: Session, wanted: Wanted) -> list[str]:
    """Return the asset flags to ask for; an unknown one is an error that lists the job's."""
    from synthesis.ops.extract import ASSETS
    from synthesis.schema.asset_kind import BY_FLAG
    from synthesis.schema.job import FINISHED

    there = [kind.flag for kind in session.client.jobs.assets(wanted.job).items]
    known = list(there)
    if wanted.extract:
        known += [flag for flag in ASSETS if flag not in known]
    status = session.client.jobs.get(wanted.job).status
    if status not in FINISHED:
        known += [flag for flag in BY_FLAG if flag not in known]  # those may be yet to come
    elif not there:
        raise FailedError(
            f"job {wanted.job} is {status} and has no files", hint=f"see: synthesis job status {wanted.job}"
        )
    return parse_flags(wanted.flags, known, owner=f"job {wanted.job}") or known


def failed(wanted: Wanted, summary: Summary, resume: str) -> SynthesisError | None:
    """Return the error that a summary amounts to, None when all is well."""
    if summary.failed:
        return failed_files(summary, wanted.how, resume)
    if not summary.missing:
        return None
    asked = sum(end - start + 1 for start, end in render_ids.parse(wanted.render_ids or ""))
    if wanted.allow_missing and summary.missing < asked:
        return None
    some = summary.missing < asked
    hint = "leave them out, or accept it with --allow-missing" if some else "see: synthesis job status"
    named = summary.missing_render_ids
    missing = _shorten(render_ids.text(render_ids.merge((one, one) for one in named)))
    more = f" and {summary.missing - len(named):,} more" if summary.missing > len(named) else ""
    return FailedError(
        f"job {wanted.job} has no render {missing}{more}"
        + ("" if summary.complete else " yet")
        + ("; the others are there" if some else ""),
        kind="partial",
        hint=hint,
        fields={"missing": summary.missing},  # the ids themselves are in the summary
    )


def _shorten(ranges: str, most: int = 12) -> str:
    items = ranges.split(",")
    return ", ".join(items[:most]) + (" ..." if len(items) > most else "")
