"""The embedded renderer: Mitsuba 3. Light is path-traced; labels come from `labelled.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthesis.humans.renderers import Renderer, environment, finish, labelled, shapes, world
from synthesis.ops.engine import engine
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure
    from synthesis.humans.renderers.labelled import Box
    from synthesis.humans.renderers.world import World
    from synthesis.humans.scene import Scene

    Array = np.ndarray

QUALITY = {"final": (2, 7, 3), "draft": (1, 5, 3)}
"""Passes, paths per pixel and pass, sub-pixels of the labels along a side (odd)."""
BOUNCES = 5


class MitsubaRenderer(Renderer):
    """Draws people with Mitsuba 3 (`scalar_rgb`).

    Args:
        quality: `final` or `draft` (about a third of the paths).
        threads: how many to use; None is all cores.
    """

    def __init__(self, quality: str = "final", threads: int | None = None) -> None:
        self.passes, self.paths, self.grid = QUALITY[quality]
        self.threads = threads

    def render(self, scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure, path: Path) -> None:
        """Write the EXR of `formats.md` §5.5; the same arguments give the same bytes on one machine."""
        channels, attributes = self.channels(scene, camera, frame, figure)
        write_exr(path, channels, attributes)

    def channels(
        self, scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure
    ) -> tuple[dict[str, Array], dict[str, str]]:
        """Channels (H, W) and attributes of the EXR."""
        mi = engine(self.threads)
        seed = (scene.seed * 1009 + scene.render_id * 31 + frame) % 2**30
        sky = environment.rotated(environment.panorama(scene.hdri.name), scene.hdri.rotation)
        brightness = float(scene.hdri.intensity)
        with tempfile.TemporaryDirectory() as folder:
            lit = world.build(mi, figure, sky, brightness, Path(folder))
        box = labelled.box(figure, camera)
        seen = labelled.look(mi, lit, camera, self.grid, box)
        light = self._light(mi, lit, camera, seed, box)
        return finish.finish(light, environment.background(sky, camera) * brightness, seen, camera, figure)

    def _light(self, mi: Any, lit: World, camera: ResolvedCamera, seed: int, box: Box) -> Array:
        """(P, H, W, 3) radiance in a box of the image, one image per pass."""
        import numpy as np

        integrator = mi.load_dict({"type": "path", "max_depth": BOUNCES, "rr_depth": 4})
        sampler = {"type": "independent", "sample_count": self.paths}
        sensor = mi.load_dict(shapes.sensor(mi, camera, 1, box, sampler))
        images = [
            np.array(
                mi.render(lit.scene, sensor=sensor, integrator=integrator, seed=seed + k, spp=self.paths)
            )
            for k in range(self.passes)
        ]
        return np.stack(images)
