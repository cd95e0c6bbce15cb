"""Ears: a shell over a drawn outline, with helix, antihelix, bowl, tragus and lobe as relief."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, step

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

ROOT = (71.0, -22.0, -47.0)  # middle of the ear on the neutral head
TILT = 14.0  # degrees the top leans back
FLARE = 27.0  # degrees the back edge stands off the head


def ear(size: float = 1.0) -> tuple[Array, Array]:
    """Vertices (N, 3) and faces of the subject's left ear on the neutral head, millimetres."""
    import numpy as np

    around, rings = 96, 34
    a = np.arange(around) * 2 * np.pi / around
    # Outline in the ear's plane: v up, u to the back; the front edge is nearly straight.
    u0, v0 = np.cos(a), np.sin(a)
    height = 31.5 * size
    back = (17.5 + 2.2 * v0) * size
    front = (12.0 + 1.5 * v0) * size
    outline_u = np.where(u0 > 0, u0 * back, u0 * front)
    outline_u = np.where(v0 < -0.2, outline_u * (1 - 0.32 * step(-v0, 0.2, 0.95)), outline_u)
    outline_v = v0 * height
    t = np.sin(np.linspace(0.0, 1.0, rings) * np.pi / 2)
    u = t[:, None] * outline_u - 1.0 * (1 - t[:, None])
    v = t[:, None] * outline_v
    n = _relief(u / size, v / size, np.broadcast_to(t[:, None], u.shape), np.broadcast_to(a, u.shape)) * size
    face = np.stack([u, v, n], -1)
    shell = []
    for depth, shrink in ((-1.2, 1.0), (-3.6, 0.96), (-6.5, 0.82), (-11.0, 0.55), (-17.0, 0.35)):
        rim = np.stack([outline_u * shrink, outline_v * shrink, n[-1] * shrink + depth * size], -1)
        shell.append(rim)
    grid = np.concatenate([face, np.stack(shell)])
    count = len(grid)
    i, j = np.meshgrid(np.arange(count - 1), np.arange(around), indexing="ij")
    k = (j + 1) % around
    quad = np.stack([i * around + j, (i + 1) * around + j, (i + 1) * around + k, i * around + k], -1).reshape(
        -1, 4
    )
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    flare, tilt = np.radians(FLARE), np.radians(TILT)
    # u runs backwards (-z) and outwards; n points outwards and forwards.
    axis_u = np.array([np.sin(flare), 0, -np.cos(flare)])
    axis_n = np.array([np.cos(flare), 0, np.sin(flare)])
    axis_v = np.array([0, 1.0, 0])
    lean = (
        np.cos(tilt) * grid[..., 1] - np.sin(tilt) * grid[..., 0],
        np.sin(tilt) * grid[..., 1] + np.cos(tilt) * grid[..., 0],
    )
    points = lean[1][..., None] * axis_u + lean[0][..., None] * axis_v + grid[..., 2:3] * axis_n
    return points.reshape(-1, 3) + np.array(ROOT), faces


def _relief(u: Array, v: Array, t: Array, a: Array) -> Array:
    """Height of the ear's front over its plane (size 1, millimetres)."""
    import numpy as np

    upper = step(v, -20, -4)
    rim = bump(t, 0.93, 0.085) * (0.25 + 0.75 * step(np.cos(a - 0.9), -0.55, 0.2)) * (0.3 + 0.7 * upper)
    h = 3.4 * rim
    h += -2.0 * bump(t, 0.75, 0.09) * upper * step(u, -8, 2)  # groove inside the rim
    anti = bump(np.hypot((u - 1.5) / 10.5, (v + 2.5) / 17.0), 1.0, 0.26) * step(u, -9, 0) * step(v, -22, -12)
    h += 3.2 * anti
    bowl = bump(np.hypot((u + 2.0) / 9.0, (v + 5.0) / 11.5), 0.0, 0.85)
    h += -8.0 * bowl
    h += -2.0 * bump(np.hypot((u - 1) / 8, (v - 13) / 6.5), 0, 0.9)  # triangular hollow
    h += 4.2 * bump(np.hypot((u + 10.0) / 3.6, (v + 5.0) / 5.2), 0, 1)  # tragus
    h += 2.4 * bump(np.hypot((u - 0.5) / 5.0, (v + 16.5) / 3.6), 0, 1)  # antitragus
    h += 1.2 * bump(np.hypot(u / 8, (v + 26) / 7), 0, 1)  # lobe
    return h + 0.0025 * u * u
