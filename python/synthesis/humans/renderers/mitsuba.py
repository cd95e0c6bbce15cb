"""The embedded renderer: Mitsuba 3. Light is path-traced; labels come from `labelled.py`."""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthesis.humans.renderers import Renderer, environment, finish, labelled, materials, shapes
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure
    from synthesis.humans.scene import Scene

    Array = np.ndarray

QUALITY = {"final": (2, 7, 3), "draft": (1, 5, 3)}
"""Passes, paths per pixel and pass, sub-pixels of the labels along a side (odd)."""
BOUNCES = 5


def _engine(threads: int | None) -> Any:
    """Mitsuba with the one variant that runs everywhere."""
    import mitsuba

    if mitsuba.variant() != "scalar_rgb":
        mitsuba.set_variant("scalar_rgb")
        mitsuba.set_log_level(mitsuba.LogLevel.Error)
    if threads is not None:
        import drjit

        drjit.set_thread_count(threads)
    return mitsuba


class MitsubaRenderer(Renderer):
    """Draws people with Mitsuba 3 (`scalar_rgb`).

    Args:
        quality: `final` or `draft` (a quarter of the paths).
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
        mi = _engine(self.threads)
        seed = (scene.seed * 1009 + scene.render_id * 31 + frame) % 2**30
        with tempfile.TemporaryDirectory() as folder:
            seen = labelled.look(mi, figure, camera, self.grid, Path(folder))
            light = self._light(mi, _world(mi, scene, figure, Path(folder)), camera, seed)
        return finish.finish(light, seen, camera, figure)

    def _light(self, mi: Any, world: Any, camera: ResolvedCamera, seed: int) -> Array:
        """(P, H, W, 3) radiance, one image per pass."""
        import numpy as np

        integrator = mi.load_dict({"type": "path", "max_depth": BOUNCES, "rr_depth": 4})
        height = camera.camera.resolution_h
        sampler = {"type": "independent", "sample_count": self.paths}
        sensor = mi.load_dict(
            shapes.sensor(mi, camera, 1, (0, 0, camera.camera.resolution_w, height), sampler)
        )
        images = [
            np.array(mi.render(world, sensor=sensor, integrator=integrator, seed=seed + k, spp=self.paths))
            for k in range(self.passes)
        ]
        return np.stack(images)


def _world(mi: Any, scene: Scene, figure: Figure, folder: Path) -> Any:
    """The lit scene without a camera: one shape per kind of surface."""
    panorama = environment.rotated(environment.panorama(scene.hdri.name), scene.hdri.rotation)
    parts: dict[str, Any] = {
        "type": "scene",
        "sky": {"type": "envmap", "bitmap": mi.Bitmap(panorama), "scale": float(scene.hdri.intensity)},
    }
    meshes = sorted(figure.meshes, key=lambda m: (m.surface.kind, m.surface.roughness, m.surface.colour))
    for number, (surface, group) in enumerate(groupby(meshes, key=lambda m: m.surface)):
        parts[f"mesh{number}"] = shapes.mesh(
            mi, f"mesh{number}", list(group), materials.material(surface, painted=True)
        )
    strands = sorted(figure.strands, key=lambda s: s.surface.colour)
    for number, (surface, bundle) in enumerate(groupby(strands, key=lambda s: s.surface)):
        bsdf = materials.material(surface, painted=False)
        parts[f"strands{number}"] = shapes.curves(list(bundle), folder / f"{number}.txt", bsdf)
    return mi.load_dict(parts)
