"""Implicit surfaces: signed distances of simple solids and their smooth unions.

Every function takes points (..., 3) and gives distances (...), negative inside. Units are those of the
points. The formulas are the common ones of signed distance modelling (Hart 1996; polynomial smooth
minimum).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray
    Point = tuple[float, float, float] | Any


def ellipsoid(p: Array, centre: Point, radii: Point) -> Array:
    """Distance to an axis-aligned ellipsoid, first order near the surface."""
    import numpy as np

    scale = 1 / np.asarray(radii, p.dtype)
    q = (p - np.asarray(centre, p.dtype)) * scale
    inner = np.sqrt(np.einsum("...i,...i", q, q))
    q *= scale
    outer = np.sqrt(np.einsum("...i,...i", q, q))
    return inner * (inner - 1.0) / np.maximum(outer, 1e-9)


def capsule(p: Array, a: Point, b: Point, ra: float, rb: float | None = None) -> Array:
    """Distance to a capsule from `a` to `b` whose radius runs from `ra` to `rb`."""
    import numpy as np

    start = np.asarray(a, p.dtype)
    ab = np.asarray(b, p.dtype) - start
    ap = p - start
    t = np.clip((ap @ ab) * p.dtype.type(1 / float(ab @ ab)), 0.0, 1.0)
    ap -= t[..., None] * ab
    radius = ra if rb is None else ra + (rb - ra) * t
    return np.sqrt(np.einsum("...i,...i", ap, ap)) - radius


def union(a: Array, b: Array, k: float) -> Array:
    """Smooth union; `k` is the width of the blend."""
    import numpy as np

    h = np.maximum(k - np.abs(a - b), 0.0) / k
    return np.minimum(a, b) - h * h * (k * 0.25)


def cut(a: Array, b: Array, k: float) -> Array:
    """What is left of `a` when `b` is taken away, with a rounded edge of width `k`."""
    return -union(-a, b, k)


def mirror(p: Array) -> Array:
    """Fold space at the plane x = 0, so that one solid gives a pair."""
    import numpy as np

    q = p.copy()
    q[..., 0] = np.abs(q[..., 0])
    return q


def bump(x: Array, centre: float | Array, width: float | Array) -> Array:
    """Gaussian of height 1."""
    import numpy as np

    return np.exp(-(((x - centre) / width) ** 2))


def step(x: Array, low: float | Array, high: float | Array) -> Array:
    """Smooth step from 0 at `low` to 1 at `high` (which may be below `low`)."""
    import numpy as np

    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
