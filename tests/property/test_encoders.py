"""Any image comes back from its file, by our own readers and by those of others where they are installed."""

from __future__ import annotations

import io
import itertools
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from readers import read_png, read_tiff
from synthesis.ops.encode_image import encode_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FORMS: dict[str, tuple[str, int]] = {
    "rgb": ("u1", 3),
    "alpha": ("u1", 1),
    "depth": ("u2", 1),
    "normals": ("u2", 3),
    "segments": ("u2", 1),
}
SIDES = st.integers(1, 300)


@st.composite
def images(draw: st.DrawFn) -> tuple[str, NDArray[Any]]:
    """An asset and samples for it: flat, noise of few or all values, runs, or the extremes."""
    asset = draw(st.sampled_from(sorted(FORMS)))
    form, channels = FORMS[asset]
    width, height = draw(SIDES), draw(SIDES)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    count = height * width * channels
    highest = np.iinfo(form).max
    kind = draw(st.sampled_from(["flat", "few", "noise", "runs", "extremes", "slope"]))
    if kind == "flat":
        samples = np.full(count, rng.integers(0, highest, endpoint=True))
    elif kind == "runs":
        samples = np.repeat(rng.integers(0, highest, count), rng.geometric(0.02, count))[:count]
    elif kind == "slope":
        samples = (np.arange(count) // channels * 7 + rng.integers(0, 3, count)) & highest
    elif kind == "extremes":
        samples = rng.choice([0, highest], count)
    else:
        samples = rng.integers(0, 4 if kind == "few" else highest, count, endpoint=True)
    shape = (height, width, channels) if channels > 1 else (height, width)
    image = samples.astype(form).reshape(shape)
    return asset, image.view("f2") if asset in ("depth", "normals") else image


def others(asset: str, data: bytes) -> Iterator[NDArray[Any]]:
    """The samples as OpenCV, Pillow and tifffile find them. OpenCV knows no float16, Pillow none either."""
    floats = asset in ("depth", "normals")
    if find_spec("cv2") and not floats:
        import cv2

        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        yield image[..., ::-1] if image.ndim == 3 else image
    if find_spec("PIL") and not floats:
        from PIL import Image

        yield np.asarray(Image.open(io.BytesIO(data)))
    if find_spec("tifffile") and data[:2] == b"II":
        import tifffile

        yield tifffile.imread(io.BytesIO(data))


@given(images(), st.sampled_from(["exact", "fast", "small"]))
@settings(max_examples=60, deadline=None)
def test_every_reader_finds_the_samples(made: tuple[str, NDArray[Any]], mode: Any) -> None:
    asset, image = made
    data = encode_image(asset, image, mode=mode)
    own = read_png(data) if data[:4] == b"\x89PNG" else read_tiff(data)
    for found in itertools.chain([own], others(asset, data)):
        assert found.tobytes() == image.tobytes()
        assert found.shape == image.shape
