"""From a rig and its camera to a pinhole in the world (`formats.md` §3.1, §3.2).

World: right-handed, x to the subject's left, y up, z to where the subject faces.
Camera: OpenGL, x right, y up, z backwards. Matrices are row-major 4x4 for column vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import Camera


@dataclass(frozen=True, kw_only=True)
class ResolvedCamera:
    """A camera with its place in the world.

    Attributes:
        camera: the scene's camera.
        cam2world: (4, 4) float64.
        intrinsics: (3, 3) float64, pixels; fx = fy = focal / sensor_width * width.
    """

    camera: Camera
    cam2world: np.ndarray
    intrinsics: np.ndarray
