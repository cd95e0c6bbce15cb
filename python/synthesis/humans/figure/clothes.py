"""Clothes: shells around the body, cut open at neck, sleeves and hem, with collars, ribs and hoods."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.humans import catalogue
from synthesis.humans.figure import skin
from synthesis.humans.figure.body import Body, segments
from synthesis.humans.figure.implicit import bump, ellipsoid, step, union
from synthesis.humans.figure.model import Mesh, Surface, vertex_normals
from synthesis.humans.figure.surface_nets import gradient, surface_nets

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import Clothing

    Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a garment is cut.

    Attributes:
        offset: millimetres off the skin. sleeve: share of the arm it covers (0 none).
        neck: radii (x, y, z) of the hole for the neck, and its centre's height.
        hem: height of its lower edge. top: height above which there is nothing (trousers, slings).
        trim: `rib`, `collar`, `hood`, `stand`, `lapel`, `strap` or `none`.
        folds: amplitude of the folds. rough: roughness of the cloth. flare: skirt width gained per metre.
    """

    offset: float
    sleeve: float = 0.0
    neck: tuple[float, float, float, float] = (80, 46, 80, -205)
    hem: float = -700.0
    top: float = 0.0
    trim: str = "none"
    folds: float = 2.0
    rough: float = 0.85
    flare: float = 0.0


CUTS = {
    "tee": Cut(offset=7, sleeve=0.52, neck=(76, 48, 80, -204), trim="rib", hem=-720),
    "polo": Cut(offset=7, sleeve=0.5, neck=(70, 40, 72, -200), trim="collar", hem=-720),
    "dressShirt": Cut(offset=8, sleeve=1.0, neck=(68, 38, 70, -196), trim="collar", hem=-740, folds=2.6),
    "vest": Cut(
        offset=17, sleeve=0.0, neck=(74, 60, 82, -200), trim="stand", hem=-700, folds=4.0, rough=0.45
    ),
    "hoodie": Cut(
        offset=15, sleeve=1.0, neck=(76, 42, 78, -200), trim="hood", hem=-730, folds=4.2, rough=0.95
    ),
    "suitJacket": Cut(
        offset=16, sleeve=1.0, neck=(72, 46, 78, -205), trim="lapel", hem=-800, folds=1.6, rough=0.8
    ),
    "longSleeveDress": Cut(offset=6, sleeve=1.0, neck=(84, 62, 92, -204), trim="none", hem=-1090, flare=0.22),
    "slingDress": Cut(
        offset=5, top=-292, neck=(1, 1, 1, 900), trim="strap", hem=-1000, flare=0.25, rough=0.5
    ),
    "flowerDress": Cut(offset=6, sleeve=0.35, neck=(88, 70, 96, -204), trim="none", hem=-1050, flare=0.25),
    "trousers": Cut(offset=9, top=-585, hem=-1520, folds=3.0),
    "shorts": Cut(offset=11, top=-585, hem=-1060, folds=3.0),
    "sneakers": Cut(offset=9, top=-1495, hem=-2000, folds=0.0, rough=0.5),
}
FAMILIES = {"khakis": "trousers", "chinos": "trousers", "suitTrousers": "trousers", "jeans": "trousers"}

