"""Byte for byte what the original service wrote: decode its files, encode them again, compare."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from readers import png_chunks, read_png, read_tiff, tiff_tags
from synthesis import _core
from synthesis.errors import UsageError
from synthesis.ops.encode_image import encode_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

REAL = [
    "24.rgb.png",
    "24.alpha.tif",
    "24.depth.tif",
    "24.normals.tif",
    "24.segments.png",
    "0.clothing_segments.png",
    "retail/0.segments.png",
    "retail/0.alpha.tif",
    "retail/0.depth.tif",
]
FORMS: dict[str, tuple[str, int]] = {
    "rgb": ("u1", 3),
    "alpha": ("u1", 1),
    "depth": ("f2", 1),
    "normals": ("f2", 3),
    "segments": ("u2", 1),
    "clothing_segments": ("u2", 1),
}
# Around the limits of strips, windows, code widths and short counts.
SIZES = [
    (1, 1),
    (1, 40),
    (40, 1),
    (2, 3),
    (7, 5),
    (127, 129),
    (300, 50),
    (1000, 3),
    (2100, 17),
    (6553, 3),
    (9000, 2),
]


def read(data: bytes) -> NDArray[Any]:
    """Whichever of our two containers it is."""
    return read_png(data) if data[:4] == b"\x89PNG" else read_tiff(data)


@pytest.mark.parametrize("name", REAL)
def test_the_bytes_of_the_original(samples: Path, name: str) -> None:
    real = (samples / "synthesis" / name).read_bytes()
    asset = name.split(".")[1]
    image = read(real)
    assert encode_image(asset, image, mode="exact") == real
    fast = encode_image(asset, image, mode="fast")
    assert read(fast).tobytes() == image.tobytes()
    small = encode_image(asset, image, mode="small")
    assert read(small).tobytes() == image.tobytes()
    assert len(small) < len(real)


@pytest.mark.parametrize("mode", ["exact", "fast", "small"])
@pytest.mark.parametrize("asset", sorted(FORMS))
@pytest.mark.parametrize("size", SIZES)
def test_round_trip(asset: str, size: tuple[int, int], mode: str) -> None:
    form, channels = FORMS[asset]
    width, height = size
    rng = np.random.default_rng(width * height)
    shape = (height, width, channels) if channels > 1 else (height, width)
    for image in (
        rng.integers(0, 1 << 8 * np.dtype(form).itemsize, shape)
        .astype(f"u{np.dtype(form).itemsize}")
        .view(form),
        np.zeros(shape, form),
        np.broadcast_to(np.arange(width).reshape(1, width, *[1] * (channels > 1)), shape).astype(form),
    ):
        found = read(encode_image(asset, image, mode=mode))  # type: ignore[arg-type]
        assert found.shape == image.shape
        assert found.tobytes() == image.tobytes()


def test_png_layout() -> None:
    data = encode_image(
        "rgb", np.random.default_rng(1).integers(0, 256, (100, 90, 3), np.uint8), mode="exact"
    )
    chunks = list(png_chunks(data))
    names = [name for name, _ in chunks]
    assert names == [b"IHDR", *[b"IDAT"] * (len(names) - 2), b"IEND"]
    assert {len(body) for _, body in chunks[1:-2]} == {8192}
    assert chunks[1][1][:2] == b"\x78\x01"


@pytest.mark.parametrize(
    ("height", "width"),
    # The window shrinks with the data: 2 bytes of header for (rows + filter bytes) up to 16 KiB.
    [(1, 1), (10, 24), (16, 16), (100, 50), (73, 73), (74, 74), (128, 128)],
)
def test_small_pngs_state_a_small_window(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    stream = dict(png_chunks(encode_image("rgb", image, mode="exact")))[b"IDAT"]
    size = (3 * width + 1) * height
    assert 1 << ((stream[0] >> 4) + 8) >= size or stream[0] >> 4 == 7
    assert struct.unpack(">H", stream[:2])[0] % 31 == 0
    assert stream[0] & 0xF == 8


def test_tiff_layout_of_halves() -> None:
    tags = tiff_tags(encode_image("normals", np.zeros((300, 200, 3), np.float16), mode="exact"))
    assert tags[270] == (b'{"shape": [300, 200, 3]}\0',)
    assert tags[305] == (b"tifffile.py\0",)
    assert (tags[278], tags[317], tags[339], tags[259]) == ((54,), (3,), (3, 3, 3), (8,))
    assert tags[273][0] % 16 == 0
    assert 284 in tags
    assert 284 not in tiff_tags(encode_image("depth", np.zeros((3, 2), np.float16), mode="exact"))


def test_tiff_layout_of_bytes() -> None:
    data = encode_image("alpha", np.zeros((20, 2100), np.uint8), mode="exact")
    tags = tiff_tags(data)
    assert (tags[278], tags[259], tags[317]) == ((3,), (5,), (2,))
    assert tags[273][0] == 8
    directory = struct.unpack_from("<I", data, 4)[0]
    kinds = {struct.unpack_from("<HH", data, directory + 2 + 12 * number) for number in range(len(tags))}
    assert (279, 3) in kinds  # short counts at this width


@pytest.mark.parametrize(
    ("asset", "image"),
    [
        ("info", np.zeros((2, 2), np.uint8)),
        ("rgb", np.zeros((2, 2), np.uint8)),
        ("rgb", np.zeros((2, 2, 4), np.uint8)),
        ("rgb", np.zeros((2, 2, 3), np.float32)),
        ("depth", np.zeros((2, 2), np.float32)),
        ("segments", np.zeros((0, 2), np.uint16)),
    ],
)
def test_wrong_arrays_are_usage_errors(asset: str, image: NDArray[Any]) -> None:
    with pytest.raises(UsageError):
        encode_image(asset, image)


def test_arrays_with_gaps_and_readonly_ones_are_taken_as_they_are() -> None:
    wide = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    for view in (wide[::2], wide[:, ::-1], wide.transpose(1, 0, 2), wide[..., ::-1]):
        assert encode_image("rgb", view) == encode_image("rgb", view.copy())
    readonly = wide.copy()
    readonly.flags.writeable = False
    assert encode_image("rgb", readonly) == encode_image("rgb", wide)
    odd = np.frombuffer(bytes(7) + np.arange(200, dtype="<f2").tobytes(), "<f2", offset=7).reshape(10, 20)
    assert encode_image("depth", odd) == encode_image("depth", odd.copy())


@pytest.mark.parametrize(("width", "height"), [(3, 2), (1, 2), (2, 3), (2**40, 2**40), (0, 0)])
def test_the_core_takes_no_other_number_of_samples(width: int, height: int) -> None:
    with pytest.raises(UsageError):
        _core.encode("alpha", width, height, memoryview(bytes(4)), "fast")
