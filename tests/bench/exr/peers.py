"""The same work by other means, as one would write it with care: tables, no loops over objects, no copies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import OpenEXR
import OpenImageIO
import tifffile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Channels = Mapping[str, NDArray[Any]]

COLORS = tuple(f"effectsResult.{name}" for name in "RGB")
NORMALS = tuple(f"normals.{name}" for name in "XYZ")
IDS = tuple(f"cryptomatte{layer:02}.{end}" for layer in range(3) for end in "RGBA")
FIVE = ("A", "Z", *COLORS, *NORMALS, *IDS)
"""The channels of the five assets."""

KINDS = {"uint8": OpenImageIO.UINT8, "uint16": OpenImageIO.UINT16, "float16": OpenImageIO.HALF}
TIFF: dict[str, Any] = {"compression": "zlib", "predictor": 3, "rowsperstrip": 32}


def one_thread() -> None:
    """Let every library work on the thread that calls it."""
    cv2.setNumThreads(1)
    OpenEXR.set_global_thread_count(0)
    OpenImageIO.attribute("threads", 1)
    OpenImageIO.attribute("exr_threads", -1)


def openexr(path: Path, names: tuple[str, ...] | None = None) -> Channels:
    """Channels by OpenEXR's binding: those of `names`, or all of them."""
    if names is not None:
        kinds = {"Z": "<f4", **dict.fromkeys(IDS, "<f4")}
        file = OpenEXR.InputFile(str(path))  # the only one of its calls that reads some of the channels
        window = file.header()["dataWindow"]
        shape = window.max.y - window.min.y + 1, window.max.x - window.min.x + 1
        found = zip(names, file.channels(list(names)), strict=True)
        return {name: np.frombuffer(data, kinds.get(name, "<f2")).reshape(shape) for name, data in found}
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def openimageio(path: Path) -> Channels:
    """All channels by OpenImageIO, each in its own type."""
    file = OpenImageIO.ImageInput.open(str(path))
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, OpenImageIO.UNKNOWN)
    file.close()
    if pixels.dtype == np.uint8:  # mixed types come as bytes, one pixel after the other
        fields = [
            (name, "<f2" if str(spec.channelformat(index)) == "half" else "<f4")
            for index, name in enumerate(spec.channelnames)
        ]
        whole = pixels.reshape(spec.height, -1).view(np.dtype(fields))
        return {name: whole[name] for name in spec.channelnames}
    return {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def manifest(path: Path) -> dict[str, str]:
    """Names and ids of the cryptomatte."""
    with OpenEXR.File(str(path), header_only=True) as file:
        header = dict(file.header())  # it is empty once the file is closed
    layer = next(key for key, value in header.items() if key.endswith("/name") and value == "cryptomatte")
    return json.loads(header[layer.replace("/name", "/manifest")])


def curve() -> NDArray[np.uint8]:
    """8-bit sRGB of every float16."""
    values = np.nan_to_num(np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64), nan=0)
    values = values.clip(0, 1)
    values = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
    return np.floor(255 * values + 0.5).astype(np.uint8)


CURVE = curve()


def rgb(channels: Channels) -> NDArray[np.uint8]:
    """The picture, blue first."""
    planes = [np.ascontiguousarray(channels[name]).view(np.uint16) for name in reversed(COLORS)]
    return cv2.merge([CURVE[plane] for plane in planes])


def normals(channels: Channels) -> NDArray[np.float16]:
    """Three channels, x to the right."""
    x, y, z = (channels[name].astype(np.float16, copy=False) for name in NORMALS)
    return np.stack([-x, y, z], 2)


def write_five(channels: Channels, ids: Mapping[str, str], stem: str) -> None:
    """All five images, by OpenCV and tifffile."""
    cv2.imwrite(f"{stem}.rgb.png", rgb(channels))
    cv2.imwrite(f"{stem}.alpha.tif", alpha(channels))
    tifffile.imwrite(f"{stem}.depth.tif", channels["Z"].astype(np.float16), **TIFF)
    tifffile.imwrite(f"{stem}.normals.tif", normals(channels), photometric="rgb", **TIFF)
    cv2.imwrite(f"{stem}.segments.png", segments(channels, ids))


def write_five_by_openimageio(channels: Channels, ids: Mapping[str, str], stem: str) -> None:
    """All five images, by OpenImageIO at its own levels."""
    images = {
        "rgb.png": np.ascontiguousarray(rgb(channels)[..., ::-1]),
        "alpha.tif": alpha(channels),
        "depth.tif": channels["Z"].astype(np.float16),
        "normals.tif": normals(channels),
        "segments.png": segments(channels, ids),
    }
    for end, pixels in images.items():
        name = f"{stem}.{end}"
        height, width, *rest = pixels.shape
        spec = OpenImageIO.ImageSpec(width, height, *rest or (1,), KINDS[pixels.dtype.name])
        spec.attribute("compression", "zip")
        file = OpenImageIO.ImageOutput.create(name)
        if not (file.open(name, spec) and file.write_image(pixels) and file.close()):
            raise RuntimeError(f"{name}: {file.geterror()}")


def alpha(channels: Channels) -> NDArray[np.uint8]:
    """Coverage in 8 bits."""
    return (channels["A"].astype(np.float32).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def segments(channels: Channels, ids: Mapping[str, str]) -> NDArray[np.uint16]:
    """Rank by rank through a sorted table; exact while no object has more than one rank of a pixel."""
    names = sorted(ids)
    known = np.array([int(ids[name], 16) for name in names], np.uint32)
    order = np.argsort(known)
    sorted_ = known[order]
    shape = channels["A"].shape
    best, winner = np.zeros(shape, np.uint8), np.zeros(shape, np.uint16)
    for layer in range(3):
        for id_, coverage in ("RG", "BA"):
            weight = channels[f"cryptomatte{layer:02}.{coverage}"]
            if not weight.any():
                continue
            found = np.ascontiguousarray(channels[f"cryptomatte{layer:02}.{id_}"]).view(np.uint32)
            place = np.searchsorted(sorted_, found).clip(0, len(known) - 1)
            number = np.where(sorted_[place] == found, order[place] + 1, 0).astype(np.uint16)
            mask = (weight * np.float32(255)).astype(np.uint8)
            mask[number == 0] = 0
            wins = (mask > best) | ((mask == best) & (mask > 0) & (number < winner))
            winner[wins], best[wins] = number[wins], mask[wins]
    return winner


def read_back(folder: Path, stem: str) -> Channels:
    """The five images of a folder, as pixels."""
    names = {"rgb": "png", "alpha": "tif", "segments": "png"}
    images = {name: cv2.imread(str(folder / f"{stem}.{name}.{end}"), -1) for name, end in names.items()}
    return images | {name: tifffile.imread(folder / f"{stem}.{name}.tif") for name in ("depth", "normals")}
