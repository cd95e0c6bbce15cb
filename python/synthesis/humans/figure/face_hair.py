"""Brows, lashes and facial hair as short strands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, step
from synthesis.humans.figure.sculpture import mouth_line

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.figure.head import Head
    from synthesis.humans.figure.template import Template
    from synthesis.humans.scene import Hair

    Array = np.ndarray

# Words of brow styles: (thickness mm, arch mm, rise mm, length share).
BROWS = {
    "broad": (7.4, 0.0, 0.0, 1.0), "curve": (5.4, 1.6, 0.0, 1.0), "highArch": (5.0, 3.0, 1.0, 1.0),
    "high": (5.2, 0.8, 2.2, 1.0), "narrow": (3.8, 0.4, 0.0, 0.94), "point": (5.0, 3.4, 0.0, 1.0),
    "short": (5.4, 0.0, 0.4, 0.78), "straight": (5.6, -2.2, 0.0, 1.0), "thick": (8.2, 0.0, 0.0, 1.02),
    "thinStraight": (3.4, -2.2, 0.0, 1.0), "thin": (3.6, 0.6, 0.0, 1.0), "unibrow": (6.2, -0.6, -0.4, 1.0),
    "wide": (6.6, 0.4, 0.0, 1.08),
}  # fmt: skip


def scatter(template: Template, dense: Array, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points and unit normals spread over the neutral skin by density per vertex."""
    import numpy as np

    corner = template.shut[template.faces]
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(cross, axis=1)
    weight = area * dense[template.faces].mean(1)
    if weight.sum() <= 0:
        return np.zeros((0, 3)), np.zeros((0, 3))
    pick = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(count)).clip(0, len(area) - 1)
    u, v = rng.random((2, count))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    c = corner[pick]
    at = c[:, 0] + u[:, None] * (c[:, 1] - c[:, 0]) + v[:, None] * (c[:, 2] - c[:, 0])
    return at, cross[pick] / np.maximum(area[pick, None], 1e-9)


def brow_curve(x: Array, style: str) -> tuple[Array, Array]:
    """Middle height and half thickness of a brow `x` from the middle; thickness 0 beyond its ends."""
    import numpy as np

    words = [w for w in BROWS if style.startswith(w)]
    thick, arch, rise, share = BROWS[max(words, key=len)] if words else (5.4, 0.5, 0.0, 1.0)
    end = 13 + 42 * share
    begin = 2.0 if style.startswith("unibrow") else 11.0
    middle = np.interp(x, [0, 11, 20, 30, 38, 46, 56], [15.5, 15.5, 18.2, 20.8, 21.6, 19.6, 14.8])
    middle = middle + rise + arch * (bump(x, 38, 9) - 0.25)
    if style.startswith("point"):
        middle = middle + 1.0 * np.maximum(0, 1 - np.abs(x - 38) / 8)
    half = 0.5 * thick * np.interp(x, [begin - 1, begin + 3, 22, 40, end], [0.55, 1.05, 1.05, 0.75, 0.22])
    return middle, half * ((x > begin) & (x < end))


def brows(template: Template, hair: Hair, seed: int) -> dict[str, tuple[Array, Array]]:
    """`left` and `right` -> strands (S, 4, 3) in neutral space and their shade."""
    import numpy as np

    rng = np.random.default_rng([53, seed])
    x, y, z = template.shut.T
    middle, half = brow_curve(np.abs(x), hair.style)
    near = np.abs(y - middle) / np.maximum(half, 1e-6)
    dense = np.where(half > 0, step(near, 1.25, 0.55), 0.0) * step(z, -12, 0)
    found = {}
    for name, sign in (("left", 1.0), ("right", -1.0)):
        count = int(1000 * (0.35 + 0.65 * hair.relative_density))
        at, normal = scatter(template, dense * (np.sign(x) == sign), count, rng)
        q = np.abs(at[:, 0])
        centre, _ = brow_curve(q, hair.style)
        up = np.interp(q, [10, 16, 26, 40, 56], [1.5, 0.9, 0.35, -0.05, -0.5]) - 0.11 * (at[:, 1] - centre)
        flow = np.stack([sign * np.interp(q, [8, 13, 25], [0.15, 0.7, 1.0]), up, 0 * q], -1)
        flow += rng.normal(size=flow.shape) * 0.16
        flow -= (flow * normal).sum(1, keepdims=True) * normal
        flow /= np.maximum(np.linalg.norm(flow, axis=1, keepdims=True), 1e-6)
        length = (
            6.6 * np.interp(q, [10, 18, 45, 56], [0.75, 1, 0.9, 0.7]) * (0.45 + 0.55 * hair.relative_length)
        )
        found[name] = (
            _bent(at, normal, flow, length * rng.uniform(0.7, 1.1, len(at)), 0.28),
            rng.normal(size=len(at)) * 0.6,
        )
    return found


def _bent(at: Array, normal: Array, flow: Array, length: Array, lift: float, points: int = 4) -> Array:
    """Strands that leave the skin at `lift` and lie down along `flow`."""
    import numpy as np

    t = np.linspace(0, 1, points)[None, :, None]
    size = length[:, None, None]
    return (
        at[:, None]
        + size * (flow[:, None] * t + normal[:, None] * (lift * t * (1 - 0.62 * t)))
        - 0.4 * normal[:, None]
    )


