"""Say what an EXR holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthesis import _core

if TYPE_CHECKING:
    from os import PathLike


@dataclass(frozen=True, slots=True)
class Part:
    """One image of the file.

    Attributes:
        name: the part's name; empty in most files of one part.
        channels: (name, `half` | `float` | `uint`) in file order.
        compression: `none`, `rle`, `zips`, `zip`, `piz`, `pxr24`, `b44`, `b44a`, `dwaa`, `dwab` ...
        data_window: left, top, right, bottom of the stored pixels, corners included.
        display_window: the same of the shown pixels: the size of extracted images.
        tile_size: pixels in x and y, or None for lines.
        unreadable: why its pixels cannot be read here, or None.
        attributes: other attributes; long texts are cut, unknown types are named by their size.
    """

    name: str
    channels: tuple[tuple[str, str], ...]
    compression: str
    data_window: tuple[int, int, int, int]
    display_window: tuple[int, int, int, int]
    tile_size: tuple[int, int] | None
    unreadable: str | None
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cryptomatte:
    """Object ids.

    Attributes:
        name: prefix of the channels.
        layers: how many there are, of two ranks each.
        objects: objects with a number of their own; None without a manifest.
        shadowed: those of them that get no pixel, because an object before them has the same id.
    """

    name: str
    layers: int
    objects: int | None
    shadowed: int | None


@dataclass(frozen=True, slots=True)
class ExrInfo:
    """What a file holds, and the assets that `extract` can make of it."""

    parts: tuple[Part, ...]
    cryptomattes: tuple[Cryptomatte, ...]
    assets: tuple[str, ...]


def exr_info(path: str | PathLike[str]) -> ExrInfo:
    """Read the header of an EXR.

    Raises:
        FailedError: kind `invalid-exr` or `unsupported-exr`.
        NotFoundError: no such file.
    """
    found = _core.exr_info(path)
    return ExrInfo(
        parts=tuple(
            Part(
                name=part["name"],
                channels=tuple((name, kind) for name, kind in part["channels"]),
                compression=part["compression"],
                data_window=tuple(part["data_window"]),
                display_window=tuple(part["display_window"]),
                tile_size=tuple(part["tile_size"]) if part["tile_size"] else None,
                unreadable=part["unreadable"],
                attributes=part["attributes"],
            )
            for part in found["parts"]
        ),
        cryptomattes=tuple(Cryptomatte(**item) for item in found["cryptomattes"]),
        assets=tuple(found["assets"]),
    )
