"""Samples of an EXR as numpy arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from synthesis import _core
from synthesis.errors import UsageError
from synthesis.ops.exr_info import Cryptomatte, Part, exr_info
from synthesis.ops.extract import Extracted, extract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    from numpy.typing import NDArray


class Exr:
    """An EXR whose header was read; its pixels are read when they are asked for.

    Nothing stays open, so that an object may go to other processes, by pickle or by fork.

    Attributes:
        path: the file.
        parts: the images in it.
        cryptomattes: the object ids that its header defines.
        assets: what `extract` can make of it.
    """

    path: Path
    parts: tuple[Part, ...]
    cryptomattes: tuple[Cryptomatte, ...]
    assets: tuple[str, ...]

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        found = exr_info(self.path)
        self.parts, self.cryptomattes, self.assets = found.parts, found.cryptomattes, found.assets

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Exr {self.path} {width} x {height}, {len(self.channels)} channels>"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its arrays: the display window of the first part."""
        left, top, right, bottom = self.parts[0].display_window
        return right - left + 1, bottom - top + 1

    @property
    def channels(self) -> dict[str, str]:
        """Type of every channel, `half`, `float` or `uint`, by name, in the order of the file."""
        found: dict[str, str] = {}
        for part in self.parts:
            for name, kind in part.channels:
                found.setdefault(name, kind)
        return found

    def read(
        self, channels: str | Sequence[str], *, partial: bool = False, verify: bool = False
    ) -> NDArray[Any]:
        """Read one channel as (H, W), or several as (H, W, C) in the order asked for.

        float16 for `half`, float32 for `float`, uint32 for `uint`; halves beside floats become
        float32, and whole numbers stand only beside whole numbers. Row 0 is the top; pixels that the
        file does not store are 0. The array is writable and its memory is filled where it stays. Many
        channels are read faster by `planes`, which need not be put between each other.

        Args:
            channels: full names, as `R` or `normals.X`.
            partial: rows that an interrupted or damaged file lacks are 0 instead of an error.
            verify: compare every checksum, also of what is not asked for.

        Raises:
            FailedError: kind `invalid-exr`, `unsupported-exr` or `missing-channel`.
            UsageError: no channel, or types that fit in no common one.
        """
        names = [channels] if isinstance(channels, str) else list(channels)
        found = _core.exr_channels(self.path, names, partial, verify)
        array = _array(found["arrays"][0])
        return array[:, :, 0] if isinstance(channels, str) else array

    def planes(
        self,
        channels: str | Iterable[str] | None = None,
        *,
        partial: bool = False,
        verify: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Read channels as arrays of their own, (H, W) each, by name and in the order asked for.

        float16 for `half`, float32 for `float`, uint32 for `uint`: the samples as the file has them,
        in one pass over it. Row 0 is the top; pixels that the file does not store are 0. The arrays
        are writable and their memory is filled where it stays.

        Args:
            channels: full names, as `R` or `normals.X`; all of the file when not given.
            partial: rows that an interrupted or damaged file lacks are 0 instead of an error.
            verify: compare every checksum, also of what is not asked for.

        Raises:
            FailedError: kind `invalid-exr`, `unsupported-exr` or `missing-channel`.
            UsageError: no channel.
        """
        if channels is None:
            channels = self.channels
        names = [channels] if isinstance(channels, str) else list(dict.fromkeys(channels))
        found = _core.exr_planes(self.path, names, partial, verify)
        planes = (_array(item)[:, :, 0] for item in found["arrays"])
        return dict(zip(names, planes, strict=True))

    @overload
    def extract(
        self, assets: Iterable[str], *, directory: None = None, **options: Any
    ) -> dict[str, NDArray[Any]]: ...
    @overload
    def extract(
        self, assets: Iterable[str], *, directory: str | PathLike[str], **options: Any
    ) -> Extracted: ...
    def extract(
        self, assets: Iterable[str], *, directory: str | PathLike[str] | None = None, **options: Any
    ) -> dict[str, NDArray[Any]] | Extracted:
        """As `synthesis.exr.extract` of this file."""
        return extract_one(self.path, assets=assets, directory=directory, **options)


def open_exr(path: str | PathLike[str]) -> Exr:
    """Read the header of an EXR.

    Raises:
        FailedError: kind `invalid-exr` or `unsupported-exr`.
        NotFoundError: no such file.
    """
    return Exr(path)


@overload
def extract_one(
    path: str | PathLike[str],
    *,
    assets: Iterable[str],
    directory: None = None,
    mode: Literal["fast", "small", "exact"] = "fast",
    rgb_is_srgb: bool = False,
    background_competes: bool = False,
    partial: bool = False,
    verify: bool = False,
) -> dict[str, NDArray[Any]]: ...
@overload
def extract_one(
    path: str | PathLike[str],
    *,
    assets: Iterable[str],
    directory: str | PathLike[str],
    mode: Literal["fast", "small", "exact"] = "fast",
    rgb_is_srgb: bool = False,
    background_competes: bool = False,
    partial: bool = False,
    verify: bool = False,
) -> Extracted: ...
def extract_one(
    path: str | PathLike[str],
    *,
    assets: Iterable[str],
    directory: str | PathLike[str] | None = None,
    mode: Literal["fast", "small", "exact"] = "fast",
    rgb_is_srgb: bool = False,
    background_competes: bool = False,
    partial: bool = False,
    verify: bool = False,
) -> dict[str, NDArray[Any]] | Extracted:
    """Make assets of one EXR: arrays, or files in `directory`.

    Arrays have the samples of the files: rgb (H, W, 3) uint8, alpha (H, W) uint8, depth (H, W)
    float16, normals (H, W, 3) float16, segments and clothing_segments (H, W) uint16. They are made in
    one pass over the file and are writable. Options are those of `synthesis.ops.extract.extract`.

    Raises:
        FailedError: an array cannot be made: kind `missing-channel`, `lost-ids`, `invalid-exr` ...
            What failed of files is in their result instead.
        UsageError: an unknown asset, or none.
    """
    wanted = list(dict.fromkeys(assets))
    if not wanted:
        raise UsageError("no asset is named", hint="rgb, alpha, depth, normals, segments, clothing_segments")
    if directory is not None:
        return extract(
            [path],
            assets=wanted,
            directory=directory,
            mode=mode,
            workers=1,
            rgb_is_srgb=rgb_is_srgb,
            background_competes=background_competes,
            partial=partial,
            verify=verify,
        )[0]
    found = _core.exr_assets(Path(path), wanted, rgb_is_srgb, background_competes, partial, verify)
    arrays = [_array(item) for item in found["arrays"]]
    return {
        asset: array[:, :, 0] if array.shape[2] == 1 else array
        for asset, array in zip(wanted, arrays, strict=True)
    }


def _array(item: tuple[Any, str, Sequence[int]]) -> NDArray[Any]:
    """View the memory as what it is."""
    import numpy as np

    memory, kind, shape = item
    return np.frombuffer(memory, np.dtype(kind)).reshape(tuple(shape))
