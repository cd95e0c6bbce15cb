"""A renderer of a few milliseconds: the person is a handful of balls, exact in depth and normals.

For tests of everything around pictures and for dry runs of big jobs. Its landmarks lie on the balls, at
arbitrary places: they are consistent with the image, not with a face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.humans import catalogue, draw
from synthesis.humans.figure.model import Figure
from synthesis.humans.renderers import Renderer, cryptomatte
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.scene import Scene

FACE_CENTRE = (0.0, 1.6, 0.065)
HEAD_RADIUS = 0.1
LIGHT = (-0.4, 0.6, 0.69)
"""Where the light comes from, in camera space."""
EYES = {"left": (0.03, 0.012, 0.082), "right": (-0.03, 0.012, 0.082)}


@dataclass(frozen=True)
class _Ball:
    segment: str
    garment: str | None
    centre: np.ndarray
    radius: float
    color: tuple[float, float, float]


class FlatRenderer(Renderer):
    """Draws balls with one light."""

    def figure(self, scene: Scene, frame: int) -> Figure:  # noqa: ARG002 - balls do not move
        """Build a figure without meshes: pose, pupils, gaze and landmarks on the head's ball."""
        import numpy as np

        head2world = _head2world(scene)
        turn, centre = head2world[:3, :3], head2world[:3, 3]
        across, up = (
            math.radians(a) for a in (scene.facial.gaze.horizontal_angle, scene.facial.gaze.vertical_angle)
        )
        ahead = np.array([math.sin(across) * math.cos(up), math.sin(up), math.cos(across) * math.cos(up)])
        landmarks = {
            name: centre + _front_of_a_ball(len(points)) @ turn.T
            for name, points in catalogue.get("landmarks").facts.items()
        }
        garments = {ball.garment for ball in _balls(scene, head2world) if ball.garment}
        return Figure(
            meshes=(),
            strands=(),
            landmarks=landmarks,
            pupils={side: centre + turn @ np.array(eye) for side, eye in EYES.items()},
            gaze=dict.fromkeys(EYES, turn @ ahead),
            head2world=head2world,
            face_centre=np.array(FACE_CENTRE),
            segment_names=tuple(sorted({ball.segment for ball in _balls(scene, head2world)})),
            garment_names=tuple(sorted(garments)),
        )

    def render(self, scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure, path: Path) -> None:  # noqa: ARG002
        """Cast one ray through the centre of every pixel."""
        rays = _rays(camera)
        rgb, depth, normals = _backdrop(scene, *rays.shape[:2]), 0.0 * rays[..., 0], 0.0 * rays
        normals[..., 2] = 1.0
        part, garment = depth.astype(int), depth.astype(int)
        for ball in _balls(scene, figure.head2world):
            hit, distance, out = _hits(rays, camera.view(ball.centre[None])[0], ball.radius, depth)
            light = (out @ LIGHT).clip(0.0, 1.0)[:, None]
            rgb[hit] = (0.25 + 0.75 * light) * ball.color * scene.hdri.intensity
            depth[hit], normals[hit] = distance, _ray_frame(out, rays[hit])
            part[hit] = figure.segment_names.index(ball.segment) + 1
            garment[hit] = figure.garment_names.index(ball.garment) + 1 if ball.garment else 0
        channels = _channels(rgb, part > 0, depth, normals)
        attributes: dict[str, str] = {}
        for name, names, labels in (
            ("segmentation", figure.segment_names, part),
            ("clothing", figure.garment_names, garment),
        ):
            planes, about = cryptomatte.channels(name, names, labels[None])
            channels |= planes
            attributes |= about
        write_exr(path, channels, attributes)


