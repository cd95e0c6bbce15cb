"""Where a person who marks a photograph by eye would put the outline of the jaw.

Points of the jaw on the side that is turned away are hidden behind the cheek; people mark the visible
edge of the face instead. The original's rule is not public: these points go sideways, at their own height
on the face, to where the face ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure.model import Figure

JAW = 17
"""ibug68 ids 0 .. 16 follow the jaw from the right ear to the left one."""

FACE = (
    "brow", "cheek_left", "cheek_right", "chin", "forehead", "head", "jaw", "jowl", "lip_lower", "lip_upper",
    "nose", "smile_line", "temples", "undereye",
)  # fmt: skip
"""Segments that make the outline of the face."""

BAND = 0.03
"""Vertices this near in height, in parts of 10 cm, count as beside a point."""


def contour(camera: ResolvedCamera, figure: Figure) -> np.ndarray:
    """Return the 68 points of `ibug68_contour` on the screen, (68, 2)."""
    import numpy as np

    size = (camera.camera.resolution_w, camera.camera.resolution_h)
    world = figure.landmarks["ibug68"]
    pixels = camera.project(world) * size
    parts = [mesh.vertices for mesh in figure.meshes if mesh.segment in FACE]
    if parts:
        face = camera.project(np.concatenate(parts)) * size
        face = face[np.isfinite(face).all(axis=1)]
        low, high = (
            camera.project(figure.head2world[:3, 3] + np.outer((0.0, 0.1), figure.head2world[:3, 1])) * size
        )
        up = (high - low) / np.linalg.norm(high - low)
        height, middle = face @ up, pixels[27:36].mean(axis=0)
        for point in np.flatnonzero(_turned_away(camera, figure, world[:JAW])):
            aside = (pixels[point] - middle) - up * ((pixels[point] - middle) @ up)
            aside /= np.linalg.norm(aside)
            level = np.abs(height - pixels[point] @ up) < BAND * np.linalg.norm(high - low)
            reach = (face[level] @ aside).max(initial=pixels[point] @ aside)
            pixels[point] += aside * (reach - pixels[point] @ aside)
    return np.asarray(pixels / size)


def _turned_away(camera: ResolvedCamera, figure: Figure, jaw: np.ndarray) -> np.ndarray:
    """Say which jaw points face away from the camera, seen from the upright axis of the head."""
    import numpy as np

    head = np.linalg.inv(figure.head2world)
    local = jaw @ head[:3, :3].T + head[:3, 3]
    eye = head[:3, :3] @ camera.cam2world[:3, 3] + head[:3, 3]
    # The axis runs through the middle of the skull, as far behind the jaw's ends as they are wide.
    outward = local - (0.0, 0.0, local[[0, -1], 2].mean())
    away: np.ndarray = (outward[:, [0, 2]] * (eye - local)[:, [0, 2]]).sum(axis=1) < 0
    return away
