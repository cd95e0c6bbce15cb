"""Bring a job's files to a folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from synthesis import _core
from synthesis.errors import SynthesisError, UnavailableError, UsageError
from synthesis.ops import render_ids as ids
from synthesis.ops.download_exrs import Exrs

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from synthesis.transport import Transport

MOST_RANGES = 400
"""Ranges sent to the server: more would not fit in a URL, so they are joined and sorted out here."""

AT_ONCE = 16
"""EXRs made into images between two looks at the download: about a second's work."""

JOB_WIDE = frozenset({"metadata"})
"""Assets that belong to no render."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download is; passed to the callback.

    Attributes:
        files_done: files under their final names, old and new.
        files_total: files asked for, as far as known.
        bytes_done: bytes on disk, those of unfinished files included.
        bytes_total: bytes asked for, as far as known.
        files_present: files that were there before.
        retries: tries beyond the first.
        failed: files that failed.
        in_flight: requests under way.
        seconds: time since the start.
        concurrency: the most requests at one time.
        bytes_received: bytes that came over the network, wasted ones included.
    """

    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    files_present: int
    retries: int
    failed: int
    in_flight: int
    seconds: float
    concurrency: int
    bytes_received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that is not as it should be; `status` is the HTTP status that led there, if one did."""

    name: str
    kind: str
    message: str
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Progress):
    """What came of a download.

    Attributes:
        files_new: files that this run fetched.
        bytes_new: their bytes.
        files_made: images that this run made from EXRs.
        failures: the first 1,000 failures, by name; `failed` counts all.
        failed_by_kind: how many files failed for each kind of reason.
        missing_render_ids: ids asked for that have no file: the first 1,000.
        missing: how many there are.
        complete: False if the job still makes files.
    """

    files_new: int
    bytes_new: int
    files_made: int
    failures: tuple[Failure, ...]
    failed_by_kind: dict[str, int]
    missing_render_ids: tuple[int, ...]
    missing: int
    complete: bool


def download(
    transport: Transport,
    job: str,
    *,
    assets: Sequence[str],
    directory: str | os.PathLike[str],
    render_ids: Sequence[tuple[int, int]] | None = None,
    concurrency: int = 35,
    update: bool = False,
    verify: bool = False,
    extract: bool = False,
    progress: Callable[[Progress], object] | None = None,
    interval: float = 0.2,
    cancel: _core.CancelToken | None = None,
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
        concurrency: the most requests at one time, 1 to 4096.
        update: look at the sha256 of files that are there, and fetch those that differ again.
        verify: look at the sha256 of files that are there, and report those that differ.
        extract: fetch EXRs instead of the images that can be made from them, and make those here,
            byte for byte as the server does; an EXR that was not asked for is removed afterwards.
        progress: called every `interval` seconds and at the end, on this thread.
        interval: seconds.
        cancel: stops the work from another thread; what is done is kept.

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
    if not 1 <= concurrency <= 4096:
        raise UsageError(f"concurrency must be from 1 to 4096, not {concurrency}")
    if isinstance(assets, str) or not assets:
        raise UsageError(f"assets must be a list of one or more flags, not {assets!r}")
    wanted = ids.merge(ids.checked(render_ids)) if render_ids is not None else None
    flags = _all_flags(transport, job) if extract and "all" in assets else tuple(assets)
    exrs = Exrs(Path(directory), flags if extract else (), wanted, update, cancel)
    fetched = exrs.fetched if extract else flags
    query = {"assets": ",".join(fetched)}
    if wanted is not None:
        query["render_ids"] = ids.text(ids.coarsen(wanted, MOST_RANGES))

    def step(now: dict[str, Any]) -> None:
        tell(now)
        exrs.make(most=AT_ONCE)

    def tell(now: dict[str, Any]) -> None:
        if progress is not None:
            progress(Progress(concurrency=concurrency, **{name: now[name] for name in _COUNTERS}))

    try:
        found = _core.download(
            transport.http,
            manifest_url=transport.url(f"/api/v1/jobs/{quote(job, safe='')}/manifest", query),
            headers=list(transport.key_headers().items()),
            directory=Path(directory),
            concurrency=concurrency,
            limit_rate=None,
            max_rps=None,
            memory=None,
            update=update,
            verify=verify,
            render_ids=list(wanted) if wanted is not None else None,
            aside=exrs.aside,
            progress=step if progress is not None or exrs.made else None,
            interval=interval,
            cancel=cancel,
        )
    except SynthesisError as error:
        raise transport.explained(error) from None
    exrs.finish(lambda: tell(found))
    return _summary(found, exrs, concurrency, counts_ids=not JOB_WIDE.issuperset(fetched))


def _all_flags(transport: Transport, job: str) -> tuple[str, ...]:
    answer = transport.request("GET", f"/api/v1/jobs/{quote(job, safe='')}/assets")
    try:
        return tuple(str(item["flag"]) for item in answer.json()["items"])
    except (KeyError, TypeError):
        raise UnavailableError(
            f"{transport.server} did not answer with a list of assets", kind="bad-answer"
        ) from None


_COUNTERS = tuple(name for name in Progress.__dataclass_fields__ if name != "concurrency")


def _summary(found: dict[str, Any], exrs: Exrs, concurrency: int, *, counts_ids: bool) -> Summary:
    failures = [
        Failure(name=name, kind=kind, message=message, status=status)
        for name, kind, message, status in found["failures"]
    ]
    failures += [
        Failure(name=failure.name, kind=failure.kind, message=failure.message) for failure in exrs.failures
    ]
    by_kind = Counter(found["failed_by_kind"])
    by_kind.update(failure.kind for failure in exrs.failures)
    counters = {name: found[name] for name in _COUNTERS}
    counters["failed"] += len(exrs.failures)
    return Summary(
        **counters,
        concurrency=concurrency,
        files_new=found["files_new"],
        bytes_new=found["bytes_new"],
        files_made=exrs.files_made,
        failures=tuple(failures),
        failed_by_kind=dict(by_kind),
        missing_render_ids=tuple(found["missing_render_ids"]) if counts_ids else (),
        missing=found["missing"] if counts_ids else 0,
        complete=found["complete"],
    )
