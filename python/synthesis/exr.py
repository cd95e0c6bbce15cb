"""Multi-channel EXRs from Python: look, read into numpy, extract.

import synthesis.exr

file = synthesis.exr.open("0.cam_default.f_1.exr")
file.size, file.channels, file.assets
rgb = file.read(["R", "G", "B"])                                # (H, W, 3) float16
planes = file.planes(["R", "Z"])                                # {"R": (H, W) float16, "Z": (H, W) float32}
made = synthesis.exr.extract(file.path, assets=["rgb", "segments"])   # arrays
synthesis.exr.extract(file.path, assets=["rgb"], directory="images")  # files
"""

from __future__ import annotations

from synthesis.ops.read_exr import Exr
from synthesis.ops.read_exr import extract_one as extract
from synthesis.ops.read_exr import open_exr as open  # noqa: A004 - as tifffile, PIL and gzip have it

__all__ = ["Exr", "extract", "open"]
