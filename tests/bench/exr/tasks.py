"""What is measured: the same work by us and by a peer, and how many times as fast we promise to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import tifffile

from bench.exr import corpora, peers
from exr_files import NONE, Part, build
from synthesis import exr
from synthesis.ops.encode_image import encode_image
from synthesis.ops.extract import extract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ASSETS = ("rgb", "alpha", "depth", "normals", "segments")


@dataclass(frozen=True)
class Task:
    """One piece of work on one file; `size` is our bytes over the peer's, where files are made."""

    name: str
    kind: str
    peer: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    must: float
    size: Callable[[], float] | None = None
    largest: float | None = None


def tasks(kind: str, path: Path, folder: Path) -> Iterator[Task]:
    """The tasks of one file; the outputs of both sides are compared first."""
    ours, theirs, third = (folder / name for name in ("ours", "theirs", "third"))
    for place in (ours, theirs, third):
        place.mkdir(exist_ok=True)
    ids, stem = peers.manifest(path), path.stem

    def five(**how: object) -> Callable[[], object]:
        return lambda: extract([path], assets=ASSETS, directory=ours, workers=1, **how)  # type: ignore[arg-type]

    def tuned() -> None:
        peers.write_five(peers.openexr(path), ids, str(theirs / stem))

    def by_openimageio() -> None:
        peers.write_five_by_openimageio(peers.openimageio(path), ids, str(third / stem))

    def bytes_of(place: Path) -> int:
        return sum(entry.stat().st_size for entry in place.iterdir())

    five()()
    tuned()
    compare(ours, theirs, stem)
    yield Task(
        "five assets, file to files",
        kind,
        "OpenEXR + numpy + OpenCV + tifffile",
        five(),
        tuned,
        3,
        lambda: bytes_of(ours) / bytes_of(theirs),
        1.05,
    )
    yield Task("five assets, file to files", kind, "OpenImageIO", five(), by_openimageio, 12)
    yield Task(
        "channels of five assets",
        kind,
        "OpenEXR",
        lambda: exr.open(path).planes(peers.FIVE),
        lambda: peers.openexr(path, peers.FIVE),
        2.5,
    )
    yield Task(
        "R, G, B alone",
        kind,
        "OpenEXR",
        lambda: exr.open(path).read(["R", "G", "B"]),
        lambda: peers.openexr(path, tuple("RGB")),
        6 if kind == "plain" else 2.8,
    )
    channels = peers.openexr(path)
    yield from encoders(kind, channels, ids)
    # Ours cannot be had without a file: one that is not packed costs little, and that counts against us.
    plain = folder / f"{kind}.ids.exr"
    layers = {name: np.asarray(channels[name]) for name in peers.IDS}
    plain.write_bytes(build(Part(layers, NONE, attributes=corpora.attributes(list(ids)))))
    yield Task(
        "segments from ids",
        kind,
        "numpy look-up",
        lambda: exr.extract(plain, assets=["segments"]),
        lambda: peers.segments(channels, ids),
        4,
    )
    yield Task(
        "five assets and a thumbnail",
        kind,
        "five assets",
        five(thumbnail=True),
        five(),
        0,
    )


def encoders(kind: str, channels: peers.Channels, ids: dict[str, str]) -> Iterator[Task]:
    """One image each, in memory."""
    bgr, normals = peers.rgb(channels), peers.normals(channels)
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    sizes: dict[str, int] = {}

    def sized(name: str, data: object) -> None:
        sizes[name] = len(data)  # type: ignore[arg-type]

    def tiff() -> bytes:
        import io

        file = io.BytesIO()
        tifffile.imwrite(file, normals, photometric="rgb", **peers.TIFF)
        return file.getvalue()

    yield Task(
        "rgb PNG",
        kind,
        "OpenCV",
        lambda: sized("png", encode_image("rgb", rgb)),
        lambda: sized("cv2", cv2.imencode(".png", bgr)[1]),
        4.5,
        lambda: sizes["png"] / sizes["cv2"],
        0.95,
    )
    yield Task(
        "normals TIFF",
        kind,
        "tifffile",
        lambda: sized("tif", encode_image("normals", normals)),
        lambda: sized("tifffile", tiff()),
        5,
        lambda: sizes["tif"] / sizes["tifffile"],
        1.10,
    )


def compare(ours: Path, theirs: Path, stem: str) -> None:
    """Stop if one pixel differs."""
    found, wanted = peers.read_back(ours, stem), peers.read_back(theirs, stem)
    for name, pixels in wanted.items():
        if not np.array_equal(found[name], pixels):
            raise SystemExit(f"{stem}: the pixels of {name} differ from the peer's")
