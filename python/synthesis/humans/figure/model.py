"""What a figure is made of: triangle meshes, strands, and the named places labels need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Surface:
    """How a mesh or a bundle of strands takes light.

    Attributes:
        kind: `skin`, `eye`, `cloth`, `hair`, `gloss` (teeth, plastic), `metal` or `glass`.
        roughness: 0 mirror to 1 matt.
        colour: linear RGB, used where vertices carry none.
    """

    kind: str
    roughness: float = 0.5
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles of one segment, in world metres.

    Attributes:
        name: unique in the figure.
        segment: name of `segments_mapping`.
        garment: name of `clothing_segments_mapping`, or None.
        vertices: (N, 3) float64. normals: (N, 3) unit. faces: (M, 3) int.
        colours: (N, 3) linear RGB, or None.
        uv: (N, 2), or None.
    """

    name: str
    segment: str
    garment: str | None = None
    vertices: Array
    normals: Array
    faces: Array
    surface: Surface
    colours: Array | None = None
    uv: Array | None = None


@dataclass(frozen=True, kw_only=True)
class Strands:
    """Hairs of one segment: (S, K, 3) world metres, with (S, K) radii."""

    name: str
    segment: str
    points: Array
    radii: Array
    surface: Surface


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A person, posed and placed.

    Attributes:
        meshes, strands: geometry.
        landmarks: set path (without `landmarks.`) -> (N, 3) world metres, in emission order.
        pupils, gaze: `left` and `right` -> (3,) world; gaze is a unit vector.
        head2world: (4, 4). face_centre: (3,) its translation before the head turns.
        segment_names, garment_names: every name of the scene, sorted, without `background`.
    """

    meshes: tuple[Mesh, ...]
    strands: tuple[Strands, ...]
    landmarks: dict[str, Array]
    pupils: dict[str, Array]
    gaze: dict[str, Array]
    head2world: Array
    face_centre: Array
    segment_names: tuple[str, ...] = field(default=())
    garment_names: tuple[str, ...] = field(default=())


def vertex_normals(vertices: Array, faces: Array) -> Array:
    """Area-weighted unit normals (N, 3)."""
    import numpy as np

    corner = vertices[faces]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, k], area[:, axis], len(vertices))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-15)


def split(mesh: Mesh, labels: Array, names: list[str]) -> list[Mesh]:
    """Cut a mesh by face labels (indexes into `names`), keeping the shared smooth normals."""
    import numpy as np

    parts = []
    for number, name in enumerate(names):
        faces = mesh.faces[labels == number]
        if not len(faces):
            continue
        used, compact = np.unique(faces, return_inverse=True)
        parts.append(
            Mesh(
                name=f"{mesh.name}.{name}",
                segment=name,
                garment=mesh.garment,
                vertices=mesh.vertices[used],
                normals=mesh.normals[used],
                faces=compact.reshape(-1, 3),
                surface=mesh.surface,
                colours=None if mesh.colours is None else mesh.colours[used],
                uv=None if mesh.uv is None else mesh.uv[used],
            )
        )
    return parts
