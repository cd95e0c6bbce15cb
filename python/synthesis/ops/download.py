"""Bring a job's files to a folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from synthesis import _core
from synthesis.errors import SynthesisError, UnavailableError, UsageError
from synthesis.ops import render_ids as ids
from synthesis.ops.download_exrs import Exrs
from synthesis.ops.transfer import Failure, core_transfer, progress_of, settled, summary_of
from synthesis.ops.watch import Passes
from synthesis.record import replace

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from synthesis.ops.transfer import Options, Summary
    from synthesis.transport import Transport

MOST_RANGES = 400
"""Ranges sent to the server: more would not fit in a URL, so they are joined and sorted out here."""

AT_ONCE = 16
"""EXRs made into images between two looks at the download: about a second's work."""

JOB_WIDE = frozenset({"metadata"})
"""Assets that belong to no render."""


def download(
    transport: Transport,
    job: str,
    *,
    assets: Sequence[str],
    directory: str | os.PathLike[str],
    render_ids: Sequence[tuple[int, int]] | None = None,
    extract: bool = False,
    watch: bool = False,
    **options: Unpack[Options],
) -> Summary:
    """Bring a job's files to a folder; what is there already is kept.

    A file has its final name only when its size and sha256 are those of the manifest. Unfinished
    work lies in `.synthesis/` inside the folder until it is done; run the same call again after any
    interruption and it goes on from there.

    Args:
        transport: the server, key and org.
        job: its id.
        assets: flags such as `rgb` or `info`; `all` for every one.
        directory: made if it is not there.
        render_ids: inclusive ranges, as `render_ids.parse` gives them; None for all.
        extract: fetch EXRs instead of the images that can be made from them, and make those here,
            byte for byte as the server does; an EXR that was not asked for is removed afterwards.
        watch: go on until the job is finished, fetching files as they are made; `progress` is
            called while it waits, too, with nothing in flight.
        **options: how it is done; see `ops.transfer.Options`.

    Returns:
        What was done. Files that failed are in it and raise nothing; a file whose size differs from
        the manifest's is such a failure (kind `differs`) unless `update` is given.

    Raises:
        AccessError, NotFoundError: what the server says of key, org or job.
        UnavailableError: nobody answers, or not with a manifest.
        DiskError: full (`disk-full`), not writable (`permission`), in use (`locked`).
        CancelledError: `cancel` was used.
        FailedError: kind `forked`, in a forked child of a process that used the core.
    """
    how = settled(options)
    if isinstance(assets, str) or not assets:
        raise UsageError(f"assets must be a list of one or more flags, not {assets!r}")
    if extract and (how["verify"] or how["dry_run"] or how["tar"]):
        raise UsageError("extract makes images of what it fetches: leave out verify, dry_run and tar")
    if watch and (how["verify"] or how["dry_run"]):
        raise UsageError("watch waits for files to fetch: leave out verify and dry_run")
    wanted = ids.merge(ids.checked(render_ids)) if render_ids is not None else None
    flags = _all_flags(transport, job) if extract and "all" in assets else tuple(assets)
    exrs = Exrs(Path(directory), flags if extract else (), wanted, how["update"], how["cancel"])
    fetched = exrs.fetched if extract else flags
    counts_ids = not JOB_WIDE.issuperset(fetched)
    transfer = job_transfer(transport, job, fetched, wanted, how, directory=directory, aside=exrs.aside)
    passes = Passes(transport, job, how) if watch else None
    if passes is not None and how["progress"] is not None:
        how["progress"] = passes.tell
    while True:
        summary = _once(transport, transfer, exrs, how, counts_ids=counts_ids)
        if passes is None:
            return summary
        if passes.is_over(summary):
            return passes.whole(summary)
        passes.wait(summary)


def job_transfer(
    transport: Transport,
    job: str,
    assets: Sequence[str],
    render_ids: tuple[tuple[int, int], ...] | None,
    options: Options,
    *,
    directory: str | os.PathLike[str],
    aside: tuple[str, list[str]] | None = None,
) -> _core.Transfer:
    """Return what the core needs to bring `assets` of a job to a folder."""
    query = {"assets": ",".join(assets)}
    if render_ids is not None:
        query["render_ids"] = ids.text(ids.coarsen(render_ids, MOST_RANGES))
    return core_transfer(
        options,
        kind="manifest",
        place=transport.url(f"/api/v1/jobs/{quote(job, safe='')}/manifest", query),
        headers=transport.key_headers(),
        directory=directory,
        render_ids=render_ids,
        aside=aside,
    )


def _once(
    transport: Transport, transfer: _core.Transfer, exrs: Exrs, how: Options, *, counts_ids: bool
) -> Summary:
    """Fetch what there is now, and make what can be made of it."""
    progress = how["progress"]

    def step(now: dict[str, Any]) -> None:
        tell(now)
        exrs.make(most=AT_ONCE)

    def tell(now: dict[str, Any]) -> None:
        if progress is not None:
            progress(progress_of(now))

    try:
        found = _core.download(
            transport.http,
            transfer,
            progress=step if progress is not None or exrs.made else None,
            interval=how["interval"],
            cancel=how["cancel"],
        )
    except SynthesisError as error:
        raise transport.explained(error) from None
    exrs.finish(lambda: tell(found))
    summary = with_images(summary_of(found), exrs)
    return summary if counts_ids else replace(summary, missing=0, missing_render_ids=())


def with_images(summary: Summary, exrs: Exrs) -> Summary:
    """Add the images that were made here, and those that were not."""
    failures = tuple(Failure(name=one.name, kind=one.kind, message=one.message) for one in exrs.failures)
    by_kind = Counter(summary.failed_by_kind)
    by_kind.update(failure.kind for failure in failures)
    return replace(
        summary,
        files_made=exrs.files_made,
        failed=summary.failed + len(failures),
        failures=summary.failures + failures,
        failed_by_kind=dict(by_kind),
    )


def _all_flags(transport: Transport, job: str) -> tuple[str, ...]:
    answer = transport.request("GET", f"/api/v1/jobs/{quote(job, safe='')}/assets")
    try:
        return tuple(str(item["flag"]) for item in answer.json()["items"])
    except (KeyError, TypeError):
        raise UnavailableError(
            f"{transport.server} did not answer with a list of assets", kind="bad-answer"
        ) from None
