"""The layers of an image and their EXR (`formats.md` §5.5): one layout for every renderer.

Cryptomattes follow Psyop's specification 1.2: an object's id is the 32-bit MurmurHash3 of its name, kept
as the bits of a float; per pixel up to six (id, coverage) pairs by falling coverage, two per layer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.ops.object_id import object_id
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

RANKS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Matte:
    """Which objects cover each pixel, and how much.

    Attributes:
        names: every name of the scene, also of objects that no pixel shows.
        ids: (R, H, W) int, indexes into `names`; -1 is nothing. R may be any number; the six with
            the largest coverage are kept.
        coverage: (R, H, W) float in 0..1.
    """

    names: tuple[str, ...]
    ids: np.ndarray
    coverage: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Layers:
    """One image before it is written; row 0 is the top.

    Attributes:
        rgb: (H, W, 3) scene-linear. alpha: (H, W), coverage of the person.
        depth: (H, W) metres along the view ray, 0 behind the person.
        normals: (H, W, 3) in the frame of the view ray (x right, y up, z to the camera); background
            (0, 0, 1).
        segmentation: body parts. clothing: garments.
    """

    rgb: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    segmentation: Matte
    clothing: Matte

    def write(self, path: Path) -> None:
        """Write the EXR at `path`."""
        import numpy as np

        channels: dict[str, np.ndarray] = {
            "A": self.alpha.astype(np.float16),
            "R": self.rgb[..., 0].astype(np.float16),
            "G": self.rgb[..., 1].astype(np.float16),
            "B": self.rgb[..., 2].astype(np.float16),
            "Z": self.depth.astype(np.float32),
            # Kept as V-Ray writes it, with x to the left; extraction turns it back.
            "normals.X": (-self.normals[..., 0]).astype(np.float16),
            "normals.Y": self.normals[..., 1].astype(np.float16),
            "normals.Z": self.normals[..., 2].astype(np.float16),
        }
        attributes: dict[str, str] = {}
        for name, matte in (("segmentation", self.segmentation), ("clothing", self.clothing)):
            channels |= _matte_channels(name, matte)
            attributes |= _matte_attributes(name, matte.names)
        write_exr(path, channels, attributes)


def _matte_channels(name: str, matte: Matte) -> dict[str, np.ndarray]:
    import numpy as np

    count, height, width = matte.ids.shape
    coverage = matte.coverage.astype(np.float32)
    order = np.argsort(-coverage, axis=0, kind="stable")[:RANKS]
    ids, coverage = (np.take_along_axis(each, order, axis=0) for each in (matte.ids, coverage))
    coverage[ids < 0] = 0.0
    words = np.array([0, *map(object_id, matte.names)], dtype="<u4")
    bits = words.view("<f4")[np.where(coverage > 0, ids + 1, 0)]
    empty = np.zeros((height, width), np.float32)
    channels = {}
    for rank in range(RANKS):
        first, second = ("R", "G") if rank % 2 == 0 else ("B", "A")
        channels[f"{name}{rank // 2:02}.{first}"] = bits[rank] if rank < count else empty
        channels[f"{name}{rank // 2:02}.{second}"] = coverage[rank] if rank < count else empty
    return channels


def _matte_attributes(name: str, names: tuple[str, ...]) -> dict[str, str]:
    key = f"cryptomatte/{object_id(name):08x}"[:19]
    manifest = {each: f"{object_id(each):08x}" for each in sorted(names)}
    return {
        f"{key}/name": name,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": json.dumps(manifest, separators=(",", ":")),
    }
