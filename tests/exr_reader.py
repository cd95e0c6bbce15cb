"""Reads scanline EXRs packed line by line, independent of our reader: struct and zlib only."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_exr(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, tuple[str, bytes]]]:
    """Channels in file order, and attributes as (type, bytes)."""
    magic, flags = struct.unpack_from("<II", data)
    assert (magic, flags & ~0x400) == (20000630, 2)
    attributes, place = {}, 8
    while data[place]:
        name, kind, rest = data[place:].split(b"\0", 2)
        (size,) = struct.unpack_from("<i", rest)
        attributes[name.decode()] = (kind.decode(), rest[4 : 4 + size])
        place += len(name) + len(kind) + 6 + size
    place += 1
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"][1])
    width, height = right - left + 1, bottom - top + 1
    forms, rest = {}, attributes["channels"][1]
    while rest[0]:
        name, rest = rest.split(b"\0", 1)
        forms[name.decode()] = {0: "<u4", 1: "<f2", 2: "<f4"}[struct.unpack_from("<i", rest)[0]]
        rest = rest[16:]
    size = width * sum(np.dtype(form).itemsize for form in forms.values())
    lines: dict[str, list[NDArray[Any]]] = {name: [] for name in forms}
    for line, offset in enumerate(struct.unpack_from(f"<{height}Q", data, place)):
        y, packed = struct.unpack_from("<ii", data, offset)
        assert y == top + line
        raw = data[offset + 8 : offset + 8 + packed]
        if packed < size:
            moved = np.frombuffer(zlib.decompress(raw), np.uint8)
            split = (np.cumsum(moved, dtype=np.int64) - 128 * np.arange(size)).astype(np.uint8)
            raw = np.stack([split[: size // 2], split[size // 2 :]], 1).tobytes()
        for name, form in forms.items():
            lines[name].append(np.frombuffer(raw[: width * np.dtype(form).itemsize], form))
            raw = raw[width * np.dtype(form).itemsize :]
    return {name: np.stack(rows) for name, rows in lines.items()}, attributes
