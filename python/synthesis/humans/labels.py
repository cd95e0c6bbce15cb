"""`info.json`, version 1.5: everything that is known about one image (`formats.md` §3).

Key order and number format are the original's: `json.dumps(indent=4)` with a final line feed, geometry
rounded to float32. Landmarks are listed by `catalogues/landmarks.json`; every screen position is the
projection of its world position, brows included (the original's brows are not).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from synthesis.humans import catalogue
from synthesis.humans.contour import contour
from synthesis.humans.metadata import scene_record

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure.model import Figure
    from synthesis.humans.scene import Scene

FACE_BOX = (30, 36, 45, 48, 54)
"""ibug68 ids of `eye_nose_mouth_bbox`: nose tip, outer eye corners, mouth corners."""


def info(scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure) -> bytes:
    """Return the bytes of `info.json` of one image.

    Args:
        scene: the scene.
        camera: the camera, placed for this frame.
        frame: number of the frame, from 1.
        figure: the person of this frame; its landmarks, pose and names are what is written.
    """
    record = scene_record(scene)
    document = {
        "version": "1.5",
        "camera": _camera(camera),
        "eye_nose_mouth_bbox": _face_box(camera, figure),
        "pupil_coordinates": {
            f"pupil_{side}": _pupil(camera, figure.pupils[side]) for side in ("right", "left")
        },
        "gaze_values": {f"eye_{side}": _gaze(scene, figure.gaze[side]) for side in ("right", "left")},
        "head_transform": _head(camera, figure),
        "landmarks": _landmarks(camera, figure),
        "identity_metadata": record["identity_metadata"],
        "facial_attributes": record["facial_attributes"],
        "body": record["body"],
        "clothing": record["clothing"],
        "accessories": record["accessories"],
        "hdri": _hdri(scene.hdri.name),
        "gesture": {
            name: record["gesture"][name]
            for name in ("name", "mirrored", "keyframe_only", "output_frame_length")
        },
        "render": {
            "zmin": 0.0,
            "zmax": 100.0,
            "wavelength": camera.camera.wavelength,
            "frame_number": frame,
        },
        "segments_mapping": mapping(figure.segment_names),
        "clothing_segments_mapping": mapping(figure.garment_names),
    }
    return json.dumps(document, indent=4, allow_nan=False).encode() + b"\n"


def mapping(names: tuple[str, ...]) -> dict[str, int]:
    """Number names as the segment images do: `background` is 0, the others by byte order from 1."""
    return {"background": 0} | {
        name: number for number, name in enumerate(sorted(names, key=str.encode), start=1)
    }


def _camera(camera: ResolvedCamera) -> dict[str, Any]:
    lens = camera.camera
    intrinsics: list[list[float]] = camera.intrinsics.tolist()
    intrinsics[2] = [0, 0, 1.0]  # as the original prints it: two integers and a float
    height = lens.sensor_width * lens.resolution_h / lens.resolution_w
    return {
        "intrinsics": intrinsics,
        "transform_cam2world": {"mat_4x4": camera.cam2world.tolist()},
        "transform_world2cam": {"mat_4x4": camera.world2cam.tolist()},
        "focal_length_mm": float(lens.focal_length),
        "field_of_view": {
            "x_axis_rads": 2 * math.atan(lens.sensor_width / 2 / lens.focal_length),
            "y_axis_rads": 2 * math.atan(height / 2 / lens.focal_length),
        },
        "sensor": {"height_mm": float(height), "width_mm": float(lens.sensor_width)},
    }


def _face_box(camera: ResolvedCamera, figure: Figure) -> dict[str, Any]:
    world = figure.landmarks["ibug68"][list(FACE_BOX)]
    screen = camera.project(world)
    return {
        f"{space}_space": {"min": _rounded(points.min(axis=0)), "max": _rounded(points.max(axis=0))}
        for space, points in (("world", world), ("screen", screen))
    }


def _pupil(camera: ResolvedCamera, world: np.ndarray) -> dict[str, Any]:
    import numpy as np

    seen = camera.view(world[None])
    return {
        "screen_space_pos": _rounded(camera.project_view(seen)[0]),
        "distance_to_camera": float(np.float32(np.linalg.norm(seen))),
        "world_space_pos": _rounded(world),
        "camera_space_pos": _rounded(seen[0]),
    }


def _gaze(scene: Scene, vector: np.ndarray) -> dict[str, Any]:
    import numpy as np

    return {
        "horizontal_angle": float(np.float32(scene.facial.gaze.horizontal_angle)),
        "vertical_angle": float(np.float32(scene.facial.gaze.vertical_angle)),
        "gaze_vector": _rounded(vector),
    }


def _head(camera: ResolvedCamera, figure: Figure) -> dict[str, Any]:
    import numpy as np

    head2world = figure.head2world.astype(np.float32).astype(np.float64)
    return {
        "transform_head2world": {"mat_4x4": head2world.tolist()},
        "transform_head2cam": {"mat_4x4": (camera.world2cam @ head2world).tolist()},
    }


def _landmarks(camera: ResolvedCamera, figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, points in catalogue.get("landmarks").facts.items():
        if path == "ibug68_contour":
            listed = _contour(camera, figure, points)
        else:
            listed = _points(camera, figure.landmarks[path], points, first=path == "ibug68")
        parent, _, name = path.rpartition(".")
        (found.setdefault(parent, {}) if parent else found)[name] = listed
    return found


def _points(
    camera: ResolvedCamera, world: np.ndarray, points: list[tuple[int, str]], *, first: bool
) -> list[dict[str, Any]]:
    """List one set; `first` is the form of ibug68, whose screen positions have four decimals."""
    import numpy as np

    world = world.astype(np.float32)
    seen = camera.view(world).astype(np.float32)
    screen = _finite(camera.project_view(seen))
    inside = _in_frustum(screen) & (seen[:, 2] < 0)
    columns = zip(points, inside.tolist(), screen.tolist(), world.tolist(), seen.tolist(), strict=True)
    if first:
        return [
            {
                "id": number,
                "name": name,
                "in_frustum": within,
                "screen_space_pos": [round(at, 4) for at in uv],
                "world_space_pos": xyz,
                "camera_space_pos": cam,
            }
            for (number, name), within, uv, xyz, cam in columns
        ]
    return [
        {
            "world_space_pos": xyz,
            "camera_space_pos": cam,
            "screen_space_pos": uv,
            "name": name,
            "id": number,
            "in_frustum": within,
        }
        for (number, name), within, uv, xyz, cam in columns
    ]


def _contour(camera: ResolvedCamera, figure: Figure, points: list[tuple[int, str]]) -> list[dict[str, Any]]:
    screen = _finite(contour(camera, figure))
    columns = zip(points, _in_frustum(screen).tolist(), screen.tolist(), strict=True)
    return [
        {"id": number, "name": name, "in_frustum": within, "screen_space_pos": uv}
        for (number, name), within, uv in columns
    ]


def _in_frustum(screen: np.ndarray) -> np.ndarray:
    """Say which screen points lie on the image; what hides them does not count."""
    import numpy as np

    return np.asarray(((screen >= 0) & (screen <= 1)).all(axis=1))


def _finite(screen: np.ndarray) -> np.ndarray:
    """Move points of the camera's own plane, which no image shows, from infinity to far away."""
    import numpy as np

    return np.asarray(np.nan_to_num(screen, nan=1e9, posinf=1e9, neginf=-1e9))


def _rounded(values: np.ndarray) -> list[float]:
    """Round to float32 and return plain floats, which print with the fewest digits that read back."""
    import numpy as np

    rounded: list[float] = np.asarray(values).astype(np.float32).tolist()
    return rounded


def _hdri(name: str) -> dict[str, Any]:
    """Id and tags: the original's where a public render shows them, else our own ids from 1000."""
    known = catalogue.get("hdris")
    facts = known.facts[name]
    light = "natural light" if facts["setting"] == "outdoor" else "artificial light"
    return {
        "name": name,
        "id": facts.get("id", str(1000 + known.names.index(name))),
        "tags": facts.get("tags", [facts["setting"], light]),
    }
