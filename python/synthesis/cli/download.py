"""`synthesis job assets download`: flags to assets, progress, and what the summary says."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from synthesis.cli.flags import parse_flags
from synthesis.cli.output import duration, plural, size
from synthesis.errors import (
    KINDS,
    CancelledError,
    FailedError,
    SynthesisError,
    UnavailableError,
    VerifyError,
    from_kind,
)
from synthesis.ops import render_ids

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.cli.session import Session
    from synthesis.ops.download import Summary


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, as it was typed."""

    job: str
    flags: str
    directory: Path
    concurrency: int = 35
    render_ids: str | None = None
    update: bool = False
    verify: bool = False
    extract: bool = False
    allow_missing: bool = False

    def command(self, options: str) -> str:
        """The command line that asks for this again."""
        words = ["synthesis", "job", "assets", "download", self.job, "--assets", self.flags.replace(" ", "")]
        words += ["-o", str(self.directory)]
        if self.concurrency != 35:
            words += ["-c", str(self.concurrency)]
        if self.render_ids is not None:
            words += ["-r", self.render_ids.replace(" ", "")]
        for name in ("update", "verify", "extract", "allow_missing"):
            if getattr(self, name):
                words.append("--" + name.replace("_", "-"))
        return shlex.join(words) + options


def download(session: Session, wanted: Wanted) -> None:
    """Download what is wanted, show how it goes, say what is there now; raise for what is not."""
    ranges = render_ids.parse(wanted.render_ids) if wanted.render_ids is not None else None
    flags = choose_flags(session, wanted)
    resume = wanted.command(session.options)
    session.out.event("start", job=wanted.job, assets=flags, directory=str(wanted.directory), resume=resume)
    summary = transfer(session, wanted, flags, ranges)
    _report(session, wanted, summary)
    if (failure := failed(wanted, summary, resume)) is not None:
        raise failure


def transfer(
    session: Session, wanted: Wanted, flags: list[str], ranges: tuple[tuple[int, int], ...] | None = None
) -> Summary:
    """Run the download with its progress line; what stops it early says how to go on."""
    from synthesis.cli.progress import TransferLine

    resume = wanted.command(session.options)
    line = TransferLine(session.out)
    try:
        return session.client.jobs.download(
            wanted.job,
            assets=flags,
            directory=wanted.directory,
            render_ids=ranges,
            concurrency=wanted.concurrency,
            update=wanted.update,
            verify=wanted.verify,
            extract=wanted.extract,
            progress=line,
        )
    except (KeyboardInterrupt, CancelledError) as error:
        raise CancelledError("interrupted; what is complete stays", hint=f"resume with: {resume}") from error
    except SynthesisError as error:
        if isinstance(error, UnavailableError) and wanted.directory.exists():
            error.hint = f"resume with: {resume}"
        raise
    finally:
        line.done()


def choose_flags(session: Session, wanted: Wanted) -> list[str]:
    """Return the asset flags to ask for; an unknown one is an error that lists the job's."""
    from synthesis.ops.extract import ASSETS
    from synthesis.schema.asset import BY_FLAG
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


def _report(session: Session, wanted: Wanted, summary: Summary) -> None:
    """Print the summary: what came, what was there, how fast."""
    for failure in summary.failures:
        session.out.event("file_failed", **asdict(failure))
    # What an earlier run had of large files is in bytes_new, but came at no speed.
    rate = f" at {size(summary.bytes_received / summary.seconds)}/s" if summary.seconds > 0.5 else ""
    new = (
        f"{plural(summary.files_new, 'file')}, {size(summary.bytes_new)}"
        if summary.files_new
        else "nothing new"
    )
    text = f"{new} in {duration(summary.seconds)}{rate}"
    if summary.files_made:
        text += f"; {plural(summary.files_made, 'image')} made here"
    if summary.files_present:
        text += f"; {plural(summary.files_present, 'file')} there before"
    if summary.retries:
        text += f"; {summary.retries:,} tried again"
    document = {"job": wanted.job, "directory": str(wanted.directory), **asdict(summary)}
    del document["failures"]  # each was an event of its own
    session.out.summary(document, f"{text}\nSaved to {wanted.directory}", bare=str(wanted.directory))
    if not summary.complete:
        session.out.warn("the job is not finished: run the same command again later for the rest")


def failed(wanted: Wanted, summary: Summary, resume: str) -> SynthesisError | None:
    """Return the error that a summary amounts to, None when all is well."""
    if summary.failed:
        return _failed_files(summary, resume)
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


def _failed_files(summary: Summary, resume: str) -> SynthesisError:
    """Return one error for all files that failed, with its causes as faults."""
    causes = sorted(summary.failed_by_kind.items(), key=lambda item: -item[1])
    faults = []
    for kind, count in causes:
        examples = [failure for failure in summary.failures if failure.kind == kind]
        names = ", ".join(example.name for example in examples[:3]) + (" ..." if count > 3 else "")
        message = f"{examples[0].message} ({names})" if examples else "not listed"
        faults.append({"field": f"{count:,} x {kind}", "message": message})
    total = max(summary.files_total, summary.failed)
    hint = f"resume with: {resume}"
    changed = "differs" in summary.failed_by_kind or (
        "mismatch" in summary.failed_by_kind and "--verify" in resume
    )
    if changed and "--update" not in resume:
        hint = f"fetch what has changed with: {resume} --update"
    return from_kind(
        _worst(summary),
        f"{summary.failed:,} of {plural(total, 'file')} failed",
        hint,
        {"errors": faults, "resume": resume, "failed_by_kind": summary.failed_by_kind},
    )


def _worst(summary: Summary) -> str:
    """The kind, and with it the exit code, that stands for all failures."""
    kinds = summary.failed_by_kind
    wrong = next((kind for kind in kinds if issubclass(KINDS.get(kind, FailedError), VerifyError)), None)
    if wrong is not None:
        return wrong
    nothing_came = summary.files_done == 0
    return next(iter(kinds)) if nothing_came and len(kinds) == 1 else "partial"


def _shorten(ranges: str, most: int = 12) -> str:
    items = ranges.split(",")
    return ", ".join(items[:most]) + (" ..." if len(items) > most else "")
