"""Any bytes in place of an EXR give images or an error: no crash, no unbounded memory."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exr_files import NONE, RLE, ZIP, ZIPS, Part, build, cryptomatte
from exr_reader import read_exr
from readers import read_png, read_tiff
from synthesis.errors import KINDS, SynthesisError
from synthesis.ops.encode_image import encode_image
from synthesis.ops.exr_info import exr_info
from synthesis.ops.extract import ASSETS, extract
from synthesis.ops.write_exr import write_exr


def _person(seed: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    made: dict[str, Any] = {name: rng.random((5, 4)).astype("<f2") for name in "RGBA"}
    made |= {f"normals.{axis}": rng.random((5, 4)).astype("<f2") for axis in "XYZ"}
    made |= {f"segmentation00.{end}": rng.random((5, 4)).astype("<f4") for end in "RGBA"}
    return made | {"Z": rng.random((5, 4)).astype("<f4")}


ATTRIBUTES = cryptomatte("segmentation", "b818ccc", {"hair": 0x3F000000, "nose": 0x3E000000})
SEEDS = [
    *(build(Part(_person(), compression, attributes=ATTRIBUTES)) for compression in (NONE, RLE, ZIPS, ZIP)),
    build(Part(_person(), ZIP, tile=(3, 2), mipmap=True, attributes=ATTRIBUTES)),
    build(
        Part(_person(), name="rgba", attributes=ATTRIBUTES), Part({"Z": _person()["Z"]}, ZIP, name="depth")
    ),
]
WORDS = st.sampled_from([0, 1, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A valid file with a few changes."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data) - 1))
        change = draw(st.sampled_from(["byte", "word", "cut", "drop", "insert"]))
        if change == "byte":
            data[place] = draw(st.integers(0, 255))
        elif change == "word":
            data[place : place + 4] = struct.pack("<I", draw(WORDS))
        elif change == "cut":
            del data[max(place, 1) :]
        elif change == "drop":
            del data[place : place + draw(st.integers(1, 8))]
            data = data or bytearray(1)
        else:
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(data)


def _survives(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.exr"
        path.write_bytes(data)
        try:
            exr_info(path)
        except SynthesisError as error:
            assert error.kind in {"invalid-exr", "unsupported-exr", "too-large"}  # noqa: PT017
        (result,) = extract([path], assets=ASSETS, directory=folder, workers=1)
        for failure in result.failures:
            assert failure.kind in KINDS
            assert failure.kind != "internal", failure.message
        for output in result.outputs:
            (read_png if output.suffix == ".png" else read_tiff)(output.read_bytes())
        assert {entry.name for entry in Path(folder).iterdir()} == {
            "a.exr",
            *(o.name for o in result.outputs),
        }


@given(mutants())
@settings(max_examples=300, deadline=None)
def test_changed_files(data: bytes) -> None:
    _survives(data)


@given(st.binary(max_size=400))
@settings(max_examples=50, deadline=None)
def test_any_bytes_behind_the_magic(data: bytes) -> None:
    _survives(struct.pack("<II", 20000630, 2) + data)


@st.composite
def images(draw: st.DrawFn) -> tuple[str, Any]:
    """An asset and an image of it: noise, or few values."""
    asset = draw(st.sampled_from(ASSETS))
    form = {"rgb": "u1", "alpha": "u1", "depth": "u2", "normals": "u2"}.get(asset, "u2")
    shape = (
        draw(st.integers(1, 40)),
        draw(st.integers(1, 600)),
        *((3,) if asset in {"rgb", "normals"} else ()),
    )
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    top = draw(st.sampled_from([1, 2, 255, 65535]))
    image = (rng.integers(0, top, shape, endpoint=True) & (255 if form == "u1" else 65535)).astype(form)
    if draw(st.booleans()):
        image = np.sort(image, axis=1)
    return asset, image.view("f2") if asset in {"depth", "normals"} else image


@given(images(), st.sampled_from(["exact", "fast"]))
@settings(max_examples=150, deadline=None)
def test_encoded_images_read_back(case: tuple[str, Any], mode: Any) -> None:
    asset, image = case
    data = encode_image(asset, image, mode=mode)
    found = (read_png if data[:4] == b"\x89PNG" else read_tiff)(data)
    assert found.shape == image.shape
    assert found.tobytes() == image.tobytes()


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
        st.booleans(),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 1 << 32),
)
@settings(max_examples=60, deadline=None)
def test_written_files_read_back(names: dict[str, bool], height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = {
        name: rng.integers(0, 1 << (16 if half else 32), (height, width), np.uint64)
        .astype("u2" if half else "u4")
        .view("f2" if half else "f4")
        for name, half in names.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.exr"
        write_exr(path, made)
        channels, _ = read_exr(path.read_bytes())
        assert {name: array.tobytes() for name, array in channels.items()} == {
            name: array.tobytes() for name, array in made.items()
        }
