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
    NotFoundError,
    SynthesisError,
    UnavailableError,
    VerifyError,
    from_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synthesis.cli.session import Session
    from synthesis.ops.download import Failure, Summary


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
    from synthesis.ops import render_ids

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

    known = [kind.flag for kind in session.client.jobs.assets(wanted.job).items]
    if wanted.extract:
        known += [flag for flag in ASSETS if flag not in known]
    return parse_flags(wanted.flags, known, owner=f"job {wanted.job}") or known


def _report(session: Session, wanted: Wanted, summary: Summary) -> None:
    """Print the summary: one line that says what is there now."""
    for failure in summary.failures:
        session.out.event("file_failed", **asdict(failure))
    rate = f" at {size(summary.bytes_new / summary.seconds)}/s" if summary.seconds > 0.5 else ""
    text = (
        f"{plural(summary.files_new, 'file')}, {size(summary.bytes_new)} in {duration(summary.seconds)}{rate}"
    )
    if summary.files_present:
        text += f"; {plural(summary.files_present, 'file')} there before"
    if summary.retries:
        text += f"; {summary.retries:,} retried"
    document = {"job": wanted.job, "directory": str(wanted.directory), **asdict(summary)}
    session.out.summary(document, f"{text}\nSaved to {wanted.directory}", bare=str(wanted.directory))


def failed(wanted: Wanted, summary: Summary, resume: str) -> SynthesisError | None:
    """Return the error that a summary amounts to, None when all is well."""
    if summary.failures:
        return _failed_files(summary, resume)
    if not summary.missing_render_ids:
        return None
    matched = summary.files_done + summary.files_present > 0
    if matched and wanted.allow_missing:
        return None
    missing = ranges_text(summary.missing_render_ids)
    message = f"job {wanted.job} has no renders {missing}"
    fields = {"missing_render_ids": list(summary.missing_render_ids)}
    if not matched:
        return NotFoundError(message, hint=f"see: synthesis job status {wanted.job}", fields=fields)
    return FailedError(
        f"{message}; the others are there",
        kind="partial",
        hint="leave them out, or accept it with --allow-missing",
        fields=fields,
    )


def _failed_files(summary: Summary, resume: str) -> SynthesisError:
    """Return one error for all files that failed, with its causes as faults."""
    causes: dict[tuple[str, str], list[Failure]] = {}
    for failure in summary.failures:
        causes.setdefault((failure.kind, failure.message), []).append(failure)
    faults = []
    for (kind, message), group in sorted(causes.items(), key=lambda item: -len(item[1])):
        names = ", ".join(failure.name for failure in group[:3]) + (" ..." if len(group) > 3 else "")
        faults.append({"field": f"{len(group):,} x {kind}", "message": f"{message} ({names})"})
    total = max(summary.files_total, len(summary.failures))
    message = f"{len(summary.failures):,} of {plural(total, 'file')} failed"
    classes = {KINDS.get(failure.kind, FailedError) for failure in summary.failures}
    nothing = summary.files_new + summary.files_present == 0
    kind = "partial"
    if VerifyError in classes:
        kind = "mismatch"
    elif nothing and len(classes) == 1:
        kind = summary.failures[0].kind
    return from_kind(kind, message, f"resume with: {resume}", {"errors": faults, "resume": resume})


def ranges_text(ids: Sequence[int]) -> str:
    """Write sorted ids as people do: `7, 9-12`."""
    runs: list[list[int]] = []
    for one in ids:
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:12]]
    return ", ".join(shown) + (" ..." if len(runs) > 12 else "")
