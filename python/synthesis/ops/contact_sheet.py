"""One picture of many: rgb, depth, normals and segments of every image in a folder, side by side."""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from synthesis.errors import NotFoundError
from synthesis.files import write_file
from synthesis.ops import lettering
from synthesis.ops.encode_image import encode_image
from synthesis.ops.engine import engine

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

ROWS = ("rgb", "depth", "normals", "segments")
MARGIN, GAP, TILE = 28, 8, 256
PAPER, INK, BACKGROUND = (22, 24, 29), (214, 218, 226), (36, 39, 46)
# Near to far: dark red over orange to pale yellow and back to deep blue; close things stand out.
DEPTH_RAMP = ((253, 231, 150), (246, 148, 66), (201, 66, 72), (112, 34, 108), (38, 26, 82), (20, 22, 50))


def contact_sheet(folder: Path, target: Path) -> Path:
    """Write a PNG with one column per image of `folder` and one row per kind of asset.

    Reads `*.rgb.png`, `*.segments.png`, `*.info.json` and the depth and normals of `*.exr`. Depths of
    all images share one scale; a body part has the same colour in every image.

    Args:
        folder: a downloaded job with those assets, images of any size.
        target: the PNG; replaced if it is there.

    Raises:
        NotFoundError: the folder has no image with all of the four files.
    """
    import numpy as np

    stems = sorted((path.name.removesuffix(".exr") for path in folder.glob("*.exr")), key=_natural)
    columns = [_load(folder, stem) for stem in stems]
    if not columns:
        raise NotFoundError(f"{folder} has no EXR to show", hint="download with --assets all first")
    near, far = _depth_limits([column["depth"] for column in columns])
    label = max(lettering.width(name) for name in ROWS) + 2 * GAP
    side = columns[0]["rgb"].shape
    sheet = np.empty(
        (
            2 * MARGIN + lettering.HEIGHT + GAP + len(ROWS) * (side[0] + GAP) - GAP,
            2 * MARGIN + label + len(columns) * (side[1] + GAP) - GAP,
            3,
        ),
        np.uint8,
    )
    sheet[:] = PAPER
    top = MARGIN + lettering.HEIGHT + GAP
    for index, name in enumerate(ROWS):
        y = top + index * (side[0] + GAP) + (side[0] - lettering.HEIGHT) // 2
        lettering.draw(sheet, name, MARGIN, y, INK)
    for index, column in enumerate(columns):
        x = MARGIN + label + index * (side[1] + GAP)
        lettering.draw(sheet, column["caption"], x, MARGIN, INK)
        tiles = (
            column["rgb"],
            _paint_depth(column["depth"], near, far),
            _paint_normals(column["normals"], column["depth"]),
            _paint_segments(column["segments"], column["names"]),
        )
        for row, tile in enumerate(tiles):
            y = top + row * (side[0] + GAP)
            height, width = min(side[0], tile.shape[0]), min(side[1], tile.shape[1])
            sheet[y : y + height, x : x + width] = tile[:height, :width]
    return write_file(target, encode_image("rgb", sheet))


def _load(folder: Path, stem: str) -> dict[str, Any]:
    """One column, each picture brought to about `TILE` pixels."""
    import numpy as np

    bitmap = engine().Bitmap
    exr = bitmap(str(folder / f"{stem}.exr"))
    values, names = np.array(exr), [field.name for field in exr.struct_()]
    info = json.loads((folder / f"{stem}.info.json").read_bytes())
    depth = values[:, :, names.index("Z")].astype(np.float32)
    normals = np.stack([values[:, :, names.index(f"normals.{axis}")] for axis in "XYZ"], axis=-1)
    normals[:, :, 0] *= -1  # the EXR holds x to the image's left
    person = info.get("identity_metadata", {})
    return {
        "caption": f"id {person.get('id', '?')} {person.get('sex', '')} {person.get('age', '')}".rstrip(),
        "rgb": _shrink(np.array(bitmap(str(folder / f"{stem}.rgb.png"))), mean=True),
        "depth": _shrink(depth),
        "normals": _shrink(normals.astype(np.float32)),
        "segments": _shrink(np.squeeze(np.array(bitmap(str(folder / f"{stem}.segments.png"))))),
        "names": {number: name for name, number in info.get("segments_mapping", {}).items()},
    }


def _shrink(image: NDArray[Any], *, mean: bool = False) -> NDArray[Any]:
    """Shrink by a whole factor: the mean of each block, or its middle pixel where a mean means nothing."""
    import numpy as np

    factor = max(1, round(max(image.shape[:2]) / TILE))
    height, width = (size // factor * factor for size in image.shape[:2])
    image = image[:height, :width]
    if not mean:
        return image[factor // 2 :: factor, factor // 2 :: factor]
    blocks = image.reshape(height // factor, factor, width // factor, factor, -1)
    return np.asarray(blocks.mean(axis=(1, 3)) + 0.5).astype(image.dtype)


def _depth_limits(depths: list[NDArray[Any]]) -> tuple[float, float]:
    import numpy as np

    seen = np.concatenate([depth[depth > 0] for depth in depths] or [np.zeros(0)])
    if not seen.size:
        return 0.0, 1.0
    near, far = np.percentile(seen, [1, 99])
    return float(near), float(max(far, near + 1e-3))


def _paint_depth(depth: NDArray[Any], near: float, far: float) -> Picture:
    import numpy as np

    ramp = np.array(DEPTH_RAMP, np.float64)
    at = np.clip((depth - near) / (far - near), 0, 1) * (len(ramp) - 1)
    channels = [np.interp(at, np.arange(len(ramp)), ramp[:, channel]) for channel in range(3)]
    painted = np.stack(channels, axis=-1).astype(np.uint8)
    painted[depth <= 0] = BACKGROUND
    return painted


def _paint_normals(normals: NDArray[Any], depth: NDArray[Any]) -> Picture:
    import numpy as np

    painted = (np.clip(normals * 0.5 + 0.5, 0, 1) * 255 + 0.5).astype(np.uint8)
    painted[depth <= 0] = BACKGROUND
    return np.asarray(painted)


def _paint_segments(segments: NDArray[Any], names: dict[int, str]) -> Picture:
    import numpy as np

    palette = np.empty((int(segments.max()) + 1, 3), np.uint8)
    for number in range(len(palette)):
        palette[number] = _colour(names.get(number, str(number)))
    palette[0] = BACKGROUND
    return np.asarray(palette[segments])


def _colour(name: str) -> tuple[int, int, int]:
    """A colour that belongs to a body part by its name, the same in every image and run."""
    import colorsys

    seed = zlib.crc32(name.encode())
    hue, saturation, value = seed % 997 / 997, 0.45 + seed // 997 % 4 * 0.12, 0.7 + seed // 4001 % 3 * 0.13
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort 2 before 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