COLOURS = {
    "red": (0.36, 0.035, 0.04), "yellow": (0.62, 0.42, 0.07), "brown": (0.14, 0.075, 0.042),
    "navy": (0.022, 0.034, 0.085), "black": (0.018, 0.018, 0.02), "tan": (0.48, 0.34, 0.22),
    "white": (0.70, 0.69, 0.66), "brightblue": (0.06, 0.19, 0.48), "deepblue": (0.03, 0.06, 0.22),
    "lightblue": (0.34, 0.46, 0.62), "blue": (0.07, 0.16, 0.36),
}  # fmt: skip
PALETTE = (
    (0.62, 0.61, 0.58), (0.05, 0.055, 0.065), (0.33, 0.44, 0.56), (0.10, 0.13, 0.20), (0.27, 0.28, 0.29),
    (0.42, 0.16, 0.13), (0.17, 0.24, 0.17), (0.52, 0.44, 0.34), (0.40, 0.28, 0.38), (0.12, 0.30, 0.33),
)  # fmt: skip
LOWER = {"khakis": (0.36, 0.27, 0.17), "jeans": (0.05, 0.075, 0.14), "chinos": (0.15, 0.14, 0.13),
         "suitTrousers": (0.03, 0.032, 0.04), "shorts": (0.25, 0.22, 0.17), "sneakers": (0.55, 0.55, 0.54),
         "vest": (0.028, 0.036, 0.062), "suitJacket": (0.030, 0.034, 0.046)}  # fmt: skip


def family(garment: str) -> str:
    """The cut of a catalogue garment: its name without the final letter and number."""
    stem = garment.rstrip("0123456789_")
    stem = stem[:-1] if stem[-1:].isupper() else stem
    stem = FAMILIES.get(stem, stem)
    return stem if stem in CUTS else "tee"


def colour(garment: str, material: str, outfit: str) -> tuple[float, float, float]:
    """Linear RGB of a garment in an outfit; outfits that name a colour have it on the upper part."""
    stem = garment.rstrip("0123456789_")
    stem = stem[:-1] if stem[-1:].isupper() else stem
    if stem in LOWER:
        return LOWER[stem]
    word = outfit.rsplit("_", 1)[-1]
    if word in COLOURS:
        return COLOURS[word]
    return PALETTE[zlib.crc32(f"{outfit}/{garment}/{material}".encode()) % len(PALETTE)]


def dress(clothing: Clothing, form: Body, lowest: float) -> list[Mesh]:
    """Every garment's meshes in the head's frame (mm, unturned), one per body segment it covers.

    Nothing is built below the height `lowest`.
    """
    meshes = []
    known = catalogue.get("garments").facts
    for garment, material in clothing.garments:
        cut = CUTS[family(garment)]
        tint = colour(garment, material, clothing.outfit)
        name = str(known.get(garment, "short sleeve shirt"))
        meshes += _garment(garment, name, cut, tint, form, zlib.crc32(clothing.outfit.encode()) % 997, lowest)
    return meshes


def covered(clothing: Clothing) -> float:
    """Height down to which the trunk may be bare: the highest upper edge of the clothes' shells."""
    tops = [CUTS[family(g)].top for g, _ in clothing.garments]
    return max((t for t in tops if t > -500), default=-2000.0)


def _garment(
    garment: str, name: str, cut: Cut, tint: tuple[float, float, float], form: Body, seed: int, lowest: float
) -> list[Mesh]:
    import numpy as np

    def field(p: Array) -> Array:
        q = p.astype(np.float32)
        if cut.top < -550:
            d = union(form.torso(q), form.legs(q), 40)
        else:
            d = union(form.torso(q), form.neck(q), 40)
            if cut.sleeve:
                loose = 4.0 + 5.0 * (cut.sleeve < 0.9)
                d = union(d, form.arm(q) - loose, 34)
            if cut.flare:
                grow = np.maximum(-q[:, 1] - 560, 0) * cut.flare
                skirt = np.hypot(q[:, 0] * 0.82, q[:, 2] + 98) - 105 - grow
                d = union(d, np.maximum(skirt, q[:, 1] + 520), 60)
        return d - cut.offset - cut.folds * _folds(p, seed)

    high, low = min(cut.top + 30, -120), cut.hem - 20
    reach = 330 * form.wide + 40 + form.thick
    if cut.sleeve > 0.7:
        low = min(low, -800)
    low = max(low, lowest)
    edge = -470.0
    bands = [(max(low, edge), high, 7.0)] if high > edge else []
    if low < min(edge, high):
        bands.append((low, min(high, edge), 15.0))
    meshes = []
    for number, (bottom, top, cell) in enumerate(bands):
        vertices, faces = surface_nets(
            field, (-reach, bottom, -290 - form.thick), (reach, top, 120 + form.thick), cell
        )
        vertices, faces = _trim(vertices, faces, lambda p: _keep(p, cut, form), field)
        if not len(faces):
            continue
        _, slope = gradient(field, vertices, 3.0)
        normals = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
        weave = 1 + 0.05 * skin.noise(vertices, seed, 60.0)[:, None]
        meshes.append(_cloth(f"{garment}.{number}", name, vertices, normals, faces, tint * weave, cut))
        if number == 0 and cut.trim != "none":
            for k, (points, cells) in enumerate(_trims(cut, form, field)):
                meshes.append(
                    _cloth(f"{garment}.trim{k}", name, points, vertex_normals(points, cells), cells,
                           np.ones((len(points), 1)) * tint * (0.9 if cut.trim == "rib" else 1.04), cut)
                )  # fmt: skip
    return [part for mesh in meshes for part in by_segment(mesh, form)]


