"""Readers of the image files we write, independent of our encoders: numpy and zlib only."""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of every chunk, checksums verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place = 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", data, place + 8 + length)
        assert check == zlib.crc32(name + body)
        yield name, body
        place += 12 + length
    assert place == len(data)


def read_png(data: bytes) -> NDArray[Any]:
    """Samples of a PNG whose rows share a filter, not Average: (H, W) or (H, W, 3), uint8 or uint16."""
    chunks = list(png_chunks(data))
    assert chunks[0][0] == b"IHDR"
    assert chunks[-1] == (b"IEND", b"")
    width, height, depth, color, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [0, 0, 0]
    channels = {0: 1, 2: 3}[color]
    step = channels * depth // 8
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    rows = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * step)
    pixels = rows[:, 1:].reshape(height, width, step).copy()
    (kind,) = set(rows[:, 0])
    if kind == 4:
        undo_paeth(pixels)
    elif kind != 0:
        np.cumsum(pixels, axis={1: 1, 2: 0}[kind], dtype=np.uint8, out=pixels)
    samples = pixels.reshape(height, -1).view(">u2" if depth == 16 else "u1").astype(f"u{depth // 8}")
    return (
        samples.reshape(height, width, channels).squeeze(2)
        if channels == 1
        else samples.reshape(height, width, 3)
    )


def undo_paeth(pixels: NDArray[np.uint8]) -> None:
    """Adds to each byte whichever of left, above and both is nearest to left + above - both.

    A pixel needs those to the left and above, so all pixels of one diagonal are done at once.
    """
    height, width, step = pixels.shape
    whole = np.zeros((height + 1, width + 1, step), np.int16)
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        a, b, c = whole[y + 1, x], whole[y, x + 1], whole[y, x]
        to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
        nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
        whole[y + 1, x + 1] = pixels[y, x] + nearest & 255
    pixels[:] = whole[1:, 1:]


def tiff_tags(data: bytes) -> dict[int, tuple[Any, ...]]:
    """Every tag of the one directory of a little-endian TIFF."""
    magic, version, place = struct.unpack_from("<2sHI", data)
    assert (magic, version) == (b"II", 42)
    (count,) = struct.unpack_from("<H", data, place)
    tags: dict[int, tuple[Any, ...]] = {}
    for number in range(count):
        tag, kind, values, _ = struct.unpack_from("<HHII", data, place + 2 + 12 * number)
        form, size = {2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 5: ("II", 8)}[kind]
        start = place + 10 + 12 * number
        if values * size > 4:
            (start,) = struct.unpack_from("<I", data, start)
        tags[tag] = struct.unpack_from(f"<{values}s" if form == "s" else "<" + form * values, data, start)
    assert struct.unpack_from("<I", data, place + 2 + 12 * count) == (0,)
    assert list(tags) == sorted(tags)
    return tags


def read_tiff(data: bytes) -> NDArray[Any]:
    """Samples of our TIFFs: uint8 and uint32 with predictor 2, floats with predictor 3."""
    tags = tiff_tags(data)
    (width,), (height,), (rows,) = tags[256], tags[257], tags[278]
    channels, bits = len(tags[258]), tags[258][0]
    strips = []
    for index, (offset, count) in enumerate(zip(tags[273], tags[279], strict=True)):
        packed = data[offset : offset + count]
        raw = unpack_lzw(packed) if tags[259] == (5,) else zlib.decompress(packed)
        lines = np.frombuffer(raw, np.uint8).reshape(min(rows, height - index * rows), -1)
        if tags[317] == (2,):
            kind = {8: np.dtype("u1"), 32: np.dtype("<u4")}[bits]
            strips.append(np.cumsum(lines.view(kind), axis=1, dtype=kind))
        else:
            assert (tags[317], tags[339][0]) == ((3,), 3)
            planes = np.cumsum(lines.reshape(len(lines), -1, channels), axis=1, dtype=np.uint8)
            bytes_ = planes.reshape(len(lines), bits // 8, -1).transpose(0, 2, 1)  # the highest first
            strips.append(
                np.ascontiguousarray(bytes_).view(f">f{bits // 8}")[:, :, 0].astype(f"<f{bits // 8}")
            )
    image = np.concatenate(strips)
    return image.reshape((height, width) if channels == 1 else (height, width, channels))


def unpack_lzw(data: bytes) -> bytes:
    """TIFF's LZW: most significant bit first, the width grows one code early."""
    bits, have, width = 0, 0, 9
    table: list[bytes] = []
    out: list[bytes] = []
    last = b""
    for byte in itertools.chain(data, [0]):
        bits, have = (bits << 8 | byte) & 0xFFFFFF, have + 8
        if have < width:
            continue
        have -= width
        code = bits >> have & ((1 << width) - 1)
        if code == 257:
            break
        if code == 256:
            table, width, last = [bytes([value]) for value in range(256)] + [b"", b""], 9, b""
            continue
        entry = table[code] if code < len(table) else last + last[:1]
        out.append(entry)
        if last:
            table.append(last + entry[:1])
        last = entry
        if len(table) >= (1 << width) - 1 and width < 12:
            width += 1
    return b"".join(out)
