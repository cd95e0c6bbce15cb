"""EXRs as V-Ray writes them: ZIPS by zlib's level 6, channels sorted by name, three cryptomatte layers.

`noisy` is a grainy head, 23 channels, 72 bytes a pixel; `fat` the same with the layers of a full set of
render elements, 162 bytes a pixel; `plain` a head without grain before an empty background, which is mostly
runs. `human` is rebuilt from the images of a real render, where they are at hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from exr_files import ZIPS, Part, build, cryptomatte
from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = [f"part_{number:02}" for number in range(92)]
SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "samples" / "synthesis"
LAYER = "cryptomatte"


def make(kind: str, size: int, seed: int) -> bytes:
    """The bytes of one EXR of a kind."""
    rng = np.random.default_rng(seed)
    if kind == "human":
        channels, names = human(rng)
    else:
        channels, names = person(size, rng, grain=kind != "plain"), NAMES
    if kind == "fat":
        channels |= elements(channels, rng)
    return build(Part(channels, ZIPS, attributes=attributes(names)))


def attributes(names: list[str]) -> dict[str, str]:
    """The cryptomatte of the layers."""
    ids = {name: object_id(name) for name in names}
    return cryptomatte(LAYER, f"{object_id(LAYER):08x}"[:7], ids)


def kinds() -> list[str]:
    """What can be made here."""
    return ["noisy", "plain", "fat"] + (["human"] if (SAMPLE / "24.rgb.png").exists() else [])


def person(size: int, rng: np.random.Generator, *, grain: bool) -> dict[str, NDArray[Any]]:
    """Channels of something like a head: a ball with soft edges and 40 patches of ids."""
    y, x = np.mgrid[-1.2 : 1.2 : size * 1j, -1.0 : 1.0 : size * 1j].astype(np.float32)
    radius = np.hypot(x, y) / 0.85
    alpha = np.clip((1 - radius) * size / 4, 0, 1)
    inside = alpha > 0
    height = np.sqrt(np.clip(1 - radius**2, 0, 1))
    light = (0.15 + 0.6 * height)[..., None] * np.array((0.8, 0.55, 0.45), np.float32)
    behind = 0.3 + 0.1 * y[..., None] if grain else np.zeros((1, 1, 1), np.float32)
    rgb = np.where(inside[..., None], light, behind)
    normals = np.stack([-x, -y, height], 2)
    if grain:
        rgb = rgb + rng.normal(0, 0.004, (size, size, 3)).astype(np.float32)
        normals = normals + rng.normal(0, 0.01, (size, size, 3))
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    else:
        rgb, normals = np.round(rgb * 64) / 64, np.round(normals * 64) / 64
    normals = np.where(inside[..., None], normals, (-0.0, 0.0, 1.0))
    made: dict[str, NDArray[Any]] = {"A": alpha.astype("<f2")}
    for index, name in enumerate("RGB"):
        made[name] = rgb[..., index].astype("<f2")
        made[f"effectsResult.{name}"] = cv2.GaussianBlur(rgb[..., index], (3, 3), 0).astype("<f2")
    for index, name in enumerate("XYZ"):
        made[f"normals.{name}"] = normals[..., index].astype("<f2")
    made["Z"] = np.where(inside, 1.5 - 0.1 * height, 0).astype("<f4")
    patch = ((np.arctan2(y, x) * 6).astype(int) % 8 * 5 + (np.hypot(x, y) * 6).astype(int) % 5) % 40
    return made | layers(patch, (patch + 7) % 40, alpha, NAMES, rng)


def human(rng: np.random.Generator) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Channels that a real render's images came from, as far as one can tell."""
    import tifffile

    table = json.loads((SAMPLE / "24.info.json").read_text())["segments_mapping"]
    names = [name for name, number in sorted(table.items(), key=lambda pair: pair[1]) if number]
    read = {name: cv2.imread(str(SAMPLE / f"24.{name}.png"), -1) for name in ("rgb", "segments")}
    eight = read["rgb"][..., ::-1].astype(np.float64) / 255
    linear = np.where(eight <= 0.04045, eight / 12.92, ((eight + 0.055) / 1.055) ** 2.4)
    alpha = tifffile.imread(SAMPLE / "24.alpha.tif").astype(np.float32) / 255
    normals = tifffile.imread(SAMPLE / "24.normals.tif")
    made: dict[str, NDArray[Any]] = {"A": alpha.astype("<f2")}
    for index, name in enumerate("RGB"):
        plane = linear[..., index]
        made[f"effectsResult.{name}"] = plane.astype("<f2")
        made[name] = (plane + rng.normal(0, 0.002, plane.shape)).clip(0).astype("<f2")
    for index, name in enumerate("XYZ"):
        made[f"normals.{name}"] = (normals[..., index] * (-1 if name == "X" else 1)).astype("<f2")
    made["Z"] = tifffile.imread(SAMPLE / "24.depth.tif").astype("<f4")
    numbers = read["segments"].astype(int)
    behind = np.roll(numbers, (3, 3), (0, 1))
    return made | layers(numbers - 1, behind - 1, (numbers > 0) * 1.0, names, rng), names


def layers(
    first: NDArray[Any], second: NDArray[Any], alpha: NDArray[Any], names: list[str], rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Three layers of a cryptomatte: mostly one object a pixel, two along edges; -1 is nothing."""
    table = np.array([*(object_id(name) for name in names), 0], "<u4")
    edge = (np.roll(first, 1, 1) != first) | (np.roll(first, 1, 0) != first)
    share = np.where(edge, rng.uniform(0.6, 1, first.shape), 1).astype("<f4") * alpha
    rest = np.where(edge & (second != first), alpha - share, 0)
    made = {f"{LAYER}{layer:02}.{end}": np.zeros(first.shape, "<f4") for layer in range(3) for end in "RGBA"}
    made[f"{LAYER}00.R"] = np.where(share > 0, table[first], 0).astype("<u4").view("<f4")
    made[f"{LAYER}00.G"] = share.astype("<f4")
    made[f"{LAYER}00.B"] = np.where(rest > 0, table[second], 0).astype("<u4").view("<f4")
    made[f"{LAYER}00.A"] = rest.astype("<f4")
    return made


def elements(channels: dict[str, NDArray[Any]], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Ninety bytes a pixel more: what lighting is made of, and a second cryptomatte, of materials."""
    made: dict[str, NDArray[Any]] = {}
    for element in ("GI", "SSS", "diffuse", "lighting", "rawLight", "reflection", "specular"):
        weight = np.float16(rng.uniform(0.1, 0.6))
        for name in "RGB":
            made[f"{element}.{name}"] = (channels[f"effectsResult.{name}"] * weight).astype("<f2")
    for name in [name for name in channels if name.startswith(LAYER)]:
        made[name.replace(LAYER, "materials")] = np.roll(channels[name], 9, 0)
    return made