def _cloth(
    name: str, garment: str, vertices: Array, normals: Array, faces: Array, colours: Array, cut: Cut
) -> Mesh:
    surface = Surface(kind="cloth", roughness=cut.rough)
    return Mesh(name=name, segment="torso", garment=garment, vertices=vertices, normals=normals, faces=faces,
                surface=surface, colours=colours)  # fmt: skip


def by_segment(mesh: Mesh, form: Body) -> list[Mesh]:
    """Cut a mesh along the body segments it lies on."""
    import numpy as np

    from synthesis.humans.figure.model import split

    names = segments(mesh.vertices[mesh.faces].mean(1), form)
    known, labels = np.unique(names.astype(str), return_inverse=True)
    return split(mesh, labels, known.tolist())


def _folds(p: Array, seed: int) -> Array:
    """Folds of cloth: long diagonal waves, stronger at armpits and below the chest."""
    import numpy as np

    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    q = np.abs(x)
    phase = seed * 0.37
    long = np.sin(0.045 * y + 0.030 * x + 1.3 * np.sin(0.021 * x + phase) + phase)
    cross = np.sin(0.075 * q - 0.055 * y + 1.7 * np.sin(0.017 * y + phase) + 0.04 * z)
    pit = bump(np.hypot(q - 140, (y + 330) * 0.8), 0, 70)
    drape = step(y, -260, -420)
    sleeve = step(q, 170, 200) * np.sin(0.11 * y + 0.03 * z + 2 * np.sin(0.03 * y + phase))
    return 0.55 * long * (0.3 + drape) + 0.9 * cross * (0.25 * drape + pit) + 0.8 * sleeve


def _keep(p: Array, cut: Cut, form: Body) -> Array:
    """Signed: negative where the garment is."""
    import numpy as np

    x, y, z = p.T
    q = np.abs(x)
    rx, ry, rz, height = cut.neck
    hole = -_neck_hole(p, cut)
    if cut.trim == "lapel":
        depth = np.clip((-215 - y) / 260, 0, 1)
        vee = np.where(z > -80, 62 * (1 - depth) - q, -200.0)
        hole = np.maximum(hole, np.where(y > -480, vee, -200))
    d = np.maximum(hole, cut.hem - y)
    if cut.top:
        line = (
            cut.top
            - 26 * bump(q, 0, 45) * (cut.trim == "strap")
            + 10 * bump(q, 75, 40) * (cut.trim == "strap")
        )
        d = np.maximum(d, y - line)
        return np.asarray(d)
    shoulder = form.joints()["shoulder"]
    if cut.sleeve:
        a, b = np.array(shoulder), np.array(form.joints()["wrist"])
        axis = (b - a) / np.linalg.norm(b - a)
        along = (np.stack([q, y, z], -1) - a) @ axis
        length = np.linalg.norm(b - a) * cut.sleeve
        arm = q > shoulder[0] - 4 - 0.06 * (y + 236)
        d = np.maximum(d, np.where(arm, along - length, -200.0))
    else:
        d = np.maximum(d, q - (shoulder[0] - 6 + 0.10 * np.abs(y + 300)))
    return np.asarray(d)


