"""Clothes: shells around the body, cut open at neck, sleeves and hem, with collars, ribs and hoods."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from synthesis.humans import catalogue
from synthesis.humans.figure import skin
from synthesis.humans.figure.body import Body, segments
from synthesis.humans.figure.cuts import CUTS, Cut, colour, family
from synthesis.humans.figure.implicit import bump, ellipsoid, step, union
from synthesis.humans.figure.model import Mesh, Surface, vertex_normals
from synthesis.humans.figure.surface_nets import gradient, surface_nets
from synthesis.humans.figure.trims import trims

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from synthesis.humans.scene import Clothing

    Array = np.ndarray
    Field = Callable[[Array], Array]


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
        meshes.append(
            _cloth(f"{garment}.{number}", name, vertices, normals, faces, np.array(tint) * weave, cut)
        )
        if number == 0 and cut.trim != "none":
            for k, (points, cells) in enumerate(trims(cut, form, field)):
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


def _trim(vertices: Array, faces: Array, keep: Field, field: Field) -> tuple[Array, Array]:
    """Drop what lies outside `keep` and pull the ragged edge onto its border."""
    import numpy as np

    value = keep(vertices)
    faces = faces[(value[faces] < 0).any(1)]
    border = np.unique(faces[value[faces] >= 0])
    vertices = vertices.copy()
    for _ in range(4):
        v, slope = gradient(keep, vertices[border], 0.5)
        _, normal = gradient(field, vertices[border], 2.0)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        slope -= (slope * normal).sum(1, keepdims=True) * normal
        length = np.maximum(np.linalg.norm(slope, axis=1), 0.3)
        vertices[border] -= (np.clip(v / length, -5, 5) / length)[:, None] * slope
    used, compact = np.unique(faces, return_inverse=True)
    return vertices[used], compact.reshape(-1, 3)
