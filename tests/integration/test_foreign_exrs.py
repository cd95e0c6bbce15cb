"""EXRs as other programs write them, by the OpenEXR library: right pixels, or the name of what is not read.

Traits are those of Blender, Arnold, V-Ray, Nuke, Houdini and the public regression images of OpenEXR.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import synthesis.exr
from exr_seeds import blocks
from readers import read_png
from synthesis.errors import SynthesisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

X = pytest.importorskip("OpenEXR", reason="the OpenEXR package is not installed")

Channels = dict[str, "NDArray[Any]"]
Part = tuple[str, dict[str, Any], Channels]
HERO, HAIR = 0x3F123456, 0x3E654321
EXACT = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A")
LOSSY = ("DWAA", "DWAB")


def planes(names: str | list[str], size: tuple[int, int] = (61, 37), kind: str = "e") -> Channels:
    """Smooth pictures with a little noise."""
    y, x = np.mgrid[: size[1], : size[0]]
    rng = np.random.default_rng(5)
    made = {name: x / 50 + y * step / 90 + rng.normal(0, 0.02, x.shape) for step, name in enumerate(names)}
    return {name: plane.astype({"e": "<f2", "f": "<f4"}[kind]) for name, plane in made.items()}


def ids(name: str, ends: str, size: tuple[int, int] = (61, 37)) -> Channels:
    """A layer of a cryptomatte: the left half is the hero, the right one hair."""
    left = np.where(np.arange(size[0]) < size[0] // 2, HERO, HAIR).astype("<u4")
    none = np.zeros(size[::-1], "<f4")
    made = [np.tile(left, (size[1], 1)).view("<f4"), none + 1, none, none]
    return {f"{name}00.{end}": plane for end, plane in zip(ends, made, strict=True)}


def manifest(name: str) -> dict[str, str]:
    """What the header says of it."""
    text = f'{{"Hero.001":"{HERO:08x}","a, \\"b\\"/é":"{HAIR:08x}"}}'
    return {"cryptomatte/c0a8b71/name": name, "cryptomatte/c0a8b71/manifest": text}


def head(form: str = "ZIP", tile: tuple[int, int] | None = None, **more: Any) -> dict[str, Any]:
    """A header."""
    made = {"compression": getattr(X, f"{form}_COMPRESSION"), "type": X.scanlineimage}
    if tile:
        cut = X.TileDescription()
        cut.xSize, cut.ySize = tile
        made |= {"type": X.tiledimage, "tiles": cut}
    return made | more


def window(left: int, top: int, right: int, bottom: int) -> Any:
    """Two corners."""
    return np.array([left, top], np.int32), np.array([right, bottom], np.int32)


def blender(form: str) -> list[Part]:
    """Layers of a view layer, all float, with ids in small letters."""
    names = ["Combined.R", "Combined.G", "Combined.B", "Combined.A", "Depth.Z", "Denoising Normal.X"]
    made = planes([f"ViewLayer.{name}" for name in names], kind="f")
    about = manifest("ViewLayer.CryptoObject") | {"BlenderMultiChannel": "Blender V2.55.1 and newer"}
    return [("", head(form) | about, made | ids("ViewLayer.CryptoObject", "rgba"))]


def arnold(form: str) -> list[Part]:
    """Tiles of 64 x 64; a part for each output."""
    tile = (64, 64)
    about = manifest("crypto_object") | {"arnold/a long name, with more than 31 bytes in it": "x" * 5000}
    whole = planes("RGBA", (135, 101)) | planes(["Z", "N.X"], (135, 101), "f")
    id_plane = {"ID": np.arange(135 * 101, dtype="<u4").reshape(101, 135)}
    layer = {name.partition(".")[2]: plane for name, plane in ids("", "RGBA", (135, 101)).items()}
    return [
        ("rgba", head(form, tile) | about, whole | id_plane),
        ("crypto_object00", head("ZIP"), layer),
    ]


def vray(form: str) -> list[Part]:
    """More is stored than is shown, or less; from the bottom up."""
    shown = window(-20, -10, 79, 59)
    overscan = head(form, displayWindow=shown, dataWindow=window(-30, -16, 30, 20))
    return [("", overscan | {"lineOrder": X.DECREASING_Y}, planes("RGBA") | planes("Z", kind="f"))]


def houdini(form: str) -> list[Part]:
    """Parts that store other regions each, in two eyes."""
    shown = window(0, 0, 99, 79)
    made: list[Part] = []
    for eye, corner in (("left", (3, 4)), ("right", (-9, 50))):
        last = corner[0] + 60, corner[1] + 36
        about = head(form, displayWindow=shown, dataWindow=window(*corner, *last), view=eye)
        made.append((f"rgba_{eye}", about, planes("RGBA")))
        made.append((f"depth_{eye}", about | head("ZIPS", (16, 9)), planes("Z", kind="f")))
    return made


def odd(form: str) -> list[Part]:
    """One line, with all sorts of numbers, under strange names."""
    halves = np.resize(np.array([0x7E00, 0x7C00, 0xFC00, 1, 0x8001, 0x8000, 0x7BFF], "<u2"), 97)
    floats = np.resize(np.array([0x7FC00000, 0xFF800000, 1, 0x80000001, 0x7F7FFFFF], "<u4"), 97)
    names = ["a b", "日本語.R", ".R", "..", "/etc/passwd", "x" * 255]
    made = {name: halves.view("<f2").reshape(1, 97) for name in names}
    return [("", head(form), made | {"f": floats.view("<f4").reshape(1, 97), "u": floats.reshape(1, 97)})]


def one_pixel(form: str) -> list[Part]:
    """The least there is."""
    return [("", head(form, (4096, 4096)), planes("RGBA", (1, 1)))]


def eyes(form: str) -> list[Part]:
    """Both in one part, in tiles that lie in any order."""
    names = ["R", "G", "B", "A", "right.R", "right.G", "right.B", "right.A"]
    about = head(form, (16, 9)) | {"multiView": ["left", "right"], "lineOrder": X.RANDOM_Y}
    return [("", about, planes(names))]


FORMS: list[Callable[[str], list[Part]]] = [blender, arnold, vray, houdini, odd, one_pixel, eyes]


def write(path: Path, parts: list[Part]) -> None:
    if len(parts) == 1:
        X.File(*parts[0][1:]).write(str(path))
    else:
        X.File([X.Part(about, channels, name) for name, about, channels in parts]).write(str(path))


def stored(path: Path) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """What OpenEXR reads: compression, our name of the channel, its samples where they are shown."""
    file = synthesis.exr.open(path)
    left, top, right, bottom = file.parts[0].display_window
    seen: set[str] = set()
    with X.File(str(path), separate_channels=True) as theirs:
        for ours, part in zip(file.parts, theirs.parts, strict=True):
            first, line, last, end = ours.data_window
            x, y = max(left, first), max(top, line)
            wide, high = min(right, last) + 1 - x, min(bottom, end) + 1 - y
            for name, channel in part.channels.items():
                whole = np.zeros(file.size[::-1], channel.pixels.dtype)
                whole[y - top :, x - left :][:high, :wide] = channel.pixels[y - line :, x - first :][
                    :high, :wide
                ]
                yield ours.compression, f"{ours.name}.{name}" if name in seen else name, whole
                seen.add(name)


@pytest.mark.parametrize("form", EXACT + LOSSY)
@pytest.mark.parametrize("make", FORMS, ids=lambda make: make.__name__)
def test_pixels_are_those_of_openexr(tmp_path: Path, make: Callable[[str], list[Part]], form: str) -> None:
    path = tmp_path / "a.exr"
    write(path, make(form))
    file = synthesis.exr.open(path)
    count = 0
    for compression, name, wanted in stored(path):
        found = file.read(name)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        if compression.startswith("dwa"):
            np.testing.assert_allclose(found, wanted, rtol=4e-3, atol=2e-3)
        else:
            bits = f"u{found.itemsize}"
            np.testing.assert_array_equal(found.view(bits), wanted.view(bits), name)
        count += 1
    assert count == sum(len(channels) for _, _, channels in make(form))


@pytest.mark.parametrize("make", [blender, arnold])
def test_their_ids_become_segments(tmp_path: Path, make: Callable[[str], list[Part]]) -> None:
    path = tmp_path / "a.exr"
    write(path, make("ZIPS"))
    found = synthesis.exr.extract(path, assets=["segments"], directory=tmp_path)
    (made,) = found.outputs
    segments = read_png(made.read_bytes())
    assert (segments[:, : segments.shape[1] // 2] == 1).all()
    assert (segments[:, segments.shape[1] // 2 :] == 2).all()
    assert found.unnamed == {}


def deep() -> Channels:
    """A few samples a pixel."""
    made = np.empty((8, 9), object)
    for at in np.ndindex(made.shape):
        made[at] = np.arange(sum(at) % 3, dtype="<f4")
    return {"Z": made, "A": made}


def test_deep_parts_are_refused_by_name_and_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    samples = head("ZIPS") | {"type": X.deepscanline}
    write(path, [("deep", samples, deep()), ("rgba", head(), planes("RGB", (9, 8)))])
    file = synthesis.exr.open(path)
    assert [part.unreadable for part in file.parts] == ["deep samples are not read", None]
    np.testing.assert_array_equal(file.read("G"), planes("RGB", (9, 8))["G"])
    assert "rgb" in file.assets
    with pytest.raises(SynthesisError, match="deep samples are not read") as error:
        file.read("Z")
    assert error.value.kind == "unsupported-exr"


@pytest.mark.parametrize("form", ["HTJ2K32", "HTJ2K256", "ZSTD", "LJ2K"])
def test_other_compressions_are_refused_by_name(tmp_path: Path, form: str) -> None:
    if not hasattr(X, f"{form}_COMPRESSION"):
        pytest.skip("this OpenEXR does not write it")
    path = tmp_path / "a.exr"
    write(path, [("", head(form), planes("RGB"))])
    (failure,) = synthesis.exr.extract(path, assets=["rgb"], directory=tmp_path / "out").failures
    assert failure.kind == "unsupported-exr"
    assert f"{form.lower()} compression" in failure.message


@pytest.mark.parametrize("make", [blender, arnold, houdini], ids=lambda make: make.__name__)
@pytest.mark.parametrize("form", ["NO", "RLE", "ZIPS", "PIZ", "PXR24", "B44", "DWAA"])
def test_damage_in_blocks_is_named(tmp_path: Path, make: Callable[[str], list[Part]], form: str) -> None:
    path = tmp_path / "a.exr"
    write(path, make(form))
    data = path.read_bytes()
    first = blocks(data)
    rng = np.random.default_rng(len(data))
    damaged = [data[:first], data[: first + 3], data[: (first + len(data)) // 2], data[:-1]]
    places = rng.integers(first, len(data) - 60, 8)
    damaged += [data[:place] + rng.bytes(60) + data[place + 60 :] for place in places]
    names = [
        f"{part.name}.{name}" if part.name else name
        for part in synthesis.exr.open(path).parts
        for name, _ in part.channels
    ]
    for number, attack in enumerate(damaged):
        path.write_bytes(attack)
        file = synthesis.exr.open(path)
        said = [error for error in (complaint(file, name) for name in names) if error]
        assert said or number >= 3  # other bytes may be right ones, or of what is not shown
        for error in said:
            assert error.kind == "invalid-exr"
            assert re.match(re.escape(str(path)) + r": part \d+, block \d+: ", error.message)


def complaint(file: synthesis.exr.Exr, name: str) -> SynthesisError | None:
    """What is wrong with a channel; asked to be lenient, its reader gives what there is."""
    assert file.read(name, partial=True).shape == file.size[::-1]
    try:
        file.read(name)
    except SynthesisError as error:
        return error
    return None