def _neck_hole(p: Array, cut: Cut) -> Array:
    """Distance to the space the neck needs: an ellipsoid, open upwards."""
    import numpy as np

    rx, ry, rz, height = cut.neck
    low = p.astype(np.float64)
    low[:, 1] = np.minimum(low[:, 1], height)
    return ellipsoid(low, (0, height, -82.0), (rx, ry, rz))


def _trim(vertices: Array, faces: Array, keep: object, field: object) -> tuple[Array, Array]:
    """Drop what lies outside `keep` and pull the ragged edge onto its border."""
    import numpy as np

    value = keep(vertices)  # type: ignore[operator]
    faces = faces[(value[faces] < 0).any(1)]
    border = np.unique(faces[value[faces] >= 0])
    vertices = vertices.copy()
    for _ in range(4):
        v, slope = gradient(keep, vertices[border], 0.5)  # type: ignore[arg-type]
        _, normal = gradient(field, vertices[border], 2.0)  # type: ignore[arg-type]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        slope -= (slope * normal).sum(1, keepdims=True) * normal
        length = np.maximum((slope * slope).sum(1), 0.1)
        vertices[border] -= np.clip(v / length, -8, 8)[:, None] * slope
    used, compact = np.unique(faces, return_inverse=True)
    return vertices[used], compact.reshape(-1, 3)


def _rim(cut: Cut, field: object, angles: Array) -> Array:
    """The neckline: where the hole's ellipsoid meets the garment, per angle around the neck (0 front)."""
    import numpy as np

    rx, ry, rz, height = cut.neck
    rise = np.concatenate([np.linspace(90, 1, 60), np.zeros(60)])
    tilt = np.concatenate([np.zeros(60), np.linspace(0, 1.4, 60)])
    ct = np.cos(tilt) * np.ones((len(angles), 1))
    ring = np.stack(
        [
            rx * np.sin(angles)[:, None] * ct,
            (rise - ry * np.sin(tilt)) * np.ones_like(ct),
            rz * np.cos(angles)[:, None] * ct,
        ],
        -1,
    ) + np.array([0, height, -82.0])
    value = field(ring.reshape(-1, 3)).reshape(len(angles), -1)  # type: ignore[operator]
    first = np.argmax(value < 0, axis=1)
    return ring[np.arange(len(angles)), first]


def _trims(cut: Cut, form: Body, field: object) -> list[tuple[Array, Array]]:
    import numpy as np

    n = 120
    angles = np.linspace(-np.pi, np.pi, n)
    if cut.trim == "strap":
        return [_strap(form, s, field) for s in (1, -1)]
    rim = _smooth(_rim(cut, field, angles))
    out = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], -1)
    if cut.trim == "rib":
        rows = [rim + 2 * out + [0, -3.0, 0], rim + 3.2 * out + [0, 1, 0], rim + 1.0 * out + [0, 5.0, 0],
                rim - 4.0 * out + [0, 9.5, 0], rim - 7.5 * out + [0, 9.0, 0], rim - 8 * out + [0, 4.0, 0]]  # fmt: skip
        return [_loft(rows)]
    if cut.trim in ("collar", "lapel"):
        return [_collar(rim, angles, out, cut.trim == "lapel")]
    if cut.trim == "stand":
        lift = 44.0 + 8 * np.cos(angles)[:, None] ** 2
        gap = (np.abs(angles) > 0.10)[:, None]
        up = np.array([0, 1.0, 0])
        rows = [rim, rim + 5 * out + 0.3 * lift * up, rim + 2 * out + 0.7 * lift * up, rim - 3 * out + lift * up,
                rim - 9 * out + lift * 0.97 * up, rim - 12 * out + 0.4 * lift * up]  # fmt: skip
        return [_loft([r[gap[:, 0]] for r in rows], open_ring=True)]
    if cut.trim == "hood":
        return [_hood(rim, angles, out)]
    return []


