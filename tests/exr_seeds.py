"""Small EXRs without a fault, of every compression and form, and how their headers are changed.

Packed by `tests/exr_files.py`; what that cannot pack lies in `tests/data/exr`.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exr_files import NONE, RLE, ZIP, ZIPS, Part, build, cryptomatte

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DATA = Path(__file__).resolve().parent / "data"
IDS = {"hair": 0x3F000000, "nose": 0x3E123456, "vrayLightDome": 0x3D000000}
ATTRIBUTES = cryptomatte("segmentation", "b818ccc", IDS)
Header = list[tuple[bytes, bytes, bytes]]


def picture(width: int, height: int) -> dict[str, NDArray[Any]]:
    """Channels of five assets, smooth, so that they pack well."""
    y, x = np.mgrid[:height, :width].astype("<f4")
    made: dict[str, NDArray[Any]] = {
        name: ((x + step * y) / (width + step * height)).astype("<f2")
        for step, name in enumerate(["A", "B", "G", "R", "normals.X", "normals.Y", "normals.Z"])
    }
    ids = np.where(x < width / 2, IDS["hair"], IDS["nose"]).astype("<u4")
    made["segmentation00.R"] = ids.view("<f4")
    made["segmentation00.G"] = np.full(ids.shape, 0.75, "<f4")
    made["segmentation00.B"] = ids[:, ::-1].copy().view("<f4")
    made["segmentation00.A"] = np.full(ids.shape, 0.25, "<f4")
    return made | {"Z": 1 + y / height}


def right() -> dict[str, bytes]:
    """Files without a fault, of every compression and form."""
    channels = picture(16, 34)
    made = {
        name: build(Part(channels, number, attributes=ATTRIBUTES))
        for name, number in {"none": NONE, "rle": RLE, "zips": ZIPS, "zip": ZIP}.items()
    }
    made["tiles"] = build(Part(channels, ZIP, tile=(7, 9), attributes=ATTRIBUTES))
    made["mipmap"] = build(Part(channels, ZIPS, tile=(8, 8), mipmap=True, attributes=ATTRIBUTES))
    made["cropped"] = build(Part(channels, ZIP, corner=(-3, 5), shown=(0, 0, 11, 60), attributes=ATTRIBUTES))
    made["parts"] = build(
        Part({name: channels[name] for name in "ABGR"}, ZIPS, name="rgba", attributes=ATTRIBUTES),
        Part({"Z": channels["Z"]}, RLE, name="depth", tile=(8, 8)),
        Part({name: plane for name, plane in channels.items() if "." in name}, ZIP, name="rest"),
    )
    return made | {path.stem: path.read_bytes() for path in sorted((DATA / "exr").glob("*.exr"))}


def header(data: bytes) -> tuple[Header, int]:
    """Attributes of the first part, and where the byte behind them is."""
    found, place = [], 8
    while data[place]:
        name, kind, rest = data[place:].split(b"\0", 2)
        (size,) = struct.unpack_from("<i", rest)
        found.append((name, kind, rest[4 : 4 + size]))
        place += len(name) + len(kind) + 6 + size
    return found, place


def blocks(data: bytes) -> int:
    """Where the first block is: behind all headers and offset tables."""
    (flags,) = struct.unpack_from("<I", data, 4)
    end = header(data)[1] + 1
    if flags & 0x1000:
        while data[end]:
            end += header(data[end - 8 :])[1] - 8 + 1
        end += 1
    (first,) = struct.unpack_from("<Q", data, end)
    return min(offset for (offset,) in struct.iter_unpack("<Q", data[end:first]) if offset)


def changed(data: bytes, change: Callable[[Header], Header], blocks: int | None = None) -> bytes:
    """A single-part file with other attributes; offsets lead to the same blocks."""
    attributes, end = header(data)
    made = b"".join(
        name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in change(attributes)
    )
    start = end + 1
    if blocks is None:
        (first,) = struct.unpack_from("<Q", data, start)
        blocks = (first - start) // 8
    moved = 8 + len(made) - end
    table = struct.unpack_from(f"<{blocks}Q", data, start)
    offsets = b"".join(struct.pack("<Q", offset + moved) for offset in table)
    return data[:8] + made + b"\0" + offsets + data[start + 8 * blocks :]


def replaced(data: bytes, name: str, value: bytes) -> bytes:
    """The same with another value of one attribute."""
    return changed(
        data,
        lambda found: [(n, kind, value if n == name.encode() else old) for n, kind, old in found],
    )
