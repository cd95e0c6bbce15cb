"""The neutral head as one implicit surface, in millimetres of the head's frame.

x to the subject's left, y up, z to the nose; the origin lies between and behind the eyes
(`formats.md` §3.1). Proportions follow common adult anthropometry (head length 190, breadth 152, face
height 118, pupils 62 apart); every solid is placed by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, capsule, cut, ellipsoid, mirror, step, union

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

EYE = (31.0, 0.0, 14.0)
EYE_RADIUS = 12.3
LID = 1.5  # thickness of a lid


def head(p: Array) -> Array:
    """Distance to the skin of head and neck at points (N, 3)."""
    q = mirror(p)
    d = _skull(q)
    d = _jaw(d, q)
    d = _sockets(d, q)
    d = _nose(d, q)
    d = _neck(d, q)
    return d - _relief(q)


def _skull(q: Array) -> Array:
    d = ellipsoid(q, (0, 28, -47), (75, 82, 90))
    d = union(d, ellipsoid(q, (0, 40, -8), (56, 42, 48)), 14)
    d = union(d, ellipsoid(q, (0, -4, -84), (62, 50, 52)), 30)  # back of the head
    d = union(d, ellipsoid(q, (0, -32, -20), (55, 62, 52)), 26)  # face
    d = union(d, ellipsoid(q, (46, -16, -4), (20, 15, 27)), 16)  # cheekbone
    d = union(d, capsule(q, (48, -14, 2), (66, -8, -48), 7.5, 6), 16)  # its arch
    d = union(d, ellipsoid(q, (30, -33, 11), (18, 17, 19)), 14)  # apple of the cheek
    d = union(d, ellipsoid(q, (0, -56, 6), (36, 32, 39)), 16)  # teeth and their jaws
    return union(d, ellipsoid(q, (34, -54, -9), (27, 38, 40)), 20)  # soft cheek


def _jaw(d: Array, q: Array) -> Array:
    d = union(d, capsule(q, (47, -68, -42), (14, -101, 20), 12, 12), 16)
    d = union(d, capsule(q, (51, -66, -42), (59, -15, -40), 11, 9), 18)
    d = union(d, ellipsoid(q, (0, -97, 22), (20, 17, 21)), 14)
    d = union(d, ellipsoid(q, (7, -100, 27), (11, 10, 14)), 8)
    return union(d, ellipsoid(q, (0, -96, -22), (36, 24, 44)), 20)  # floor of the mouth


def _sockets(d: Array, q: Array) -> Array:
    d = union(d, capsule(q, (9, 17, 35), (30, 21, 29), 7, 6.5), 12)  # brow ridge
    d = union(d, capsule(q, (30, 21, 29), (50, 12, 8), 6.5, 6), 12)
    d = cut(d, ellipsoid(q, (31, 2, 40), (19, 11.5, 16)), 12)
    d = cut(d, ellipsoid(q, (17, 2, 40), (7, 9, 11)), 8)
    d = union(d, ellipsoid(q, EYE, (EYE_RADIUS + LID,) * 3), 4.5)
    return union(d, ellipsoid(q, (32, -9, 20), (13, 4.5, 7)), 7)  # below the lower lid


def _nose(d: Array, q: Array) -> Array:
    d = union(d, capsule(q, (0, 6, 33), (0, -32, 53), 6.2, 7.2), 9)
    d = union(d, capsule(q, (2.5, -6, 28), (6, -36, 40), 8, 10), 10)
    d = union(d, ellipsoid(q, (0, -35.5, 56.5), (8.6, 8.2, 9.2)), 6)
    d = union(d, ellipsoid(q, (3.6, -36.5, 58.5), (4.6, 5, 6)), 4)
    wing = ellipsoid(q, (12.6, -41.5, 45.5), (5.6, 7, 9.5))
    d = union(d, wing, 4)
    d = union(d, capsule(q, (0, -43, 58), (0, -48.5, 46), 3.2, 4), 4)
    return cut(d, capsule(q, (6.0, -54, 53), (6.8, -45, 47), 2.4, 2.4), 2.4)  # nostril


def _neck(d: Array, q: Array) -> Array:
    neck = capsule(q, (0, -60, -54), (0, -250, -92), 49, 54)
    neck = union(neck, capsule(q, (55, -45, -58), (14, -222, -44), 9, 8), 16)
    neck = union(neck, ellipsoid(q, (0, -150, -28), (13, 22, 16)), 16)
    return union(d, neck, 24)


def _relief(q: Array) -> Array:
    """Lips, philtrum, folds: heights along the normal, for points of the face alone."""
    import numpy as np

    x, y, z = q[..., 0], q[..., 1], q[..., 2]
    front = step(z, -5.0, 15.0)
    corner = np.clip(1.0 - (x / 27.0) ** 2, 0.0, 1.0)
    line = mouth_line(x)
    bow = 1.6 * bump(x, 5.5, 4.5) - 1.2 * bump(x, 0, 3)
    top = 8.2 * corner**0.7 + bow
    low = 11.0 * corner**0.6
    up = (y - line) / np.maximum(top, 0.5)
    down = (line - y) / np.maximum(low, 0.5)
    upper = np.where(y >= line, np.clip(1 - (up - 0.45) ** 2 / 0.42, 0, 1), 0) * corner**0.5
    lower = np.where(y < line, np.clip(1 - (down - 0.48) ** 2 / 0.36, 0, 1), 0) * corner**0.5
    h = 3.6 * upper + 4.4 * lower
    h -= 1.6 * bump(y - line, 0, 1.3) * corner**0.4  # the line where they meet
    h -= 1.8 * bump(x, 29, 4) * bump(y - line, 0, 4)  # corner
    h -= 1.3 * bump(x, 0, 3.2) * bump(y, -54.5, 4.0)  # philtrum
    h += 0.9 * bump(x, 5.2, 2.4) * bump(y, -54.5, 4.5)
    h -= 2.2 * bump(y, -85.5, 6.0) * bump(x, 0, 20)  # below the lower lip
    fold = 17.0 + (-40.0 - y) * 0.52
    h -= 0.75 * bump(x, fold, 3.6) * step(y, -72, -60) * step(y, -36, -46)
    h += 0.8 * bump(x, fold + 8, 7) * step(y, -74, -60) * step(y, -30, -46)
    crease = lid_crease(x)
    h += 1.3 * step(y, crease - 0.7, crease + 0.9) * step(y, crease + 9, crease + 2) * bump(x, 33, 17)
    h -= 0.8 * bump(x, 18.6, 2.2) * bump(y, -41.0, 6.0)  # behind the wing
    return h * front


def lid_crease(x: Array) -> Array:
    """Height of the fold above the upper lid at distance `x` from the middle."""
    return 8.9 - 0.013 * (x - 33.0) ** 2


def mouth_line(x: Array) -> Array:
    """Height of the line between the lips at distance `x` from the middle."""
    return -67.4 + 0.0004 * x * x + 0.8 * bump(x, 0, 5.0)
