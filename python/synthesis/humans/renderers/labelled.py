"""What every sub-pixel sees: one merged mesh and one bundle of curves, traced without light.

Mitsuba numbers the triangles and curve segments it hits; tables lead from there to the figure's parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthesis.humans.renderers import shapes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure

    Array = np.ndarray


@dataclass(frozen=True)
class Seen:
    """Sub-pixels seen through the centres of a grid of `grid` x `grid` cells per pixel.

    Attributes:
        part: (S, H, W) 1 + number of the mesh, then of the strands; 0 is background. S = grid * grid.
        position, normal: (S, H, W, 3) world. albedo: (S, H, W, 3).
        centre: index in S of the sample through the pixel's centre (the grid is odd).
    """

    part: Array
    position: Array
    normal: Array
    albedo: Array
    centre: int


def look(mi: Any, figure: Figure, camera: ResolvedCamera, grid: int, folder: Path) -> Seen:
    """Trace the labels of an image."""
    import numpy as np

    world, tables = _world(mi, figure, folder)
    integrator = mi.load_dict(
        {"type": "aov", "aovs": "p:position,n:sh_normal,i:shape_index,r:prim_index,a:albedo"}
    )
    width, height = camera.camera.resolution_w, camera.camera.resolution_h
    size = grid * grid
    part = np.zeros((size, height, width), np.int32)
    position, normal, albedo = (np.zeros((size, height, width, 3), np.float32) for _ in range(3))
    left, upper, right, lower = _box(figure, camera)
    rows = max(1, 1_500_000 // (max(right - left, 1) * size))
    for top in range(upper, lower, rows):
        count = min(rows, lower - top)
        sampler = {"type": "stratified", "jitter": False, "sample_count": 1}
        sensor = mi.load_dict(shapes.sensor(mi, camera, grid, (left, top, right - left, count), sampler))
        raw = np.nan_to_num(np.array(mi.render(world, sensor=sensor, integrator=integrator, spp=1)))
        raw = raw.reshape(count, grid, right - left, grid, -1).transpose(1, 3, 0, 2, 4)
        raw = raw.reshape(size, count, right - left, -1)
        band = (slice(None), slice(top, top + count), slice(left, right))
        position[band], normal[band], albedo[band] = raw[..., 0:3], raw[..., 3:6], raw[..., 8:11]
        shape, prim = np.rint(raw[..., 6]).astype(int), np.rint(raw[..., 7]).astype(int)
        for number, table in enumerate(tables, 1):
            hit = shape == number
            part[band][hit] = table[prim[hit]]
    return Seen(part, position, normal, albedo, size // 2)


def _box(figure: Figure, camera: ResolvedCamera) -> tuple[int, int, int, int]:
    """Pixels that can see the figure: left, top, right (exclusive), bottom; the whole image when in doubt."""
    import numpy as np

    width, height = camera.camera.resolution_w, camera.camera.resolution_h
    points = np.concatenate(
        [m.vertices for m in figure.meshes] + [s.points.reshape(-1, 3) for s in figure.strands]
    )
    if (np.asarray(camera.view(points))[:, 2] > -0.03).any():
        return 0, 0, width, height
    at = np.asarray(camera.project(points)) * [width, height]
    low = np.clip(np.floor(at.min(0)) - 2, 0, [width, height]).astype(int)
    high = np.clip(np.ceil(at.max(0)) + 3, 0, [width, height]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _world(mi: Any, figure: Figure, folder: Path) -> tuple[Any, list[Array]]:
    """The scene of two shapes, and per shape the part of every primitive."""
    import numpy as np

    parts: dict[str, Any] = {
        "type": "scene",
        "mesh": shapes.mesh(mi, "mesh", list(figure.meshes), shapes.PLAIN),
    }
    tables = [np.repeat(np.arange(1, len(figure.meshes) + 1), [len(m.faces) for m in figure.meshes])]
    if figure.strands:
        parts["strands"] = shapes.curves(list(figure.strands), folder / "all.txt", {"type": "diffuse"})
        segments = [len(s.points) * (s.points.shape[1] - 1) for s in figure.strands]
        tables.append(np.repeat(len(figure.meshes) + 1 + np.arange(len(figure.strands)), segments))
    return mi.load_dict(parts), tables
