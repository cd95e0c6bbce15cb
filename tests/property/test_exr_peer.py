"""What the OpenEXR library writes, we read as it does, bit for bit; skips where it is not installed.

HYPOTHESIS_PROFILE=thorough tries ten times as many files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthesis.exr

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

OpenEXR = pytest.importorskip("OpenEXR", reason="the OpenEXR package is not installed")

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EXACT = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A")
LOSSY = ("DWAA", "DWAB")
"""Cosines by floats: the last bit depends on the order of the sums."""
KINDS: dict[str, type[Any]] = {"half": np.float16, "float": np.float32, "uint": np.uint32}


def plane(rng: np.random.Generator, kind: str, shape: tuple[int, int]) -> NDArray[Any]:
    """Smooth, flat, or any bits."""
    form = rng.integers(3)
    if form == 0 or kind == "uint":
        top = 1 << (16 if kind == "half" else int(rng.integers(1, 33)))
        bits = rng.integers(0, top, shape, np.uint64).astype(np.uint16 if kind == "half" else np.uint32)
        return bits.view(KINDS[kind])
    y, x = np.mgrid[: shape[0], : shape[1]]
    return ((x + 3 * y) / 50 if form == 1 else np.full(shape, 0.5)).astype(KINDS[kind])


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Parts of a file, and what they have in common."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    shown = (
        draw(st.integers(-9, 9)),
        draw(st.integers(-9, 9)),
        draw(st.integers(1, 90)),
        draw(st.integers(1, 70)),
    )
    left, top, width, height = shown
    display = (left, top), (left + width - 1, top + height - 1)
    parts = []
    for number in range(count):
        header: dict[str, Any] = {
            "compression": getattr(OpenEXR, f"{draw(st.sampled_from(EXACT + LOSSY))}_COMPRESSION"),
            "type": OpenEXR.scanlineimage,
            "displayWindow": tuple(np.array(corner, np.int32) for corner in display),
        }
        size = width, height
        corner = left, top
        if draw(st.booleans()):
            corner = left + draw(st.integers(-9, 9)), top + draw(st.integers(-9, 9))
            size = draw(st.integers(1, 90)), draw(st.integers(1, 70))
        last = corner[0] + size[0] - 1, corner[1] + size[1] - 1
        header["dataWindow"] = (np.array(corner, np.int32), np.array(last, np.int32))
        if draw(st.booleans()):
            header["type"] = OpenEXR.tiledimage
            tile = OpenEXR.TileDescription()
            tile.xSize, tile.ySize = draw(st.integers(1, 40)), draw(st.integers(1, 40))
            header["tiles"] = tile
        elif draw(st.booleans()):
            header["lineOrder"] = OpenEXR.DECREASING_Y
        kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
        names = [f"p{number}.c{index}" for index in range(len(kinds))]
        channels = {name: plane(rng, kind, size[::-1]) for name, kind in zip(names, kinds, strict=True)}
        parts.append((header, channels))
    return {"parts": parts, "display": shown}


def write(path: Path, parts: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """By OpenEXR."""
    if len(parts) == 1:
        OpenEXR.File(*parts[0]).write(str(path))
    else:
        made = [
            OpenEXR.Part(header, channels, f"part{number}") for number, (header, channels) in enumerate(parts)
        ]
        OpenEXR.File(made).write(str(path))


@given(files())
@settings(max_examples=500 if THOROUGH else 50, deadline=None)
def test_samples_are_those_of_openexr(tmp_path_factory: pytest.TempPathFactory, made: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "peer.exr"
    write(path, made["parts"])
    left, top, width, height = made["display"]
    ours = synthesis.exr.open(path)
    assert ours.size == (width, height)
    with OpenEXR.File(str(path), separate_channels=True) as theirs:
        for number, (header, channels) in enumerate(made["parts"]):
            x, y = (int(value) for value in header["dataWindow"][0])
            planes = ours.planes(channels)
            for name in channels:
                stored = theirs.parts[number].channels[name].pixels
                wanted = np.zeros((height + 400, width + 400), stored.dtype)
                wanted[y - top + 200 :, x - left + 200 :][: stored.shape[0], : stored.shape[1]] = stored
                wanted = wanted[200 : 200 + height, 200 : 200 + width]
                found = ours.read(name)
                assert found.dtype == wanted.dtype
                bits = f"u{found.itemsize}"
                np.testing.assert_array_equal(planes[name].view(bits), found.view(bits))
                if header["compression"] in (OpenEXR.DWAA_COMPRESSION, OpenEXR.DWAB_COMPRESSION):
                    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-3)
                else:
                    np.testing.assert_array_equal(found.view(bits), np.ascontiguousarray(wanted).view(bits))
