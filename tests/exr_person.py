"""A made-up person's render: its channels, and the images that must come of them by plain numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exr_files import cryptomatte
from readers import read_png, read_tiff
from synthesis.ops.extract import ASSETS, Extracted, extract
from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["body", "hair", "nose", "vrayLightDome"]
IDS = {name: object_id(name) for name in NAMES}


def floats(ids: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Ids in their float32 clothes."""
    return ids.view(np.float32)


def channels(width: int = 37, height: int = 21, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Every channel of a person's render, noise for pixels."""
    rng = np.random.default_rng(seed)
    shape = height, width
    made: dict[str, NDArray[Any]] = {name: rng.random(shape).astype("<f2") for name in "RGBA"}
    made |= {f"normals.{axis}": rng.uniform(-1, 1, shape).astype("<f2") for axis in "XYZ"}
    made["Z"] = rng.uniform(0.5, 3, shape).astype("<f4")
    pool = np.array(list(IDS.values()), "<u4")
    for layer in ("segmentation", "clothing"):
        first = rng.uniform(0.5, 1, shape).astype("<f4")
        for number, (one, other) in enumerate([(first, 1 - first), (np.zeros(shape, "<f4"),) * 2]):
            made[f"{layer}{number:02}.R"] = floats(rng.choice(pool, shape))
            made[f"{layer}{number:02}.G"] = one.astype("<f4")
            made[f"{layer}{number:02}.B"] = floats(rng.choice(pool, shape))
            made[f"{layer}{number:02}.A"] = other.astype("<f4")
    return made


ATTRIBUTES = cryptomatte("segmentation", "b818ccc", IDS) | cryptomatte("clothing", "1234567", IDS)


def run(path: Path, data: bytes, **options: Any) -> Extracted:
    """Extract all assets of one file next to it."""
    path.write_bytes(data)
    options.setdefault("assets", ASSETS)
    (result,) = extract([path], directory=path.parent / "out", **options)
    left = {entry.name for entry in (path.parent / "out").iterdir()}
    assert left == {output.name for output in result.outputs}
    return result


def images(result: Extracted) -> dict[str, NDArray[Any]]:
    """The images by asset."""
    return {
        path.name.split(".")[-2]: (read_png if path.suffix == ".png" else read_tiff)(path.read_bytes())
        for path in result.outputs
    }


def expected(
    made: Mapping[str, NDArray[Any]], *, background_competes: bool = False
) -> dict[str, NDArray[Any]]:
    """The same images by numpy, in the plainest way."""
    rgb = np.stack([made[name] for name in "RGB"], 2).astype(np.float64).clip(0, 1)
    curve = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    normals = np.stack([-made["normals.X"], made["normals.Y"], made["normals.Z"]], 2)
    return {
        "rgb": np.floor(255 * curve + 0.5).astype(np.uint8),
        "alpha": np.floor(255 * made["A"].astype(np.float64).clip(0, 1) + 0.5).astype(np.uint8),
        "depth": made["Z"].astype(np.float16),
        "normals": normals.astype(np.float16),
        "segments": segments(made, "segmentation", background_competes=background_competes),
        "clothing_segments": segments(made, "clothing", background_competes=background_competes),
    }


def segments(
    made: Mapping[str, NDArray[Any]], layer: str, *, background_competes: bool = False
) -> NDArray[np.uint16]:
    """One mask per object, as the published tool made them."""
    masks = []
    for name in sorted(set(NAMES) - {"vrayLightDome"}):
        mask = np.zeros(made["A"].shape, np.float32)
        for number in range(2):
            for id_, coverage in ("RG", "BA"):
                ids = made[f"{layer}{number:02}.{id_}"].view(np.uint32)
                mask += np.where(ids == IDS[name], made[f"{layer}{number:02}.{coverage}"], np.float32(0))
        masks.append((mask.clip(0, 1) * 255).astype(np.uint8))
    stack = np.stack(masks)
    best = stack.max(0)
    winner = np.where(best > 0, stack.argmax(0) + 1, 0)
    if background_competes:
        winner[255 - stack.sum(0, dtype=np.uint8) > best] = 0
    return winner.astype(np.uint16)


def check(found: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]]) -> None:
    """Equal in shape, type and every bit."""
    assert sorted(found) == sorted(wanted)
    for asset, image in found.items():
        assert image.dtype == wanted[asset].dtype, asset
        assert image.shape == wanted[asset].shape, asset
        assert image.tobytes() == wanted[asset].tobytes(), asset
