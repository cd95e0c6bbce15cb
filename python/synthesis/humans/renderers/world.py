"""The lit scene: one shape per kind of surface, and which part of the figure every primitive belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from synthesis.humans.renderers import materials, shapes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from synthesis.humans.figure import Figure

    Array = np.ndarray


@dataclass(frozen=True)
class World:
    """A scene of Mitsuba.

    Attributes:
        scene: without a camera.
        parts, colours: per shape, (primitives,) number of the part (1 + that of the mesh, then of the
            strands) and (primitives, 3) its mean albedo.
    """

    scene: Any
    parts: list[Array]
    colours: list[Array]


def build(mi: Any, figure: Figure, sky: Array, brightness: float, folder: Path) -> World:
    """The figure under the panorama `sky` (H, W, 3); curves are handed over in files of `folder`."""
    import numpy as np

    scene: dict[str, Any] = {
        "type": "scene",
        "sky": {"type": "envmap", "bitmap": mi.Bitmap(sky), "scale": brightness},
    }
    parts: list[Array] = []
    colours: list[Array] = []
    meshes = sorted(
        enumerate(figure.meshes, 1),
        key=lambda m: (m[1].surface.kind, m[1].surface.roughness, m[1].surface.colour),
    )
    for surface, group in groupby(meshes, key=lambda m: m[1].surface):
        name, members = f"mesh{len(parts)}", list(group)
        bsdf = materials.material(surface, painted=True)
        scene[name] = shapes.mesh([m for _, m in members], folder / f"{name}.ply", bsdf)
        parts.append(np.concatenate([np.full(len(m.faces), number) for number, m in members]))
        colours.append(np.concatenate([shapes.vertex_colours(m)[m.faces].mean(1) for _, m in members]))
    strands = sorted(enumerate(figure.strands, len(meshes) + 1), key=lambda s: s[1].surface.colour)
    for surface, bundle in groupby(strands, key=lambda s: s[1].surface):
        name, tufts = f"strands{len(parts)}", list(bundle)
        bsdf = materials.material(surface, painted=False)
        scene[name] = shapes.curves([s for _, s in tufts], folder / f"{name}.txt", bsdf)
        segments = [len(s.points) * (s.points.shape[1] - 1) for _, s in tufts]
        parts.append(np.repeat([number for number, _ in tufts], segments))
        colours.append(np.broadcast_to(surface.colour, (sum(segments), 3)))
    return World(mi.load_dict(scene), parts, colours)