def _rays(camera: ResolvedCamera) -> np.ndarray:
    """Unit vectors of camera space through the centres of the pixels, (H, W, 3)."""
    import numpy as np

    width, height = camera.camera.resolution_w, camera.camera.resolution_h
    f, cx, cy = camera.intrinsics[0, 0], camera.intrinsics[0, 2], camera.intrinsics[1, 2]
    x, y = np.meshgrid((np.arange(width) + 0.5 - cx) / f, (cy - np.arange(height) - 0.5) / f)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1)
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def _hits(
    rays: np.ndarray, centre: np.ndarray, radius: float, depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where a ball is the nearest so far, its distances there and its normals there."""
    import numpy as np

    along = rays @ centre
    inside = radius**2 - centre @ centre + along**2
    near = along - np.sqrt(inside.clip(0.0))
    hit = (inside > 0) & (near > 0) & ((near < depth) | (depth == 0))
    return hit, near[hit], (rays[hit] * near[hit][:, None] - centre) / radius


def _channels(
    rgb: np.ndarray, covered: np.ndarray, depth: np.ndarray, normals: np.ndarray
) -> dict[str, np.ndarray]:
    import numpy as np

    # Normals are kept as V-Ray writes them, with x to the left; extraction turns it back.
    planes = [*np.moveaxis(rgb, -1, 0), covered, *np.moveaxis(normals * (-1, 1, 1), -1, 0)]
    names = ("R", "G", "B", "A", "normals.X", "normals.Y", "normals.Z")
    channels = {name: plane.astype(np.float16) for name, plane in zip(names, planes, strict=True)}
    return {**channels, "Z": depth.astype(np.float32)}


def _head2world(scene: Scene) -> np.ndarray:
    """Rz(roll) . Rx(-pitch) . Ry(yaw) about the face centre (`formats.md` §3.2)."""
    import numpy as np

    turn = scene.facial.head_turn
    a, b, c = (math.radians(angle) for angle in (turn.yaw, -turn.pitch, turn.roll))
    ry = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    rx = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    rz = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = rz @ rx @ ry, FACE_CENTRE
    return out


def _balls(scene: Scene, head2world: np.ndarray) -> list[_Ball]:
    import numpy as np

    def on_head(x: float, y: float, z: float) -> np.ndarray:
        placed: np.ndarray = head2world[:3, :3] @ np.array([x, y, z]) + head2world[:3, 3]
        return placed

    # Skin tones run from 0.5, lightest, to 6, darkest.
    dark = min(max((scene.identity.skin_tone - 0.5) / 5.5, 0.0), 1.0)
    skin = (0.78 - 0.62 * dark, 0.55 - 0.47 * dark, 0.45 - 0.41 * dark)
    kinds = catalogue.get("garments").facts
    top = [
        kinds[name]
        for name, _ in scene.clothing.garments
        if kinds[name] not in {"shoe", "trousers", "shorts"}
    ]
    balls = [
        _Ball("head", None, on_head(0, 0, 0), HEAD_RADIUS, skin),
        _Ball("neck", None, np.array([0.0, 1.47, 0.0]), 0.06, skin),
        _Ball("torso_upper_left", top[-1], np.array([0.1, 1.2, 0.0]), 0.2, _color(scene.clothing.outfit)),
        _Ball("torso_upper_right", top[-1], np.array([-0.1, 1.2, 0.0]), 0.2, _color(scene.clothing.outfit)),
    ]
    balls += [
        _Ball(f"sclera_{side}", None, on_head(*eye), 0.02, (0.8, 0.8, 0.8)) for side, eye in EYES.items()
    ]
    if scene.facial.hair.style != "none":
        balls.append(_Ball("hair", None, on_head(0, 0.035, -0.03), 0.105, _color(scene.facial.hair.color)))
    return balls


def _color(name: str) -> tuple[float, float, float]:
    red, green, blue = (draw.between(0.05, 0.6, "flat", name, channel) for channel in "rgb")
    return red, green, blue


def _backdrop(scene: Scene, height: int, width: int) -> np.ndarray:
    """A vertical gradient in a colour of the HDRI's name."""
    import numpy as np

    down = np.linspace(0.7, 0.2, height)[:, None, None] * np.ones((1, width, 1))
    return np.asarray(down * np.array(_color(scene.hdri.name)) * scene.hdri.intensity)


def _ray_frame(normals: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Turn camera-space normals into the frame of the view ray (`formats.md` §1.3)."""
    import numpy as np

    z = -rays
    x = np.stack([z[..., 2], np.zeros_like(z[..., 0]), -z[..., 0]], axis=-1)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.cross(z, x)
    return np.stack([(normals * axis).sum(-1) for axis in (x, y, z)], axis=-1)


def _front_of_a_ball(count: int) -> np.ndarray:
    """Spread points over the front of the head's ball along a golden spiral, (count, 3)."""
    import numpy as np

    z = 1.0 - np.arange(count) / count
    angle = np.arange(count) * math.pi * (3.0 - math.sqrt(5.0))
    radius = np.sqrt(1.0 - z**2)
    return HEAD_RADIUS * np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1)
