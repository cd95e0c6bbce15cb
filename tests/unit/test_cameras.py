from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthesis.humans import spec
from synthesis.humans.cameras import PRESETS, ResolvedCamera, resolve_cameras
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.scene import Scene

FACE = np.array([0.0, 1.6, 0.065])


def from_face(x: float, y: float, z: float) -> np.ndarray:
    return FACE + np.array((x, y, z))


def placed(rig: dict[str, Any], head2world: np.ndarray | None = None, **group: Any) -> list[ResolvedCamera]:
    rigs = rig if isinstance(rig, list) else [rig]
    identities = {"ids": [24], "renders_per_identity": 1}
    document = {"humans": [{"identities": identities, "camera_and_light_rigs": rigs, **group}]}
    scene = resolve(spec.load(json.dumps(document).encode()), 0, 0)
    head = np.eye(4) if head2world is None else head2world
    if head2world is None:
        head[:3, 3] = FACE
    return resolve_cameras(scene, FACE, head)


def listed(value: float) -> dict[str, Any]:
    return {"type": "list", "values": [value]}


def location(**axes: float) -> dict[str, Any]:
    return {axis: listed(value) for axis, value in axes.items()}


def test_the_public_camera(samples: Path, scene_24: Scene) -> None:
    """Head orbit, pitch 4.78 and z 1.45: below the face, looking up."""
    published = json.loads((samples / "synthesis" / "24.info.json").read_bytes())["camera"]
    cam2world = np.array(published["transform_cam2world"]["mat_4x4"])
    rotated = cam2world[:3, :3] @ [0, 0, 1.45]
    (camera,) = resolve_cameras(scene_24, cam2world[:3, 3] - rotated, np.eye(4))
    np.testing.assert_allclose(camera.cam2world, cam2world, atol=1e-6)
    np.testing.assert_array_equal(camera.intrinsics, published["intrinsics"])
    np.testing.assert_allclose(camera.world2cam, published["transform_world2cam"]["mat_4x4"], atol=1e-6)


@pytest.mark.parametrize("name", ["0.info.json", "24.info.json"])
def test_public_landmarks_project_to_their_screen_positions(
    samples: Path, scene_24: Scene, name: str
) -> None:
    published = json.loads((samples / "synthesis" / name).read_bytes())
    intrinsics = np.array(published["camera"]["intrinsics"])
    (camera,) = resolve_cameras(scene_24, FACE, np.eye(4))
    size = {"resolution_w": int(intrinsics[0, 2] * 2), "resolution_h": int(intrinsics[1, 2] * 2)}
    camera = ResolvedCamera(
        camera=type(camera.camera)(**{**vars(camera.camera), **size}),
        cam2world=np.array(published["camera"]["transform_cam2world"]["mat_4x4"]),
        intrinsics=intrinsics,
        rig=0,
        rig2world=np.eye(4),
    )
    points = published["landmarks"]["kinect_v2"] + published["landmarks"]["mpeg4"]
    screen = camera.project([point["world_space_pos"] for point in points])
    np.testing.assert_allclose(screen, [point["screen_space_pos"] for point in points], atol=2e-6)


def test_a_plain_orbit_looks_at_the_face() -> None:
    (camera,) = placed({})
    np.testing.assert_allclose(camera.cam2world[:3, 3], from_face(0, 0, 1), atol=1e-7)
    np.testing.assert_allclose(camera.project(FACE[None]), [[0.5, 0.5]], atol=1e-6)


@pytest.mark.parametrize(
    ("turn", "side"),
    [
        ({"yaw": 90.0}, (1.0, 0.0, 0.0)),
        ({"yaw": -90.0}, (-1.0, 0.0, 0.0)),
        ({"pitch": 90.0}, (0.0, -1.0, 0.0)),
        ({"yaw": 180.0}, (0.0, 0.0, -1.0)),
    ],
)
def test_an_orbit_turns_about_the_face(turn: dict[str, float], side: tuple[float, float, float]) -> None:
    (camera,) = placed({"location": location(z=2.0, **turn)})
    np.testing.assert_allclose(camera.cam2world[:3, 3], FACE + 2 * np.array(side), atol=1e-6)
    np.testing.assert_allclose(camera.project(FACE[None]), [[0.5, 0.5]], atol=1e-6)


