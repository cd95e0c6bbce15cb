"""Eyeballs: a sphere with a cornea, its iris by catalogue colour, and where it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import step
from synthesis.humans.figure.model import Mesh, Surface, vertex_normals
from synthesis.humans.figure.sculpture import EYE_RADIUS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

IRIS_RADIUS = 6.3
OUTWARD = 2.45  # degrees between an eye's optical axis and the requested gaze (`formats.md` §3.2)

# Linear RGB of the lit iris body and of the ring around the pupil, per colour family.
IRIS = {
    "brown": ((0.165, 0.072, 0.028), (0.24, 0.11, 0.04)),
    "amber": ((0.34, 0.17, 0.045), (0.42, 0.22, 0.06)),
    "hazel": ((0.21, 0.145, 0.055), (0.32, 0.17, 0.05)),
    "green": ((0.17, 0.20, 0.10), (0.30, 0.22, 0.08)),
    "blue": ((0.14, 0.24, 0.36), (0.26, 0.30, 0.30)),
    "grey": ((0.20, 0.24, 0.27), (0.27, 0.27, 0.24)),
}


def gaze_vectors(horizontal: float, vertical: float) -> dict[str, Array]:
    """Unit vectors in the head's frame; horizontal positive to the subject's left, vertical up."""
    import numpy as np

    found = {}
    for name, offset in (("left", OUTWARD), ("right", -OUTWARD)):
        a, e = np.radians(horizontal + offset), np.radians(vertical)
        found[name] = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    return found


def eyeball(
    side: str,
    centre: Array,
    look: Array,
    scale: float,
    iris: tuple[str, int],
    dilation: float,
    redness: float,
    seed: int,
) -> list[Mesh]:
    """Sclera, iris and pupil of one eye in millimetres of the head's frame, looking along `look`."""
    import numpy as np

    rings, around = 96, 128
    t = np.linspace(0, 1, rings) ** 1.35 * np.pi * 0.78
    a = np.arange(around) * 2 * np.pi / around
    radius = EYE_RADIUS * np.sin(t)
    bulge = 1.15 * np.clip(1 - (radius / 6.6) ** 2, 0, 1) ** 1.2 * (t < np.pi / 2)
    depth = EYE_RADIUS * np.cos(t) + bulge
    local = np.stack(
        [
            radius[:, None] * np.cos(a),
            radius[:, None] * np.sin(a),
            np.broadcast_to(depth[:, None], (rings, around)),
        ],
        -1,
    )
    colours = _paint(radius, a, t, iris, dilation, redness, seed)
    pupil = IRIS_RADIUS * (0.26 + 0.26 * dilation)
    area = np.where(radius < pupil, 0, np.where((radius < IRIS_RADIUS) & (t < np.pi / 2), 1, 2))
    forward = look / np.linalg.norm(look)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    frame = np.stack([right, np.cross(forward, right), forward], -1)
    turned = local.reshape(-1, 3) @ frame.T
    # The white reaches into the corners of the lids, which lie off the sphere.
    turned[:, 0] *= 1 + 0.38 * np.repeat(step(radius, 6.5, 12.3) * (t < 1.75), around)
    vertices = centre + scale * turned
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    k = (j + 1) % around
    quads = np.stack(
        [i * around + j, (i + 1) * around + j, (i + 1) * around + k, i * around + k], -1
    ).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    whole = Mesh(
        name=f"eye_{side}",
        segment=f"sclera_{side}",
        vertices=vertices,
        normals=vertex_normals(vertices, faces),
        faces=faces,
        surface=Surface(kind="eye", roughness=0.06),
        colours=colours.reshape(-1, 3),
    )
    from synthesis.humans.figure.model import split

    labels = np.tile(area[i.reshape(-1)], 2)
    return split(whole, labels, [f"pupil_{side}", f"iris_{side}", f"sclera_{side}"])


def _paint(
    radius: Array, a: Array, t: Array, iris: tuple[str, int], dilation: float, redness: float, seed: int
) -> Array:
    import numpy as np

    rng = np.random.default_rng([31, seed])
    family, lightness = iris
    body, ring = (np.array(c) for c in IRIS.get(family, IRIS["brown"]))
    gain = 0.45 + 0.085 * lightness
    pupil = IRIS_RADIUS * (0.26 + 0.26 * dilation)
    r, angle = radius[:, None], a[None]
    fibres = np.zeros((len(radius), len(a)))
    for n, weight in ((17, 0.5), (31, 0.6), (47, 0.7), (61, 0.6)):
        fibres += weight * np.sin(n * angle + rng.uniform(0, 6.3) + 0.5 * np.sin(r * rng.uniform(0.6, 1.6)))
    fibres = 1 + 0.17 * fibres
    inner = np.clip(1 - (r - pupil) / 1.7, 0, 1)[..., None]
    colour = (body * (1 - inner) + ring * inner) * gain * fibres[..., None]
    rim = step(r, IRIS_RADIUS - 1.3, IRIS_RADIUS)[..., None]
    colour = colour * (1 - 0.72 * rim)
    edge = step(r, pupil - 0.25, pupil + 0.2)[..., None]
    colour = colour * edge + 0.004 * (1 - edge)
    white = np.array([0.67, 0.635, 0.605])
    far = step(r, 7.0, 12.0)[..., None]
    veins = np.zeros_like(fibres)
    for n in (9, 14, 23):
        veins += np.clip(
            np.sin(n * angle + rng.uniform(0, 6.3) + 1.2 * np.sin(r * 1.3 + rng.uniform(0, 6))) - 0.86, 0, 1
        )
    red = (0.05 + 0.30 * redness) * far + (0.6 + 2.2 * redness) * far * veins[..., None]
    sclera = white * (1 - np.clip(red, 0, 0.8) * np.array([0.12, 0.55, 0.55]))
    limbus = step(r, IRIS_RADIUS - 0.35, IRIS_RADIUS + 0.75)[..., None]
    back = (t > np.pi / 2)[:, None, None]
    limbus = np.where(back, 1.0, limbus)
    return colour * (1 - limbus) + sclera * limbus
