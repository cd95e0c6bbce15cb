"""Hair of the head: roots on the scalp, strands grown in neutral space around a simple skull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.hair_styles import COLOURS, Style
from synthesis.humans.figure.implicit import bump, capsule, ellipsoid, step

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.figure.template import Template

    Array = np.ndarray

STEPS = 16  # points of a strand
CROWN = (4.0, 96.0, -88.0)  # the whorl


def hairline(p: Array, style: Style | None = None) -> Array:
    """How far (mm, about) a neutral point lies inside the scalp's hair; negative outside."""
    import numpy as np

    x, y, z = p.T
    a = np.degrees(np.abs(np.arctan2(x, z + 20.0)))
    at = [0, 15, 30, 45, 58, 68, 78, 88, 95, 101, 108, 122, 135, 150, 165, 180]
    line = np.interp(a, at, [63, 63, 64, 60, 44, 34, 24, -8, -26, 4, 14, 10, -22, -62, -76, -80])
    inside = y - line
    if style is not None and style.recede:
        inside -= (
            style.recede
            * (bump(a, 38, 18) * 1.5 + (0.55 + 0.95 * style.bald) * bump(a, 0, 22))
            * step(z, -60, 0)
        )
    return np.asarray(inside)


def cover(p: Array, style: Style) -> Array:
    """Density of hair (0..1) at neutral scalp points."""
    import numpy as np

    x, y, z = p.T
    inside = hairline(p, style)
    dense = step(inside, -1.5, 7.0)
    if style.bald:
        spot = np.sqrt(((x) / 62) ** 2 + ((z + 62) / 80) ** 2)
        dense = dense * (1 - style.bald * step(y, 52, 84) * step(spot, 1.15, 0.7))
    if style.comb == "up" and style.sides < 6:
        dense = dense * (0.25 + 0.75 * step(np.abs(x), 36, 20))
    return np.asarray(dense)


def solid(p: Array, guard: bool = False) -> Array:
    """Distance to a plain head, neck and shoulders that hair must stay outside of.

    With `guard` the face has room in front of it, so that hair falls beside it.
    """
    import numpy as np

    q = p.astype(np.float32).copy()
    q[:, 0] = np.abs(q[:, 0])
    d = ellipsoid(q, (0, 28, -47), (75.5, 82.5, 90.5))
    d = np.minimum(d, ellipsoid(q, (0, 40, -8), (57, 43, 49)))
    d = np.minimum(d, ellipsoid(q, (0, -4, -84), (62, 50, 53)))
    d = np.minimum(d, ellipsoid(q, (0, -35, -16), (63, 66, 52)))
    if guard:
        d = np.minimum(d, ellipsoid(q, (0, -50, 30), (59, 105, 62)))
    d = np.minimum(d, ellipsoid(q, (74, -22, -50), (15, 34, 20)))  # ear
    d = np.minimum(d, capsule(q, (0, -60, -55), (0, -250, -92), 53, 60))
    d = np.minimum(d, capsule(q, (20, -190, -95), (165, -248, -112), 52, 64))
    return np.minimum(d, ellipsoid(q, (0, -370, -98), (165, 175, 118)))