def test_screen_axes() -> None:
    """The subject's left is to the right of the image, up is up."""
    (camera,) = placed({})
    (left, up) = camera.project([from_face(0.1, 0, 0), from_face(0, 0.1, 0)])
    assert left[0] > 0.5
    assert up[1] < 0.5


def test_offsets_and_relative_locations_add_up() -> None:
    cameras = [{"name": "a"}, {"name": "b", "relative_location": location(x=0.2, z=0.5, yaw=10.0)}]
    a, b = placed({"location": location(yaw=90.0, z=1.0), "cameras": cameras})
    np.testing.assert_allclose(b.cam2world[:3, 3] - a.cam2world[:3, 3], [0.5, 0, -0.2], atol=1e-6)
    cosine = a.cam2world[:3, 2] @ b.cam2world[:3, 2]
    assert cosine == pytest.approx(np.cos(np.radians(10)), abs=1e-6)


def test_tracking_follows_the_head() -> None:
    turned = np.eye(4)
    turned[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    turned[:3, 3] = (0.1, 1.5, 0.0)
    (camera,) = placed({"type": "head_orbit_with_tracking"}, turned)
    head2cam = camera.world2cam @ turned
    np.testing.assert_allclose(head2cam[:3, :3], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(head2cam[:3, 3], [0, 0, -1], atol=1e-6)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_stand_in_front_and_look_back(name: str) -> None:
    vehicle = {"3d_location": [{"specifications": {"type": "vehicle"}}]}
    (camera,) = placed({"type": "preset_location", "preset_name": name}, **vehicle)
    assert camera.cam2world[2, 3] > FACE[2]
    np.testing.assert_array_equal(camera.cam2world[:3, :3], np.eye(3))


@pytest.mark.parametrize(
    ("name", "turn", "focal"), [("dashboard", {"pitch": 19.7}, 63), ("rearview_mirror", {"yaw": -30.0}, 30)]
)
def test_the_public_driver_templates_see_the_face(name: str, turn: dict[str, float], focal: float) -> None:
    rig = {
        "type": "preset_location",
        "preset_name": name,
        "location": location(**turn),
        "cameras": [{"specifications": {"focal_length": listed(focal)}}],
    }
    (camera,) = placed(rig, **{"3d_location": [{"specifications": {"type": "vehicle"}}]})
    np.testing.assert_allclose(camera.project(FACE[None]), [[0.5, 0.5]], atol=0.05)


def test_two_rigs_give_two_cameras_in_order() -> None:
    cameras = placed(
        [{"cameras": [{"name": "rgb"}]}, {"cameras": [{"name": "nir"}], "location": location(z=2.0)}]
    )  # type: ignore[arg-type]
    assert [(camera.camera.name, camera.rig) for camera in cameras] == [("rgb", 0), ("nir", 1)]


def test_intrinsics_of_a_wide_image() -> None:
    specifications = {
        "resolution_w": 1280,
        "resolution_h": 800,
        "focal_length": listed(3.7),
        "sensor_width": listed(5.55),
    }
    (camera,) = placed({"cameras": [{"specifications": specifications}]})
    f = 3.7 / 5.55 * 1280
    np.testing.assert_allclose(camera.intrinsics, [[f, 0, 640], [0, f, 400], [0, 0, 1]])


def test_points_beside_and_behind_do_not_break_projection() -> None:
    (camera,) = placed({})
    screen = camera.project([[1.0, 1.6, camera.cam2world[2, 3]], from_face(0, 0, 3.0)])
    assert not np.isnan(screen[1]).any()
