"""Make images from multi-channel EXRs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Required, TypedDict

from synthesis import _core
from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

ASSETS = ("rgb", "alpha", "depth", "normals", "segments", "clothing_segments")
"""Every asset that an EXR can give."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an extraction is; passed to the callback."""

    files_done: int
    files_total: int
    files_failed: int
    images_done: int
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not made.

    Attributes:
        name: the image's file name, or the EXR's when none of its images could be made.
        kind: stable kind of `synthesis.errors.KINDS`.
        message: what failed and why, in one line.
        hint: what to do next, or None.
    """

    name: str
    kind: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of one EXR.

    Attributes:
        source: the EXR.
        outputs: the files written.
        failures: what was not written.
        missing: first and last of each range of rows, counted from 0 at the top, that the file lacks
            and that are 0 in its images; only with `partial`.
        unnamed: by name of an image of ids, how many of its covered pixels have an id that the manifest
            lacks, and so are 0 like the background; only where there are some. (Were they more than
            one in a hundred, the image would be a failure of kind `lost-ids`.)
    """

    source: Path
    outputs: tuple[Path, ...]
    failures: tuple[Failure, ...]
    missing: tuple[tuple[int, int], ...] = ()
    unnamed: dict[str, int] = field(default_factory=dict)


class Options(TypedDict, total=False):
    """Options of `extract` that hold for all its files; what they mean is told there."""

    channels: Iterable[str]
    format: Literal["tif", "npy"]
    thumbnail: bool
    directory: Required[str | PathLike[str]]
    mode: Literal["fast", "small", "exact"]
    workers: int | None
    partial: bool
    verify: bool
    rgb_is_srgb: bool
    background_competes: bool


def extract(
    files: Iterable[str | PathLike[str]],
    *,
    assets: Iterable[str] = (),
    channels: Iterable[str] = (),
    format: Literal["tif", "npy"] = "tif",  # noqa: A002 - as the command line calls it
    thumbnail: bool = False,
    directory: str | PathLike[str],
    mode: Literal["fast", "small", "exact"] = "fast",
    workers: int | None = None,
    rgb_is_srgb: bool = False,
    background_competes: bool = False,
    partial: bool = False,
    verify: bool = False,
    progress: Callable[[Progress], object] | None = None,
    interval: float = 0.5,
    cancel: _core.CancelToken | None = None,
) -> tuple[Extracted, ...]:
    """Write the assets of every EXR `X.exr` as `X.rgb.png`, `X.depth.tif` and so on.

    A file appears under its name only when it is whole. A bad EXR, or an asset that it cannot give,
    is reported in that EXR's result and stops nothing else.

    Args:
        files: the EXRs; no two may have the same name.
        assets: any of `ASSETS`.
        channels: full names of channels that are written as they are, `X.NAME.tif` or `X.NAME.npy`
            (float16, float32 or uint32, as stored).
        format: the kind of file of `channels`.
        thumbnail: write `X.thumbnail.jpg` as well, the picture with 256 pixels on its longer side.
        directory: where to; made if need be.
        mode: `exact` gives the original service's bytes; `fast` the same pixels in less time, `small`
            in fewer bytes.
        workers: threads; one per core when None.
        rgb_is_srgb: the colour channels are sRGB already, so the curve is left out.
        background_competes: pixels that are mostly background get no segment, as in files before
            version 1.5.
        partial: make what there is of an interrupted or damaged file; rows that are missing become 0
            and are listed in its result.
        verify: unpack also what nobody needs, so that every checksum of the file is compared.
        progress: called every `interval` seconds and at the end, on this thread.
        interval: seconds.
        cancel: stops the work from another thread; what is done is kept.

    Returns:
        One result per file, in their order.

    Raises:
        UsageError: an unknown asset or mode, nothing to make, two files of one name, no worker.
        DiskError: the folder cannot be made.
        CancelledError: `cancel` was used.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers cannot be {workers}", hint="leave it out for one per core")
    wanted, names = list(dict.fromkeys(assets)), list(dict.fromkeys(channels))
    if not (wanted or names or thumbnail):
        raise UsageError("nothing to make", hint=f"assets: any of {', '.join(ASSETS)}; or channels")
    found = _core.extract(
        [Path(file) for file in files],
        assets=wanted,
        channels=names,
        container=format,
        thumbnail=thumbnail,
        directory=directory,
        mode=mode,
        workers=workers or _cores(),
        rgb_is_srgb=rgb_is_srgb,
        background_competes=background_competes,
        partial=partial,
        verify=verify,
        progress=None if progress is None else lambda now: progress(Progress(**now)),
        interval=interval,
        cancel=cancel,
    )
    return tuple(
        Extracted(
            source=Path(item["source"]),
            outputs=tuple(Path(path) for path in item["outputs"]),
            failures=tuple(Failure(**failure) for failure in item["failures"]),
            missing=tuple(item["missing"]),
            unnamed=item["unnamed"],
        )
        for item in found
    )


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
