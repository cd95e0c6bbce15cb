"""Where a person who marks a photograph by eye would put the outline of the jaw.

Points of the jaw on the side that is turned away are hidden behind the cheek; people mark the visible
edge of the face instead. The original's rule is not public: these points go to where the line from the
middle of the face through the hidden point leaves the face's outline.
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


def contour(camera: ResolvedCamera, figure: Figure) -> np.ndarray:
    """Return the 68 points of `ibug68_contour` on the screen, (68, 2)."""
    import numpy as np

    world = figure.landmarks["ibug68"]
    screen = camera.project(world)
    parts = [mesh.vertices for mesh in figure.meshes if mesh.segment in FACE]
    if not parts:
        return screen
    outline = _hull(camera.project(np.concatenate(parts)))
    centre = screen[27:36].mean(axis=0)
    for point in np.flatnonzero(_turned_away(camera, figure, world[:JAW])):
        screen[point] = _leaves(centre, screen[point], outline)
    return screen


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


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the convex hull of points (N, 2), counter-clockwise (Andrew's monotone chain)."""
    import numpy as np

    ordered = np.unique(np.round(points, 6), axis=0)
    ordered = ordered[np.isfinite(ordered).all(axis=1)]

    def half(chain: np.ndarray) -> list[np.ndarray]:
        kept: list[np.ndarray] = []
        for point in chain:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-1] - kept[-2], point - kept[-2]
                if ax * by - ay * bx > 0:
                    break
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _leaves(centre: np.ndarray, through: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Return where the ray from `centre` leaves a convex outline; never short of the point `through`."""
    import numpy as np

    ahead = through - centre
    start, edge = outline, np.roll(outline, -1, axis=0) - outline
    cross = ahead[0] * edge[:, 1] - ahead[1] * edge[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = start - centre
        along = (offset[:, 0] * edge[:, 1] - offset[:, 1] * edge[:, 0]) / cross
        across = (offset[:, 0] * ahead[1] - offset[:, 1] * ahead[0]) / cross
    met = along[(across >= 0) & (across <= 1) & (along > 0)]
    reach = max(1.0, float(met.max())) if len(met) else 1.0
    out: np.ndarray = centre + ahead * reach
    return out
