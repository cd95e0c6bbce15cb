"""What every sub-pixel sees, traced without light.

Mitsuba numbers the triangles and curve segments it hits; tables lead from there to the figure's parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthesis.humans.renderers import shapes

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure
    from synthesis.humans.renderers.world import World

    Array = np.ndarray
    Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Seen:
    """Sub-pixels of a box seen through the centres of a grid of `grid` x `grid` cells per pixel.

    Attributes:
        box: pixels looked at: left, top, width, height. Beyond them is background.
        part: (S, H, W) 1 + number of the mesh, then of the strands; 0 is background. S = grid * grid.
        position, normal: (S, H, W, 3) world. albedo: (S, H, W, 3).
        centre: index in S of the sample through the pixel's centre (the grid is odd).
    """

    box: Box
    part: Array
    position: Array
    normal: Array
    albedo: Array
    centre: int


def look(mi: Any, world: World, camera: ResolvedCamera, grid: int, box: Box) -> Seen:
    """Trace the labels of a box of an image."""
    import numpy as np

    integrator = mi.load_dict({"type": "aov", "aovs": "p:position,n:sh_normal,i:shape_index,r:prim_index"})
    left, upper, width, height = box
    size = grid * grid
    part = np.zeros((size, height, width), np.int32)
    position, normal, albedo = (np.zeros((size, height, width, 3), np.float32) for _ in range(3))
    rows = max(1, 1_500_000 // (width * size))
    sampler = {"type": "stratified", "jitter": False, "sample_count": 1}
    for top in range(0, height, rows):
        count = min(rows, height - top)
        crop = (left, upper + top, width, count)
        sensor = mi.load_dict(shapes.sensor(mi, camera, grid, crop, sampler))
        integrator.render(world.scene, sensor, seed=0, spp=1, develop=False, evaluate=False)
        # Undeveloped: red, green, blue and weight (1 for a box of one sample) come first.
        raw = np.array(sensor.film().develop(raw=True))[..., 4:]
        raw[~np.isfinite(raw)] = 0
        raw = raw.reshape(count, grid, width, grid, -1).transpose(1, 3, 0, 2, 4)
        band = slice(top, top + count)
        position[:, band] = raw[..., 0:3].reshape(size, count, width, 3)
        normal[:, band] = raw[..., 3:6].reshape(size, count, width, 3)
        shape, prim = (np.rint(raw[..., k]).astype(np.int32).reshape(size, count, width) for k in (6, 7))
        for number, (parts, colours) in enumerate(zip(world.parts, world.colours, strict=True), 1):
            hit = np.nonzero(shape == number)
            found = prim[hit]
            part[:, band][hit] = parts[found]
            albedo[:, band][hit] = colours[found]
    return Seen(box, part, position, normal, albedo, size // 2)


def box(figure: Figure, camera: ResolvedCamera) -> Box:
    """Pixels that can see the figure: left, top, width, height, at least 1; in doubt the whole image."""
    import numpy as np

    width, height = camera.camera.resolution_w, camera.camera.resolution_h
    points = np.concatenate(
        [m.vertices for m in figure.meshes] + [s.points.reshape(-1, 3) for s in figure.strands]
    )
    if (np.asarray(camera.view(points))[:, 2] > -0.03).any():
        return 0, 0, width, height
    at = np.asarray(camera.project(points)) * [width, height]
    low = np.clip(np.floor(at.min(0)) - 2, 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(at.max(0)) + 3, low + 1, [width, height]).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])