def lashes(head: Head, side: str, seed: int, female: float) -> Array:
    """Strands (S, 5, 3) of one eye, in the head's frame (mm): they follow the lids as they are."""
    import numpy as np

    rng = np.random.default_rng([59, seed])
    sign = 1.0 if side == "left" else -1.0
    t = np.linspace(0, 1, 5)[None, :, None]
    sets = []
    for ring, upper in zip(head.template.rings[f"{side}_eye"], (True, False), strict=True):
        edge = head.vertices[ring]
        if sign < 0:
            edge = edge[::-1]  # from the inner corner outwards on both sides
        count = 110 if upper else 64
        s = rng.uniform(0.24 if upper else 0.34, 0.97, count)
        at = np.stack(
            [np.interp(s * (len(edge) - 1), np.arange(len(edge)), edge[:, k]) for k in range(3)], -1
        )
        out = at - head.eyes[side]
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        fan = np.stack([sign * (s - 0.42) * 1.15, 0 * s, 0 * s], -1)
        way = 0.8 * out + fan + np.array([0, 0.0 if upper else -0.35, 0.45])
        way += rng.normal(size=way.shape) * 0.10
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        size = (6.0 + 1.6 * female if upper else 3.0) * np.interp(s, [0, 0.3, 0.8, 1], [0.5, 0.85, 1.0, 0.85])
        size = (size * rng.uniform(0.75, 1.1, count))[:, None, None]
        curl = np.array([0, 1.0 if upper else -0.5, 0])
        shift = out * 0.25
        sets.append((at + shift)[:, None] + size * (way[:, None] * t + curl * (0.62 * t * t)))
    return np.concatenate(sets)


# Words of facial hair styles: which areas grow, and how long (mm): moustache, chin, jaw and cheeks.
BEARDS = {
    "beard_ducktail": (0.0, 34.0, 6.0), "beard_dutch": (0.0, 30.0, 24.0), "beard_klingon": (8.0, 30.0, 0.0),
    "full_ducktail": (9.0, 42.0, 16.0), "full_garibaldi": (10.0, 42.0, 34.0), "full_generic": (8.0, 15.0,
    11.0),
    "mustache_english": (10.0, 0.0, 0.0), "mustache_painters": (9.0, 4.0, 0.0), "mustache_walrus": (15.0,
    0.0, 0.0),
}  # fmt: skip


def beard_areas(p: Array) -> dict[str, Array]:
    """Density (0..1) of `mustache`, `chin` and `cheeks` hair at neutral points."""
    import numpy as np

    x, y, z = p.T
    q = np.abs(x)
    front = step(z, 5, 18)
    line = mouth_line(x)
    lip_top = line + 8.5 * np.clip(1 - (x / 27) ** 2, 0, 1) ** 0.75
    lip_low = line - 11.0 * np.clip(1 - (x / 27) ** 2, 0, 1) ** 0.62
    over = (
        step(y, lip_top - 0.5, lip_top + 2.5)
        * step(y, -48.5 - 0.10 * q, -52.5 - 0.10 * q)
        * step(q, 36, 27)
        * front
    )
    corner = bump(q, 31, 5) * step(y, -50, -58) * front
    chin = step(q, 36, 26) * step(y, lip_low + 0.5, lip_low - 3) * step(y, -132, -118) * step(z, -30, 0)
    chin = chin * (1 - 0.8 * bump(q, 12, 6) * bump(y, -84, 5))
    upper = -36 - 0.0 * q + 0.55 * (q - 70) * (q < 70)
    cheeks = step(y, upper, upper - 12) * step(q, 24, 34) * step(z, -48, -40) * step(y, -132, -116)
    side = step(q, 60, 64) * step(z, -46, -40) * step(z, -8, -20) * step(y, 6, -12) * step(y, -128, -110)
    return {
        "mustache": np.clip(over + corner, 0, 1),
        "chin": chin,
        "cheeks": np.clip(np.maximum(cheeks, side), 0, 1),
    }


def beard(template: Template, hair: Hair, seed: int) -> dict[str, tuple[Array, Array]]:
    """`mustache` and `beard` -> strands in neutral space and their shade; empty for `none`."""
    import numpy as np

    words = [w for w in BEARDS if hair.style.startswith(w)]
    if not words:
        return {}
    lengths = dict(zip(("mustache", "chin", "cheeks"), BEARDS[words[0]], strict=True))
    rng = np.random.default_rng([61, seed])
    areas = beard_areas(template.shut)
    counts = {"mustache": 1500, "chin": 2600, "cheeks": 4200}
    found: dict[str, list[tuple[Array, Array]]] = {}
    for name, size in lengths.items():
        if size <= 0:
            continue
        count = int(counts[name] * (0.35 + 0.65 * hair.relative_density))
        at, normal = scatter(template, areas[name], count, rng)
        x, _, _ = at.T
        flow = np.stack([0.25 * np.sign(x) * (np.abs(x) > 3), 0 * x - 1, 0 * x + 0.12], -1)
        if name == "mustache":
            flow = np.stack(
                [np.sign(x) * np.interp(np.abs(x), [0, 4, 20], [0.25, 0.7, 1.0]), 0 * x - 0.75, 0 * x], -1
            )
        flow += rng.normal(size=flow.shape) * 0.22
        flow -= 0.8 * (flow * normal).sum(1, keepdims=True) * normal
        flow /= np.linalg.norm(flow, axis=1, keepdims=True)
        long = (1.2 + size * hair.relative_length) * rng.uniform(0.6, 1.1, len(at))
        points = _bent(at, normal, flow, long, 0.45, 6)
        if size > 20:
            t = np.linspace(0, 1, 6)[None, :, None]
            points[..., 0:1] *= 1 - 0.35 * t * (name == "chin")
        segment = "mustache" if name == "mustache" else "beard"
        found.setdefault(segment, []).append((points, rng.normal(size=len(at)) * 0.7))
    return {
        k: (np.concatenate([p for p, _ in v]), np.concatenate([s for _, s in v])) for k, v in found.items()
    }
