"""Writes small EXRs of any shape, right or wrong, independent of our writer: struct and zlib only.

Layout: "OpenEXR File Layout" of the OpenEXR project.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

NONE, RLE, ZIPS, ZIP = 0, 1, 2, 3
LINES = {NONE: 1, RLE: 1, ZIPS: 1, ZIP: 16}
TYPES = {np.dtype("<u4"): 0, np.dtype("<f2"): 1, np.dtype("<f4"): 2}


def attribute(name: str, kind: str, value: bytes) -> bytes:
    """One attribute."""
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value


@dataclass
class Part:
    """One image; `window` is where its top left pixel lies, `shown` the display window."""

    channels: Mapping[str, NDArray[Any]]
    compression: int = ZIPS
    name: str = ""
    tile: tuple[int, int] | None = None
    mipmap: bool = False
    corner: tuple[int, int] = (0, 0)
    shown: tuple[int, int, int, int] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = next(iter(self.channels.values())).shape
        return width, height

    def header(self, *, multi_part: bool, chunks: int) -> bytes:
        """Its attributes and the zero byte behind them."""
        width, height = self.size
        left, top = self.corner
        window = (left, top, left + width - 1, top + height - 1)
        names = sorted(self.channels)
        list_ = b"".join(
            name.encode() + b"\0" + struct.pack("<iiii", TYPES[self.channels[name].dtype], 0, 1, 1)
            for name in names
        )
        out = [
            attribute("channels", "chlist", list_ + b"\0"),
            attribute("compression", "compression", bytes([self.compression])),
            attribute("dataWindow", "box2i", struct.pack("<4i", *window)),
            attribute("displayWindow", "box2i", struct.pack("<4i", *(self.shown or window))),
            attribute("lineOrder", "lineOrder", b"\0"),
            attribute("pixelAspectRatio", "float", struct.pack("<f", 1)),
            attribute("screenWindowCenter", "v2f", bytes(8)),
            attribute("screenWindowWidth", "float", struct.pack("<f", 1)),
        ]
        if self.tile:
            out.append(attribute("tiles", "tiledesc", struct.pack("<IIB", *self.tile, int(self.mipmap))))
        if multi_part:
            out.append(attribute("name", "string", self.name.encode()))
            out.append(attribute("type", "string", b"tiledimage" if self.tile else b"scanlineimage"))
            out.append(attribute("chunkCount", "int", struct.pack("<i", chunks)))
        out += [attribute(name, "string", value.encode()) for name, value in self.attributes.items()]
        return b"".join(out) + b"\0"

    def chunks(self) -> list[bytes]:
        """Position and packed pixels of every chunk, without the part number."""
        return list(self._tiles() if self.tile else self._lines())

    def _lines(self) -> Iterator[bytes]:
        width, height = self.size
        step = LINES[self.compression]
        for y in range(0, height, step):
            packed = self._pack(self.channels, 0, y, width, min(step, height - y))
            yield struct.pack("<ii", self.corner[1] + y, len(packed)) + packed

    def _tiles(self) -> Iterator[bytes]:
        assert self.tile
        wide, high = self.tile
        level, channels = 0, dict(self.channels)
        while True:
            height, width = next(iter(channels.values())).shape
            for y in range(0, height, high):
                for x in range(0, width, wide):
                    packed = self._pack(channels, x, y, min(wide, width - x), min(high, height - y))
                    yield struct.pack("<5i", x // wide, y // high, level, level, len(packed)) + packed
            if not self.mipmap or width == height == 1:
                return
            size = max(1, height // 2), max(1, width // 2)
            channels = {name: array[: size[0], : size[1]] for name, array in channels.items()}
            level += 1

    def _pack(self, channels: Mapping[str, NDArray[Any]], x: int, y: int, width: int, height: int) -> bytes:
        raw = b"".join(
            channels[name][line, x : x + width].tobytes()
            for line in range(y, y + height)
            for name in sorted(channels)
        )
        if self.compression == NONE:
            return raw
        split = np.frombuffer(raw[0::2] + raw[1::2], np.uint8).astype(np.int16)
        split[1:] = np.diff(split) + 128
        moved = split.astype(np.uint8).tobytes()
        packed = pack_runs(moved) if self.compression == RLE else zlib.compress(moved)
        return packed if len(packed) < len(raw) else raw


def pack_runs(data: bytes) -> bytes:
    """Byte runs as OpenEXR's RLE has them."""
    out = bytearray()
    place = 0
    while place < len(data):
        run = 1
        while run < 128 and data[place : place + run + 1] == data[place : place + 1] * (run + 1):
            run += 1
        if run >= 3:
            out += bytes([run - 1, data[place]])
        else:
            run = min(2, len(data) - place)
            out += struct.pack("b", -run) + data[place : place + run]
        place += run
    return bytes(out)


def build(*parts: Part) -> bytes:
    """A whole file."""
    multi = len(parts) > 1
    chunks = [part.chunks() for part in parts]
    flags = 2 | 0x400 | (0x1000 if multi else 0) | (0x200 if parts[0].tile and not multi else 0)
    head = struct.pack("<II", 20000630, flags)
    head += b"".join(
        part.header(multi_part=multi, chunks=len(own)) for part, own in zip(parts, chunks, strict=True)
    )
    head += b"\0" if multi else b""
    place = len(head) + 8 * sum(len(own) for own in chunks)
    table, body = b"", b""
    for number, own in enumerate(chunks):
        for chunk in own:
            table += struct.pack("<Q", place + len(body))
            body += (struct.pack("<i", number) if multi else b"") + chunk
    return head + table + body


def cryptomatte(name: str, key: str, ids: Mapping[str, int]) -> dict[str, str]:
    """Attributes of a cryptomatte with its manifest."""
    manifest = json.dumps({name: f"{value:08x}" for name, value in ids.items()}, separators=(",", ":"))
    return {
        f"cryptomatte/{key}/name": name,
        f"cryptomatte/{key}/hash": "MurmurHash3_32",
        f"cryptomatte/{key}/conversion": "uint32_to_float32",
        f"cryptomatte/{key}/manifest": manifest,
    }