def _collar(rim: Array, angles: Array, out: Array, flat: bool) -> tuple[Array, Array]:
    """A stand with a leaf folded over it; points at the front."""
    import numpy as np

    open_ = np.abs(angles) > (0.09 if not flat else 0.5)
    r, o, a = rim[open_], out[open_], np.abs(angles[open_])[:, None]
    up = np.array([0, 1.0, 0])
    front = np.exp(-((a / 0.55) ** 2))
    stand = 30.0 - 12 * front
    top = r + stand * up - o * (4 + 5 * front)
    point = np.exp(-(((a - 0.16) / 0.30) ** 2))
    drop = 34.0 + 34 * point
    rows = [r - 5 * o, r - 3 * o + 0.5 * stand * up, top, top + 3.0 * o + 2.0 * up, top + 6.5 * o - 2 * up]
    for share in (0.3, 0.55, 0.8, 1.0):
        rows.append(
            top
            + (6.5 + 11.0 * share + 9 * share * point) * o
            - drop * share * up
            + 2 * share * point * np.array([0, 0, 4.0])
        )
    rows.append(rows[-1] - 2.5 * o)
    return _loft(rows, open_ring=True)


def _hood(rim: Array, angles: Array, out: Array) -> tuple[Array, Array]:
    """A hood lying on the back: a thick roll that is high behind and thins to the front."""
    import numpy as np

    back = (0.5 - 0.5 * np.cos(angles))[:, None] ** 1.1
    up = np.array([0, 1.0, 0])
    size = 9 + 26 * back
    centre = rim + out * (4 + 16 * back) + up * (8 + 16 * back)
    rows = []
    for t in np.linspace(-2.2, 3.6, 16):
        rows.append(centre + size * (np.cos(t) * out + np.sin(t) * 1.15 * up))
    return _loft(rows)


def _strap(form: Body, sign: int, field: object) -> tuple[Array, Array]:
    import numpy as np

    t = np.linspace(-0.15, 1.15, 40)
    angle = t * np.pi
    path = np.stack(
        [
            np.full(40, 82.0 * form.wide),
            -250 - 130 * np.abs(np.cos(angle)) ** 1.3 * 0 - 0 * t,
            -100 + 130 * np.cos(angle),
        ],
        -1,
    )
    path[:, 1] = -330 + 150 * np.sin(np.clip(angle, 0, np.pi))
    for _ in range(6):
        v, slope = gradient(field, path, 2.0)  # type: ignore[arg-type]
        path -= (v - 1.0)[:, None] * slope / np.maximum((slope * slope).sum(1, keepdims=True), 0.3)
    path[:, 0] *= sign
    side = np.array([6.0, 0, 0])
    rows = [path - side, path - side * 0.6 + [0, 1.5, 0], path + side * 0.6 + [0, 1.5, 0], path + side]
    vertices, faces = _loft(rows, open_ring=True)
    return vertices, np.concatenate([faces, faces[:, ::-1]])


def _smooth(curve: Array, rounds: int = 6) -> Array:
    import numpy as np

    for _ in range(rounds):
        curve = 0.5 * curve + 0.25 * (np.roll(curve, 1, 0) + np.roll(curve, -1, 0))
    return curve


def _loft(rows: list[Array], open_ring: bool = False) -> tuple[Array, Array]:
    """Faces between successive curves of equal length."""
    import numpy as np

    grid = np.stack(rows)
    count, width = grid.shape[:2]
    i, j = np.meshgrid(np.arange(count - 1), np.arange(width - 1 if open_ring else width), indexing="ij")
    k = (j + 1) % width
    quad = np.stack([i * width + j, i * width + k, (i + 1) * width + k, (i + 1) * width + j], -1).reshape(
        -1, 4
    )
    return grid.reshape(-1, 3), np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
