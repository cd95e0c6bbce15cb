"""CPU time of the five assets of an EXR: ours against OpenEXR, OpenCV and tifffile from PyPI.

    python -m pip install -r tests/bench/requirements.txt
    python tests/bench/extract.py [--size 1024] [--runs 7]

Makes renders as V-Ray lays them out (ZIPS, 23 channels, 72 bytes a pixel), then lets both sides
make rgb, alpha, depth, normals and segments of them in turn, on one thread each. The figure of a
side is the least CPU time of its runs, in this one process; files are in the page cache and
outputs go to a folder of `--scratch` (a memory file system if there is one). Both sides' pixels
are compared before anything is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenEXR
import tifffile

from synthesis.ops.extract import extract
from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ASSETS = ("rgb", "alpha", "depth", "normals", "segments")
NAMES = [f"part_{number:02}" for number in range(92)]


def person(size: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Channels of something like a head: a ball with noise, soft edges, 40 patches of ids."""
    y, x = np.mgrid[-1.2 : 1.2 : size * 1j, -1.0 : 1.0 : size * 1j].astype(np.float32)
    radius = np.hypot(x, y) / 0.85
    alpha = np.clip((1 - radius) * size / 4, 0, 1)
    inside = alpha > 0
    height = np.sqrt(np.clip(1 - radius**2, 0, 1))
    grain = rng.normal(0, 0.004, (size, size, 3)).astype(np.float32)
    light = 0.15 + 0.6 * height
    rgb = np.where(inside[..., None], light[..., None] * (0.8, 0.55, 0.45), 0.3 + 0.1 * y[..., None]) + grain
    normals = np.stack([-x, -y, height], 2) + rng.normal(0, 0.01, (size, size, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals = np.where(inside[..., None], normals, (-0.0, 0.0, 1.0))
    made: dict[str, NDArray[Any]] = {"A": alpha.astype(np.float16)}
    for index, name in enumerate("RGB"):
        made[name] = rgb[..., index].astype(np.float16)
        made[f"effectsResult.{name}"] = cv2.GaussianBlur(rgb[..., index], (3, 3), 0).astype(np.float16)
    for index, name in enumerate("XYZ"):
        made[f"normals.{name}"] = normals[..., index].astype(np.float16)
    made["Z"] = np.where(inside, 1.5 - 0.1 * height, 0).astype(np.float32)
    return made | ids(x, y, alpha, rng)


def ids(
    x: NDArray[np.float32], y: NDArray[np.float32], alpha: NDArray[np.float32], rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Three layers of a cryptomatte: mostly one object a pixel, two along edges."""
    patch = ((np.arctan2(y, x) * 6).astype(int) % 8 * 5 + (np.hypot(x, y) * 6).astype(int) % 5) % 40
    table = np.array([object_id(name) for name in NAMES], np.uint32)
    first, second = table[patch], table[(patch + 7) % 40]
    edge = (np.roll(patch, 1, 1) != patch) | (np.roll(patch, 1, 0) != patch)
    share = np.where(edge, rng.uniform(0.5, 1, patch.shape), 1).astype(np.float32) * alpha
    rest = np.where(edge, alpha - share, 0).astype(np.float32)
    made = {f"cryptomatte{layer:02}.{end}": np.zeros_like(alpha) for layer in range(3) for end in "RGBA"}
    made["cryptomatte00.R"] = np.where(share > 0, first, 0).astype(np.uint32).view(np.float32)
    made["cryptomatte00.G"] = share.astype(np.float32)
    made["cryptomatte00.B"] = np.where(rest > 0, second, 0).astype(np.uint32).view(np.float32)
    made["cryptomatte00.A"] = rest
    return made


def render(path: Path, size: int, seed: int) -> None:
    """Write one file with the reference library."""
    manifest = json.dumps({name: f"{object_id(name):08x}" for name in NAMES}, separators=(",", ":"))
    header = {
        "compression": OpenEXR.ZIPS_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "cryptomatte/881c23b/name": "cryptomatte",
        "cryptomatte/881c23b/manifest": manifest,
    }
    OpenEXR.File(header, person(size, np.random.default_rng(seed))).write(str(path))


def curve() -> NDArray[np.uint8]:
    """8-bit sRGB of every float16."""
    values = np.nan_to_num(np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64), nan=0)
    values = values.clip(0, 1)
    values = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
    return np.floor(255 * values + 0.5).astype(np.uint8)


CURVE = curve()


def theirs(path: Path, out: Path) -> None:
    """The five assets as one would write it with care: tables, no loops over objects, no copies."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        header, channels = file.header(), file.channels()
        stem = str(out / path.stem)
        blue_first = [CURVE[channels[f"effectsResult.{name}"].pixels.view(np.uint16)] for name in "BGR"]
        cv2.imwrite(f"{stem}.rgb.png", cv2.merge(blue_first))
        alpha = (channels["A"].pixels.astype(np.float32).clip(0, 1) * 255 + 0.5).astype(np.uint8)
        cv2.imwrite(f"{stem}.alpha.tif", alpha)
        packing = {"compression": "zlib", "predictor": 3, "rowsperstrip": 32}
        tifffile.imwrite(f"{stem}.depth.tif", channels["Z"].pixels.astype(np.float16), **packing)
        x, y, z = (channels[f"normals.{name}"].pixels for name in "XYZ")
        tifffile.imwrite(f"{stem}.normals.tif", np.stack([-x, y, z], 2), photometric="rgb", **packing)
        cv2.imwrite(f"{stem}.segments.png", segments(header, channels))


def segments(header: Any, channels: Any) -> NDArray[np.uint16]:
    """Rank by rank through a sorted table; exact while no object has more than one rank of a pixel."""
    manifest = json.loads(header["cryptomatte/881c23b/manifest"])
    names = sorted(manifest)
    known = np.array([int(manifest[name], 16) for name in names], np.uint32)
    order = np.argsort(known)
    best = np.zeros(channels["A"].pixels.shape, np.uint8)
    winner = np.zeros(best.shape, np.uint16)
    for layer in range(3):
        for id_, coverage in ("RG", "BA"):
            weight = channels[f"cryptomatte{layer:02}.{coverage}"].pixels
            if not weight.any():
                continue
            found = channels[f"cryptomatte{layer:02}.{id_}"].pixels.view(np.uint32)
            place = np.searchsorted(known[order], found).clip(0, len(known) - 1)
            number = np.where(known[order][place] == found, order[place] + 1, 0).astype(np.uint16)
            mask = (weight * np.float32(255)).astype(np.uint8)
            mask[number == 0] = 0
            wins = (mask > best) | ((mask == best) & (mask > 0) & (number < winner))
            winner[wins], best[wins] = number[wins], mask[wins]
    return winner


def cpu(work: Callable[[], object]) -> float:
    """CPU milliseconds of all threads of this process."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def check(one: Path, other: Path) -> None:
    """Every image of both folders has the same pixels."""
    names = sorted(path.name for path in one.iterdir())
    if not names or names != sorted(path.name for path in other.iterdir()):
        raise SystemExit("the two sides made different files")
    for name in names:
        if name.endswith((".depth.tif", ".normals.tif")):
            first, second = (tifffile.imread(folder / name) for folder in (one, other))
        else:
            first, second = (cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for folder in (one, other))
        if first.dtype != second.dtype or not np.array_equal(first, second):
            raise SystemExit(f"the two sides differ in {name}")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="CPU time of extraction")
    options.add_argument("--size", type=int, default=1024)
    options.add_argument("--files", type=int, default=3)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--scratch", default="/dev/shm" if Path("/dev/shm").is_dir() else None)
    wish = options.parse_args()
    cv2.setNumThreads(1)
    OpenEXR.set_global_thread_count(0)
    with tempfile.TemporaryDirectory(dir=wish.scratch) as folder:
        root = Path(folder)
        files = [root / f"{index}.cam_default.f_1.exr" for index in range(wish.files)]
        for index, path in enumerate(files):
            render(path, wish.size, index)
        peer, ours = root / "theirs", root / "ours"
        peer.mkdir()

        def run(mode: Any, assets: Any = ASSETS) -> Callable[[], object]:
            return lambda: extract(files, assets=assets, directory=ours, mode=mode, workers=1)

        sides: dict[str, Callable[[], object]] = {
            "OpenEXR + numpy + OpenCV + tifffile": lambda: [theirs(path, peer) for path in files],
            "ours, fast": run("fast"),
            "ours, exact": run("exact"),
            "ours, fast, rgb alone": run("fast", ["rgb"]),
        }
        for name in list(sides)[:3]:
            sides[name]()
            if name != next(iter(sides)):
                check(ours, peer)
        best = dict.fromkeys(sides, float("inf"))
        sizes = {}
        for _ in range(wish.runs):
            for name, work in sides.items():
                best[name] = min(best[name], cpu(work) / len(files))
                out = peer if name == next(iter(sides)) else ours
                sizes[name] = sum(path.stat().st_size for path in out.iterdir()) / len(files)
        megabytes = sum(path.stat().st_size for path in files) / len(files) / 1e6
        print(
            f"{wish.files} files of {wish.size} x {wish.size}, {megabytes:.1f} MB each;"
            f" least CPU time of {wish.runs} runs, one thread;"
            f" {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};"
            f" OpenEXR {version('OpenEXR')}, OpenCV {cv2.__version__}, tifffile {tifffile.__version__},"
            f" numpy {np.__version__}, synthesis-cli {version('synthesis-cli')}"
        )
        print("\n| side | CPU ms per file | times as fast | MB written |\n| --- | ---: | ---: | ---: |")
        first = best[next(iter(sides))]
        for name, figure in best.items():
            size = "" if "alone" in name else f"{sizes[name] / 1e6:.2f}"
            print(f"| {name} | {figure:.0f} | {first / figure:.1f} | {size} |")


if __name__ == "__main__":
    main()
