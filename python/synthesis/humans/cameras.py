"""From a rig and its camera to a pinhole in the world (`formats.md` §3.1, §3.2).

World: right-handed, x to the subject's left, y up, z to where the subject faces.
Camera: OpenGL, x right, y up, z backwards. Matrices are row-major 4x4 for column vectors.

A rig is a frame that its cameras and lights hang from. With R = Ry(yaw) . Rx(pitch) . Rz(roll),
right-hand rotations in degrees, and `location` = (x, y, z, yaw, pitch, roll), rig to world is

    head_orbit                 T(face centre before head turn) . R . T(x, y, z)
    head_orbit_with_tracking   head to world . R . T(x, y, z)
    preset_location            T(face centre before head turn + preset) . T(x, y, z) . R

and a camera adds its `relative_location` as T(x, y, z) . R. The first is measured on real renders;
the order of the rotations, the second and the preset positions are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from synthesis.humans.scene import Camera, Location, Rig, Scene

PRESETS: dict[str, tuple[float, float, float]] = {
    "dashboard": (0.0, -0.28, 0.80),
    "rearview_mirror": (-0.36, 0.03, 0.63),
    "overhead_console": (-0.28, 0.28, 0.48),
    "multimedia_console_upper": (-0.42, -0.22, 0.66),
    "multimedia_console_lower": (-0.42, -0.42, 0.58),
}
"""Vehicle cameras, metres from the driver's face centre, in a car steered on the left.

An unturned preset looks straight back at the seats; `location` aims it, as the public inputs do
(`dashboard` with pitch 19.7, `rearview_mirror` with yaw -30: both then look at the face).
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedCamera:
    """A camera with its place in the world.

    Attributes:
        camera: the scene's camera.
        cam2world: (4, 4) float64, values that float32 holds exactly.
        intrinsics: (3, 3) float64, pixels; fx = fy = focal / sensor_width * width.
        rig: index of its rig in the scene.
        rig2world: (4, 4) float64, the frame that the rig's lights hang from.
    """

    camera: Camera
    cam2world: np.ndarray
    intrinsics: np.ndarray
    rig: int
    rig2world: np.ndarray

    @cached_property
    def world2cam(self) -> np.ndarray:
        """The inverse of `cam2world`, (4, 4) float64."""
        import numpy as np

        inverse: np.ndarray = np.linalg.inv(self.cam2world)
        return inverse

    def view(self, points: ArrayLike) -> np.ndarray:
        """Move world points (N, 3) into camera space (N, 3); what lies ahead has z < 0."""
        import numpy as np

        at = np.asarray(points, dtype=np.float64)
        seen: np.ndarray = at @ self.world2cam[:3, :3].T + self.world2cam[:3, 3]
        return seen

    def project(self, points: ArrayLike) -> np.ndarray:
        """Project world points (N, 3) to the screen (N, 2): (0, 0) top left, (1, 1) bottom right.

        Points may fall outside of [0, 1]; a point in the camera's plane gives infinity.
        """
        return self.project_view(self.view(points))

    def project_view(self, seen: ArrayLike) -> np.ndarray:
        """Project points of camera space (N, 3) to the screen (N, 2): K . (x, -y, -z) over the size."""
        import numpy as np

        p = (np.asarray(seen, dtype=np.float64) * (1.0, -1.0, -1.0)) @ self.intrinsics.T
        with np.errstate(divide="ignore", invalid="ignore"):
            uv = p[:, :2] / p[:, 2:]
        screen: np.ndarray = uv / (self.camera.resolution_w, self.camera.resolution_h)
        return screen


def rotation(location: Location) -> np.ndarray:
    """Build Ry(yaw) . Rx(pitch) . Rz(roll), (3, 3), from degrees."""
    import numpy as np

    yaw, pitch, roll = (math.radians(a) for a in (location.yaw, location.pitch, location.roll))
    cy, sy, cx, sx, cz, sz = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: np.ndarray = ry @ rx @ rz
    return turned


def place(location: Location) -> np.ndarray:
    """Build T(x, y, z) . R, (4, 4): how a camera or light hangs in its rig."""
    import numpy as np

    out = np.eye(4)
    out[:3, :3] = rotation(location)
    out[:3, 3] = location.x, location.y, location.z
    return out


def resolve_cameras(scene: Scene, face_centre: ArrayLike, head2world: ArrayLike) -> list[ResolvedCamera]:
    """Place every camera of a scene, rigs in order, cameras of a rig in order.

    Args:
        scene: the scene.
        face_centre: (3,) world point of the face centre before the head is turned.
        head2world: (4, 4) pose of the head; rigs that track hang from it.
    """
    import numpy as np

    resolved = []
    for index, rig in enumerate(scene.rigs):
        rig2world = _rig2world(rig, np.asarray(face_centre, np.float64), np.asarray(head2world, np.float64))
        for camera in rig.cameras:
            cam2world = (rig2world @ place(camera.relative_location)).astype(np.float32).astype(np.float64)
            resolved.append(
                ResolvedCamera(
                    camera=camera,
                    cam2world=cam2world,
                    intrinsics=_intrinsics(camera),
                    rig=index,
                    rig2world=rig2world,
                )
            )
    return resolved


def _rig2world(rig: Rig, face_centre: np.ndarray, head2world: np.ndarray) -> np.ndarray:
    import numpy as np

    turn, shift, base = np.eye(4), np.eye(4), np.eye(4)
    turn[:3, :3] = rotation(rig.location)
    shift[:3, 3] = rig.location.x, rig.location.y, rig.location.z
    if rig.type == "preset_location":
        base[:3, 3] = face_centre + PRESETS[rig.preset_name or "dashboard"]
        return base @ shift @ turn
    base[:3, 3] = face_centre
    return (head2world if rig.type == "head_orbit_with_tracking" else base) @ turn @ shift


def _intrinsics(camera: Camera) -> np.ndarray:
    import numpy as np

    f = camera.focal_length / camera.sensor_width * camera.resolution_w
    cx, cy = camera.resolution_w / 2, camera.resolution_h / 2
    return np.array([[f, 0.0, cx], [0.0, f, cy], [0.0, 0.0, 1.0]])