def roots(template: Template, style: Style, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points and unit normals (count, 3) spread over the scalp by density."""
    import numpy as np

    p = template.shut
    dense = cover(p, style)
    faces = template.faces
    corner = p[faces]
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(cross, axis=1)
    weight = area * dense[faces].mean(1)
    pick = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(count)).clip(0, len(faces) - 1)
    u, v = rng.random((2, count))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    c = corner[pick]
    at = c[:, 0] + u[:, None] * (c[:, 1] - c[:, 0]) + v[:, None] * (c[:, 2] - c[:, 0])
    return at, cross[pick] / np.maximum(area[pick, None], 1e-9)


def _combed(at: Array, normal: Array, style: Style) -> Array:
    """Unit direction on the scalp in which the hair is combed."""
    import numpy as np

    x, y, z = at.T
    zero = np.zeros_like(x)
    whorl = at - np.array(CROWN)
    down = np.stack([0.15 * np.sign(x), zero - 1.0, zero - 0.35], -1)
    top = step(y, 35, 75)[:, None]
    side = np.sign(x - style.part * step(z, -110, -60))
    if style.comb == "back":
        flow = top * np.stack([0.12 * x / 40, 0.25 + zero, zero - 1], -1) + (1 - top) * np.stack(
            [0 * x, zero - 0.55, zero - 1], -1
        )
    elif style.comb == "forward":
        flow = top * np.stack([0.10 * x / 40, zero, zero + 1], -1) + (1 - top) * down
    elif style.comb == "up":
        flow = np.stack([0.3 * x / 60, zero + 1, zero], -1)
    elif style.comb in ("part", "middle"):
        across = np.stack([side * 1.0, zero - 0.1, -0.55 * step(z, -40, 20) - 0.3 * step(z, -60, -110)], -1)
        flow = top * across + (1 - top) * down
    else:
        flow = whorl / np.linalg.norm(whorl, axis=1, keepdims=True) + (1 - top) * down
    flow = flow - (flow * normal).sum(1, keepdims=True) * normal
    return flow / np.maximum(np.linalg.norm(flow, axis=1, keepdims=True), 1e-6)


def grow(template: Template, style: Style, length: float, density: float, seed: int) -> tuple[Array, Array]:
    """Strands (S, STEPS, 3) in neutral space and their shade (S,), -1 dark to 1 light."""
    import numpy as np

    rng = np.random.default_rng([401, seed])
    count = int(style.strands * (0.35 + 0.65 * np.clip(density, 0, 1)))
    at, normal = roots(template, style, count, rng)
    y, z = at[:, 1], at[:, 2]
    top = step(y, 20, 62)
    crest = step(np.abs(at[:, 0]), 40, 20) if style.comb == "up" and style.sides < 6 else 1.0
    reach = style.sides + (style.top - style.sides) * top * crest
    front = step(z, -25, 15) * step(y, 40, 58)
    if style.fringe:
        reach = reach + (style.fringe - reach) * front * step(np.abs(at[:, 0]), 46, 30)
    edge = step(hairline(at, style), -1, 14)
    reach = reach * length * rng.uniform(0.82, 1.06, count) * (0.45 + 0.55 * edge if style.top < 60 else 1.0)
    comb = _combed(at, normal, style)
    if style.fringe:
        ahead = np.stack([0.12 * at[:, 0] / 30, -0.5 + 0 * y, 1 + 0 * y], -1)
        mix = (front * step(np.abs(at[:, 0]), 50, 32))[:, None]
        comb = comb * (1 - mix) + mix * ahead
    locks = _locks(at, rng, max(60, count // (90 if style.wave or style.curl else 60)))
    lock_turn = rng.normal(size=(locks.max() + 1, 3)) * style.mess
    own = rng.normal(size=(count, 3)) * style.mess * 0.3
    lift = style.lift * (1 - 0.55 * (1 - top) * (style.comb != "up"))
    if style.comb == "back" and style.lift > 0.3:
        lift = lift * (0.15 + 0.85 * step(z, -70, 15)) * step(y, 30, 66)
    start = comb * (1 - lift)[:, None] + normal * (0.10 + lift)[:, None] + lock_turn[locks] + own
    points = _march(at, start, comb, reach, style)
    _gather(points, locks, style)
    _shape(points, locks, style, rng)
    if style.tie == "puff":
        points = _puff(points, rng)
    shade = 0.6 * rng.normal(size=locks.max() + 1)[locks] + 0.5 * rng.normal(size=count)
    return points, shade


def _march(at: Array, start: Array, comb: Array, reach: Array, style: Style) -> Array:
    """Walk along the strand: root direction, combing, gravity; never into the head, nor far off it."""
    import numpy as np

    points = np.empty((len(at), STEPS, 3))
    points[:, 0] = at - 0.8 * start
    here = at.copy()
    heading = start / np.linalg.norm(start, axis=1, keepdims=True)
    long = style.top > 100
    shares = np.linspace(0.45, 1.4, STEPS - 1) if long else np.ones(STEPS - 1)
    shares /= shares.sum()
    fall = np.array([0.0, -1.0, 0.0])
    room = style.volume * (0.3 + 0.7 * step(at[:, 1], 25, 72) * (0.35 + 0.65 * step(at[:, 2], -90, 10)))
    for k in range(1, STEPS):
        t = k / (STEPS - 1)
        pace = reach[:, None] * shares[k - 1]
        here = here + heading * pace
        low = 0.6 + 3.0 * min(t * 3, 1.0) * min(1.0, style.top / 60)
        d = solid(here, guard=long and not style.fringe)
        _keep_off(here, heading, d, low, long and not style.fringe)
        if style.volume < 100:
            far = np.flatnonzero((d > room) & (here[:, 1] > -10))
            slope = _slope(here[far])
            here[far] -= slope * (0.8 * (d[far] - room[far]))[:, None]
            along = (heading[far] * slope).sum(1, keepdims=True)
            heading[far] -= 0.9 * np.maximum(along, 0) * slope
        points[:, k] = here
        pull = style.weight * (0.2 + 0.34 * t) * np.minimum(pace / 9.0, 2.2)
        follow = 0.0 if style.comb == "up" else 0.42 * (1 - 0.6 * t) * (here[:, 1:2] > 25)
        heading = heading + fall * pull + comb * follow
        heading /= np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
    return points


def _keep_off(here: Array, heading: Array, d: Array, low: float, guard: bool) -> None:
    """Push points out of the head, and headings along it."""
    import numpy as np

    inside = np.flatnonzero(d < low)
    if not len(inside):
        return
    slope = _slope(here[inside], guard)
    here[inside] += slope * (low - d[inside])[:, None]
    along = (heading[inside] * slope).sum(1, keepdims=True)
    heading[inside] -= np.minimum(along, 0) * slope


def _slope(p: Array, guard: bool = False) -> Array:
    import numpy as np

    h = 0.5
    d = [solid(p + h * e, guard) - solid(p - h * e, guard) for e in np.eye(3)]
    slope = np.stack(d, -1)
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)


def _locks(at: Array, rng: np.random.Generator, count: int) -> Array:
    """Number of the nearest of `count` random roots, for every root."""
    import numpy as np

    centres = at[rng.choice(len(at), min(count, len(at)), replace=False)].astype(np.float32)
    a = at.astype(np.float32)
    found = np.empty(len(at), int)
    for low in range(0, len(at), 4096):
        part = a[low : low + 4096]
        found[low : low + 4096] = (
            (part**2).sum(1)[:, None] - 2 * part @ centres.T + (centres**2).sum(1)
        ).argmin(1)
    return found


def _gather(points: Array, locks: Array, style: Style) -> None:
    """Draw the strands of a lock together towards their tips."""
    import numpy as np

    size = np.bincount(locks, minlength=locks.max() + 1).clip(1)
    for k in range(1, points.shape[1]):
        t = k / (STEPS - 1)
        middle = (
            np.stack([np.bincount(locks, points[:, k, c], len(size)) for c in range(3)], -1) / size[:, None]
        )
        points[:, k] += (middle[locks] - points[:, k]) * style.clump * 0.75 * t**0.8


def _shape(points: Array, locks: Array, style: Style, rng: np.random.Generator) -> None:
    """Waves shared by a lock, coils of every strand, and stray hairs."""
    import numpy as np

    t = np.linspace(0, 1, points.shape[1])
    run = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(1)[:, None] * t
    if style.wave:
        phase = rng.uniform(0, 6.28, (locks.max() + 1, 3))[locks]
        period = max(24.0, 5.5 * style.top / STEPS)
        for axis, gain in ((0, 1.0), (2, 0.8), (1, 0.35)):
            points[..., axis] += (
                gain
                * style.wave
                * np.minimum(run / 30, 1)
                * np.sin(run * 6.28 / period + phase[:, axis : axis + 1])
            )
    if style.curl:
        turn = (
            rng.uniform(0, 6.28, len(points))[:, None] + run * rng.uniform(0.42, 0.62, len(points))[:, None]
        )
        grow = style.curl * np.minimum(run / 10, 1)
        points[..., 0] += grow * np.cos(turn)
        points[..., 1] += grow * 0.8 * np.sin(turn * 1.1)
        points[..., 2] += grow * np.sin(turn)
    stray = rng.random(len(points)) < 0.02 + 0.10 * style.mess
    drift = rng.normal(size=(int(stray.sum()), 1, 3)) * (4 + 0.05 * style.top)
    points[stray] += drift * (t**1.5)[None, :, None]


def _puff(points: Array, rng: np.random.Generator) -> Array:
    """Hair drawn to the back of the crown, and a round tail there."""
    import numpy as np

    knot = np.array([0.0, 92.0, -128.0])
    t = np.linspace(0, 1, points.shape[1])[None, :, None]
    root = points[:, :1]
    bow = root + (knot - root) * t
    d = solid(bow.reshape(-1, 3)).reshape(bow.shape[:2])
    centre = np.array([0.0, 20.0, -50.0])
    out = bow - centre
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    bow = bow + out * np.maximum(3.0 - d, 0)[..., None]
    tail = rng.random(len(points)) < 0.45
    ray = rng.normal(size=(len(points), 1, 3))
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    ball = knot + np.array([0, 26.0, -30.0]) + ray * (10 + 38 * t) + rng.normal(size=points.shape) * 3.5
    return np.where(tail[:, None, None], ball, bow + (points - points.mean(1, keepdims=True)) * 0.0)


def colour(name: str, seed: float) -> tuple[Array, float]:
    """Linear RGB of a catalogue colour, varied a little by the seed in 0..1, and its share of white hairs."""
    import numpy as np

    base, white = COLOURS.get(name, COLOURS["dark_brown"])
    shift = 1 + 0.22 * (float(seed) % 1.0 - 0.5)
    return np.clip(np.array(base) * shift, 0.004, 0.8), white
