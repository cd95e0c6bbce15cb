"""Teeth and tongue: what is seen when the lips part."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

IVORY = (0.78, 0.72, 0.62)
GUM = (0.30, 0.10, 0.09)


def arch(upper: bool) -> tuple[Array, Array, Array]:
    """Vertices (N, 3) on the neutral head, faces and colours of one row of teeth, its gum included."""
    import numpy as np

    x = np.linspace(-25, 25, 151)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(0.045 * x * x)))])
    place = (along - along.mean()) / 7.6 + 0.5 * upper
    gap = np.abs(place - np.round(place) - 0.0)
    groove = np.exp(-(((0.5 - gap) / 0.07) ** 2))
    t = np.linspace(0, 1, 22)[:, None]
    edge, root = (-70.4, -57.0) if upper else (-68.6, -78.0)
    nick = (0.5 if upper else -0.5) * groove
    y = edge + nick * (1 - t) + (root - edge) * t
    z = (
        (41.5 if upper else 39.5)
        - 0.040 * x * x
        + 1.4 * np.sin(np.pi * np.minimum(t * 1.3, 1))
        - 0.9 * groove
        - (0.0 if upper else 4.5) * t * t  # the lower gum lies behind the hollow under the lip
    )
    points = np.stack(np.broadcast_arrays(x, y, z), -1)
    gum = np.clip((t - 0.80 + 0.06 * np.cos(place * 2 * np.pi)) / 0.06, 0, 1)[..., None]
    shade = (1 - 0.45 * groove)[None, :, None] * (1 - 0.012 * np.abs(x))[None, :, None]
    colours = (np.array(IVORY) * (1 - gum) + np.array(GUM) * gum) * shade
    height, width = y.shape
    i, j = np.meshgrid(np.arange(height - 1), np.arange(width - 1), indexing="ij")
    quad = np.stack([i, i + 1, i + 1, i], -1) * width + np.stack([j, j, j + 1, j + 1], -1)
    quad = quad.reshape(-1, 4)
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    return points.reshape(-1, 3), faces[:, ::-1] if upper else faces, colours.reshape(-1, 3)
