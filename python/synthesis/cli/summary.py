"""The end of a transfer: what came, what was there, what failed, and what kept it from being faster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synthesis.cli.output import duration, plural, size, table
from synthesis.errors import KINDS, FailedError, SynthesisError, VerifyError, from_kind
from synthesis.record import asdict

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.cli.session import Session
    from synthesis.cli.transfer import How
    from synthesis.ops.transfer import Bound, Failure, Summary


def report(session: Session, summary: Summary, how: How, directory: Path, **about: object) -> None:
    """Print the summary: a line for each failed file with --json, then one answer."""
    for failure in summary.failures:
        session.out.event("file-failed", **asdict(failure))
    document = {**about, "directory": str(directory), **asdict(summary)}
    del document["failures"]  # each was an event of its own
    if how.report is not None:
        document["report"] = str(how.report)
    text = _planned(summary) if how.dry_run else _checked(summary) if how.verify else _fetched(summary)
    if not (how.dry_run or how.verify):
        text += f"\nSaved to {directory}"
        if how.report is not None:
            text += f", report in {how.report}"
        if summary.files_new and (advice := advise(summary.bound, how)):
            text += f"\n{advice}"
    if not (summary.files_total or summary.failed):
        session.out.warn("there is no file to fetch" + (" in this shard" if how.shard else ""))
    for warning in summary.warnings:
        session.out.warn(warning)
    session.out.summary(document, text, bare=str(directory))


def _fetched(summary: Summary) -> str:
    """What came, how fast, and what was there."""
    # What an earlier run had of large files is in bytes_new, but came at no speed.
    fast = summary.bytes_received / summary.seconds if summary.seconds > 0.5 else 0
    rate = f" at {size(fast)}/s" if fast else ""
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
    if summary.failed:
        text += f"; {summary.failed:,} failed"
    if summary.retries:
        text += f"; {summary.retries:,} tried again"
    if summary.seconds > 0.5 and summary.files_new:
        text += f"; {summary.most_permits:,} at once"
    if summary.throttled_seconds > 0.05:
        text += f"; slowed by the server for {duration(summary.throttled_seconds)}"
    return text


def _checked(summary: Summary) -> str:
    """What a check found."""
    total = max(summary.files_total, summary.files_done + summary.failed)
    missing = summary.failed_by_kind.get("missing", 0)
    unread = summary.files_unread
    text = f"{summary.files_done - unread:,} of {plural(total, 'file')} right"
    if unread:
        text += f"; {unread:,} there but not read, for the list has no SHA-256 of them"
    if missing:
        text += f"; {missing:,} missing"
    if wrong := summary.failed - missing:
        text += f"; {wrong:,} wrong"
    checked = "" if unread else f"{size(summary.bytes_done)} checked "
    return f"{text}; {checked}in {duration(summary.seconds)}"


def _planned(summary: Summary) -> str:
    """What a run would fetch."""
    rows = [
        (flag or "-", f"{asset.files:,}", f"{asset.present:,}", _at_least(asset.bytes, asset.unsized))
        for flag, asset in summary.assets.items()
    ]
    unsized = sum(asset.unsized for asset in summary.assets.values())
    total = _at_least(summary.bytes_total, unsized)
    rows.append(("all", f"{summary.files_total:,}", f"{summary.files_present:,}", total))
    text = table(("ASSET", "FILES", "THERE", "BYTES"), rows, right=(1, 2, 3))
    needed = _at_least(summary.needed_bytes, unsized)
    if summary.files_present >= summary.files_total:
        needed = size(0)
    text += f"\n{needed if needed != UNKNOWN else 'an unknown number of bytes'} to fetch"
    if summary.free_bytes is not None:
        text += f", {size(summary.free_bytes)} free"
        if summary.free_bytes < summary.needed_bytes:
            text += ": that does not fit"
    return text


def _at_least(count: int, unsized: int) -> str:
    """Bytes of files of which some have no known size."""
    if not unsized:
        return size(count)
    return f"over {size(count)}" if count else UNKNOWN


UNKNOWN = "unknown"


def advise(bound: Bound, how: How) -> str:
    """Say what bound a run and what to change; nothing if it was too short to tell."""
    share = f"{100 * bound.share:.0f} % of the time"
    fixed = how.concurrency != "auto"
    at = f"at -c {how.concurrency}" if fixed else f"with {bound.permits:,} requests at once"
    more = f": try -c {bound.try_permits}" + (", or leave -c out" if fixed else "")
    limits = [f"--{n}" for n, given in (("limit-rate", how.limit_rate), ("max-rps", how.max_rps)) if given]
    texts = {
        "latency": f"latency {at} ({max(1, round(1000 * bound.latency))} ms a request)"
        + (more if bound.try_permits else ""),
        "throttling": f"the server, which asked for pauses ({share}): a lower -c or --max-rps may do better",
        "limit": f"{' and '.join(limits) or 'a limit'} ({share}): raise it to go faster",
        "disk": f"the disk ({share}): a faster disk would help, or --tar for many small files",
        "cpu": f"the processor ({share}): more free cores would help, or --shard on several machines",
        "network": f"the network or the server {at}: "
        + (
            "leave -c out to see whether more at once bring more" if fixed else "more at once brought no more"
        ),
        "manifest": f"the list of files, which came more slowly than the files ({share}): "
        "a list that is nearer would help",
    }
    return f"bound by {texts[bound.what]}" if bound.what in texts else ""


def failed_files(summary: Summary, how: How, resume: str) -> SynthesisError:
    """Return one error for all files that failed, with its causes as faults."""
    causes = sorted(summary.failed_by_kind.items(), key=lambda item: -item[1])
    faults = [fault for kind, count in causes for fault in _faults(summary, kind, count)]
    total = max(summary.files_total, summary.failed)
    hint = f"resume with: {resume}"
    if set(summary.failed_by_kind) == {"invalid-list"}:
        hint = f"correct these lines of the list, then: {resume}"
    changed = "differs" in summary.failed_by_kind or ("mismatch" in summary.failed_by_kind and how.verify)
    if how.verify or (changed and not how.update):
        what, option = ("what differs", " --update") if changed else ("what is missing", "")
        again = f"{resume.replace(' --verify', '')}{option}"
        if not resume.startswith("synthesis "):
            again = f"the same command{' without --verify' * how.verify}{' and with --update' * changed}"
        hint = f"fetch {what} with: {again}"
    return from_kind(
        _worst(summary),
        f"{summary.failed:,} of {plural(total, 'file')} failed",
        hint,
        {"errors": faults, "resume": resume, "failed_by_kind": summary.failed_by_kind},
    )


MOST_CAUSES = 5
"""Causes of one kind that are told apart."""


def _faults(summary: Summary, kind: str, count: int) -> list[dict[str, str]]:
    """The causes of a kind, each with its count and the first files; all in one if they are too many."""
    causes: dict[str, list[Failure]] = {}
    examples = [failure for failure in summary.failures if failure.kind == kind]
    for example in examples:  # numbers do not make a cause
        causes.setdefault(re.sub(r"\d+", "0", example.message), []).append(example)
    groups = list(causes.values())
    if len(examples) < count or len(groups) > MOST_CAUSES:
        groups = [examples]
    faults = []
    for group in groups:
        many = len(group) if len(groups) > 1 else count
        names = ", ".join(example.name for example in group[:3]) + (" ..." if many > 3 else "")
        message = f"{group[0].message} ({names})" if group else "not listed"
        faults.append({"field": f"{many:,} x {kind}", "message": message})
    return faults


def _worst(summary: Summary) -> str:
    """The kind, and with it the exit code, that stands for all failures."""
    kinds = summary.failed_by_kind
    wrong = next((kind for kind in kinds if issubclass(KINDS.get(kind, FailedError), VerifyError)), None)
    if wrong is not None:
        return wrong
    nothing_came = summary.files_done == 0
    return next(iter(kinds)) if nothing_came and len(kinds) == 1 else "partial"
