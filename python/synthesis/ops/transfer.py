"""What every transfer has in common: its options, its progress and what comes of it.

`download` (a job's files) and `fetch` (any list's) are both this, with a list of their own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from synthesis.errors import NotFoundError, UsageError
from synthesis.record import Record, names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synthesis import _core

MOST_AT_ONCE = 4096
"""Requests at one time that anyone may ask for."""


class Options(TypedDict, total=False):
    """How a transfer is done; what is left out has its default.

    Attributes:
        concurrency: requests at one time, 1 to 4096; `"auto"` (the default) begins with 35 and finds
            what the network and the server bear.
        update: look at the sha256 of files that are there, and fetch those that differ again.
        verify: fetch nothing: read what is there on all cores and report what is missing (kind
            `missing`) or differs (kind `mismatch`).
        dry_run: fetch and write nothing: count files and bytes.
        order: `"manifest"` (default) is the quickest; `"renders"` completes one render after the other.
        shard: `(i, n)`: only part i of n, from 1; the n parts are disjoint and the whole together.
        limit_rate: bytes a second at most.
        max_rps: requests a second at most.
        tar: fill the folder with shards as WebDataset reads them, in place of single files.
        tar_renders: renders in a shard.
        report: a file that gets a line of JSON for each file.
        force: begin although the disk seems too small.
        progress: called every `interval` seconds and at the end, on the calling thread.
        interval: seconds, 0.2 by default.
        cancel: ends the transfer from another thread; what is done is kept.
    """

    concurrency: int | Literal["auto"]
    update: bool
    verify: bool
    dry_run: bool
    order: Literal["manifest", "renders"]
    shard: tuple[int, int] | None
    limit_rate: float | None
    max_rps: float | None
    tar: bool
    tar_renders: int
    report: str | os.PathLike[str] | None
    force: bool
    progress: Callable[[Progress], object] | None
    interval: float
    cancel: _core.CancelToken | None


DEFAULTS = Options(
    concurrency="auto",
    update=False,
    verify=False,
    dry_run=False,
    order="manifest",
    shard=None,
    limit_rate=None,
    max_rps=None,
    tar=False,
    tar_renders=1000,
    report=None,
    force=False,
    progress=None,
    interval=0.2,
    cancel=None,
)


class Progress(Record):
    """How far a transfer is; passed to the callback.

    Attributes:
        files_done: files under their final names, old and new.
        files_total: files asked for, as far as the list was read.
        is_whole: True if those are all: the list was read to its end, or it told their number.
        sizes_known: True if each of them has a size, so that `bytes_total` counts them all.
        list_share: the part of the list that was read, 0 to 1; None if its length is not known.
        bytes_done: bytes on disk, those of unfinished files included.
        bytes_total: bytes asked for, as far as known.
        files_present: files that were there before.
        retries: tries beyond the first.
        failed: files that failed.
        failed_by_kind: how many for each kind of reason.
        in_flight: requests under way.
        seconds: time since the start.
        permits: requests that may be under way now.
        most_permits: the most that there were.
        connections: open connections.
        throttled_seconds: for how long the server wanted a pause.
        bytes_received: bytes that came over the network, wasted ones included.
    """

    files_done: int
    files_total: int
    is_whole: bool
    sizes_known: bool
    list_share: float | None
    bytes_done: int
    bytes_total: int
    files_present: int
    retries: int
    failed: int
    failed_by_kind: dict[str, int]
    in_flight: int
    seconds: float
    permits: int
    most_permits: int
    connections: int
    throttled_seconds: float
    bytes_received: int


class Failure(Record):
    """A file that is not as it should be; `status` is the HTTP status that led there, if one did."""

    name: str
    kind: str
    message: str
    status: int | None = None


class Bound(Record):
    """What kept a transfer from being faster.

    Attributes:
        what: `nothing`, `latency`, `throttling`, `limit`, `disk`, `cpu`, `network` or `manifest`.
        share: its part of the time, 0 to 1.
        permits: requests at one time, at the end.
        latency: seconds from a request to the head of its answer, the median.
        try_permits: a concurrency worth trying; 0 if none is better.
    """

    what: str
    share: float
    permits: int
    latency: float
    try_permits: int


class Planned(Record):
    """The files of one asset: how many, their bytes, how many are there, how many have no known size."""

    files: int
    bytes: int
    present: int
    unsized: int


class Summary(Progress):
    """What came of a transfer.

    Attributes:
        files_new: files that this run fetched.
        bytes_new: their bytes.
        files_made: images that this run made from EXRs.
        failures: the first 1,000 failures, by name; `failed` counts all.
        missing_render_ids: ids asked for that have no file: the first 1,000.
        missing: how many there are.
        complete: False if the job still makes files.
        files_unread: files that a check found there and did not read, for the list has no SHA-256 of
            them; it compared their sizes if the list has those.
        bound: what kept it from being faster.
        warnings: what may surprise: little room, lines that repeat others.
        listed: flags of the files that the list has of what was asked for, sorted.
        assets: what there is of each asset, by flag; of a dry run only.
        free_bytes: room on the disk, if the system tells; of a dry run only.
        needed_bytes: bytes still to fetch, as far as sizes are known; of a dry run only.
    """

    files_new: int
    bytes_new: int
    files_made: int
    failures: tuple[Failure, ...]
    missing_render_ids: tuple[int, ...]
    missing: int
    complete: bool
    files_unread: int
    bound: Bound
    warnings: tuple[str, ...]
    listed: tuple[str, ...]
    assets: dict[str, Planned]
    free_bytes: int | None
    needed_bytes: int


def settled(given: Options) -> Options:
    """Return the options with their defaults; `UsageError` for what makes no sense.

    Raises:
        TypeError: there is no such option.
        UsageError: a value out of its range, or two options that exclude each other.
    """
    if unknown := set(given) - set(DEFAULTS):
        raise TypeError(f"there is no option {min(unknown)!r}")
    options: Options = {**DEFAULTS, **given}
    check_options(options)
    return options


def check_options(options: Options) -> None:
    """Raise `UsageError` for a value out of its range, or for options that exclude each other."""
    concurrency = options["concurrency"]
    if concurrency != "auto" and not (isinstance(concurrency, int) and 1 <= concurrency <= MOST_AT_ONCE):
        raise UsageError(f"concurrency must be from 1 to {MOST_AT_ONCE}, or auto, not {concurrency}")
    if options["order"] not in {"manifest", "renders"}:
        raise UsageError(f"order must be manifest or renders, not {options['order']!r}")
    _check_shard(options["shard"])
    for name, least in (("limit_rate", 1), ("max_rps", 0.001), ("tar_renders", 1)):
        value = options[name]  # type: ignore[literal-required]
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise UsageError(f"{name} must be a number, not {value!r}")
        if value is not None and not value >= least:
            raise UsageError(f"{name} must be {least} or more, not {value}")
    for one, other in EXCLUSIVE:
        if all(options[name] not in {None, False} for name in (one, other)):  # type: ignore[literal-required]
            raise UsageError(f"{one} and {other} exclude each other", hint="leave one of them out")


def _check_shard(shard: object) -> None:
    """Raise `UsageError` unless it is None, or a part and the number of parts."""
    if shard is None:
        return
    if not (
        isinstance(shard, (tuple, list)) and len(shard) == 2 and all(isinstance(part, int) for part in shard)
    ):
        raise UsageError(f"shard must be a part and the number of parts, such as (1, 4), not {shard!r}")
    part, parts = shard
    if not 1 <= part <= parts:
        hint = f"they count from 1: 1/{parts} to {parts}/{parts}" if parts > 0 else "write it like 1/4"
        raise UsageError(f"there is no shard {part} of {parts}", hint=hint)


EXCLUSIVE = (("verify", "update"), ("verify", "dry_run"), ("verify", "tar"), ("update", "tar"))
"""Options of which one at a time makes sense."""


def check_there(options: Options, directory: str | os.PathLike[str]) -> None:
    """Raise `NotFoundError` if files are to be checked in a folder that is not there."""
    if options["verify"] and not Path(directory).is_dir():
        raise NotFoundError(f"there is no folder {directory}", hint="download it first: leave out --verify")


def core_transfer(
    options: Options,
    *,
    kind: Literal["manifest", "url", "file", "stdin"],
    place: str | os.PathLike[str],
    base: str | None = None,
    headers: Mapping[str, str] | list[tuple[str, str]],
    directory: str | os.PathLike[str],
    render_ids: tuple[tuple[int, int], ...] | None = None,
    aside: tuple[str, list[str]] | None = None,
) -> _core.Transfer:
    """Return the settled options and the list as the core takes them."""
    check_there(options, directory)
    concurrency, shard = options["concurrency"], options["shard"]
    return {
        "list": (kind, os.fspath(place)),
        "base": base,
        "headers": list(headers.items()) if not isinstance(headers, list) else headers,
        "directory": Path(directory),
        "concurrency": None if concurrency == "auto" else concurrency,
        "limit_rate": int(options["limit_rate"]) if options["limit_rate"] is not None else None,
        "max_rps": options["max_rps"],
        "memory": memory_path(),
        "update": options["update"],
        "verify": options["verify"],
        "render_ids": list(render_ids) if render_ids is not None else None,
        "aside": aside,
        "by_render": options["order"] == "renders",
        "shard": (shard[0] - 1, shard[1]) if shard is not None else None,
        "dry_run": options["dry_run"],
        "force": options["force"],
        "report": Path(options["report"]) if options["report"] is not None else None,
        "tar": (Path(directory), options["tar_renders"]) if options["tar"] else None,
    }


def memory_path() -> Path:
    """Return the file with what auto concurrency has learnt of each host, in the user's cache folder."""
    if sys.platform == "linux":  # what platformdirs says too, but it takes 5 ms to load
        given = os.environ.get("XDG_CACHE_HOME", "").strip()
        cache = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
        return cache / "synthesis" / "hosts.json"
    import platformdirs

    return platformdirs.user_cache_path("synthesis", appauthor=False) / "hosts.json"


def progress_of(now: dict[str, Any]) -> Progress:
    """Return the core's counters as `Progress`."""
    return Progress(**{name: now[name] for name in names(Progress)})


def summary_of(found: dict[str, Any]) -> Summary:
    """Return what the core says of the end as `Summary`."""
    counters = {name: found[name] for name in names(Summary) if name in found}
    counters["failures"] = tuple(
        Failure(name=name, kind=kind, message=message, status=status)
        for name, kind, message, status in found["failures"]
    )
    counters["missing_render_ids"] = tuple(found["missing_render_ids"])
    counters["warnings"] = tuple(found["warnings"])
    counters["listed"] = tuple(found["listed"])
    counters["assets"] = {
        flag: Planned(**dict(zip(names(Planned), counts, strict=True)))
        for flag, counts in found["assets"].items()
    }
    counters["bound"] = Bound(**found["bound"])
    return Summary(files_made=0, **counters)
