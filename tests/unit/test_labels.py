from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthesis.humans import catalogue, labels
from synthesis.humans.cameras import ResolvedCamera, resolve_cameras
from synthesis.humans.contour import contour
from synthesis.humans.figure.model import Figure, Mesh, Surface
from synthesis.humans.renderers.flat import FlatRenderer

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.scene import Scene


def flat_info(scene: Scene) -> dict[str, Any]:
    figure = FlatRenderer().figure(scene, 1)
    (camera,) = resolve_cameras(scene, figure.face_centre, figure.head2world)
    found: dict[str, Any] = json.loads(labels.info(scene, camera, 1, figure))
    return found


@pytest.fixture
def published(samples: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((samples / "synthesis" / "24.info.json").read_bytes())
    return found


def published_figure(document: dict[str, Any]) -> Figure:
    """The figure that the public file describes, as far as it goes."""
    landmarks = {}
    for path, points in catalogue.get("landmarks").facts.items():
        parent, _, name = path.rpartition(".")
        listed = (document["landmarks"][parent] if parent else document["landmarks"]).get(name, [])
        at = {(point["id"], point["name"]): point.get("world_space_pos", (0, 0, 0)) for point in listed}
        # The iris sets and four points of mpeg4 came later than this file: anywhere will do.
        landmarks[path] = np.array([at.get(tuple(point), (0.0, 1.6, 0.1)) for point in points], np.float64)
    pupils, gaze = document["pupil_coordinates"], document["gaze_values"]
    return Figure(
        meshes=(),
        strands=(),
        landmarks=landmarks,
        pupils={side: np.array(pupils[f"pupil_{side}"]["world_space_pos"]) for side in ("left", "right")},
        gaze={side: np.array(gaze[f"eye_{side}"]["gaze_vector"]) for side in ("left", "right")},
        head2world=np.array(document["head_transform"]["transform_head2world"]["mat_4x4"]),
        face_centre=np.array([0.0, 1.6, 0.065]),
        segment_names=tuple(name for name in document["segments_mapping"] if name != "background"),
        garment_names=("trousers", "long sleeve shirt", "vest", "shoe"),
    )


def published_camera(document: dict[str, Any], scene: Scene) -> ResolvedCamera:
    return ResolvedCamera(
        camera=scene.rigs[0].cameras[0],
        cam2world=np.array(document["camera"]["transform_cam2world"]["mat_4x4"]),
        intrinsics=np.array(document["camera"]["intrinsics"]),
        rig=0,
        rig2world=np.eye(4),
    )


def keys(value: Any) -> Any:
    """The tree of keys in order; lists stand for their first item."""
    if isinstance(value, dict):
        return [(key, keys(item)) for key, item in value.items()]
    return (
        [keys(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else type(value)
    )


def assert_close(found: Any, expected: Any, path: str = "") -> None:
    if isinstance(expected, dict):
        for key, item in expected.items():
            assert_close(found[key], item, f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for index, item in enumerate(expected):
            assert_close(found[index], item, f"{path}.{index}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-5), path
    else:
        assert found == expected, path


def test_the_key_tree_of_the_public_file(published: dict[str, Any], scene_24: Scene) -> None:
    """Beside what came in late 2022: the iris sets, `clothing_segments_mapping`."""
    found = flat_info(scene_24)
    assert next(iter(found.pop("clothing_segments_mapping"))) == "background"
    for name in ("left_iris", "right_iris"):
        del found["landmarks"]["mediapipe"][name]
    names = ("segments_mapping",)
    assert list(found) == list(published)
    assert keys({k: v for k, v in found.items() if k not in names}) == keys(
        {k: v for k, v in published.items() if k not in names}
    )


def test_the_public_file_is_said_again(published: dict[str, Any], scene_24: Scene) -> None:
    """Its own points, pose and camera give its own document, value by value."""
    camera = published_camera(published, scene_24)
    found = json.loads(labels.info(scene_24, camera, 1, published_figure(published)))
    # What the original does otherwise: brows and contour on the screen, the angles of the gaze.
    for document in (found, published):
        for eye in document["gaze_values"].values():
            del eye["horizontal_angle"], eye["vertical_angle"]
        for point in document["landmarks"]["ibug68"][17:27]:
            del point["screen_space_pos"]
        del document["landmarks"]["ibug68_contour"][:17]
    extra = published["landmarks"]["mpeg4"]
    found["landmarks"]["mpeg4"] = found["landmarks"]["mpeg4"][: len(extra)]
    # Screen positions of ibug68 have four decimals; a last digit may fall the other way.
    for ours, theirs in zip(found["landmarks"]["ibug68"], published["landmarks"]["ibug68"], strict=True):
        if "screen_space_pos" in ours:
            np.testing.assert_allclose(
                ours.pop("screen_space_pos"), theirs.pop("screen_space_pos"), atol=1.01e-4
            )
    assert_close(found, published)


def test_text_form(published: dict[str, Any], samples: Path, scene_24: Scene) -> None:
    figure = published_figure(published)
    text = labels.info(scene_24, published_camera(published, scene_24), 1, figure)
    original = (samples / "synthesis" / "24.info.json").read_bytes()
    head = original[: original.index(b'"transform_cam2world"')]
    assert text.startswith(head)
    tail = original[original.index(b'    "facial_attributes"') : original.index(b'    "segments_mapping"')]
    assert tail in text
    assert text.endswith(b"}\n")


def test_numbers_are_float32_in_their_shortest_form(scene_24: Scene) -> None:
    found = flat_info(scene_24)
    for name in ("world_space_pos", "camera_space_pos"):
        for value in found["landmarks"]["kinect_v2"][3][name]:
            assert float(np.float32(value)) == value
    for value in found["landmarks"]["ibug68"][5]["screen_space_pos"]:
        assert round(value, 4) == value


def test_every_landmark_set_in_its_order(scene_24: Scene) -> None:
    found = flat_info(scene_24)["landmarks"]
    for path, points in catalogue.get("landmarks").facts.items():
        parent, _, name = path.rpartition(".")
        listed = (found[parent] if parent else found)[name]
        assert [[point["id"], point["name"]] for point in listed] == points


def test_in_frustum_is_false_beside_and_behind(scene_24: Scene) -> None:
    figure = FlatRenderer().figure(scene_24, 1)
    (camera,) = resolve_cameras(scene_24, figure.face_centre, figure.head2world)
    moved = figure.landmarks["kinect_v2"].copy()
    moved[0], moved[1], moved[2] = (9.0, 1.6, 0.0), (0.0, 1.6, 9.0), camera.cam2world[:3, 3]
    far = dataclasses.replace(figure, landmarks={**figure.landmarks, "kinect_v2": moved})
    points = json.loads(labels.info(scene_24, camera, 1, far))["landmarks"]["kinect_v2"]
    assert [point["in_frustum"] for point in points[:4]] == [False, False, False, True]


def test_mapping_is_by_byte_order_from_one() -> None:
    assert labels.mapping(("nose", "brow", "Zip", "mouthbag", "mouth")) == {
        "background": 0, "Zip": 1, "brow": 2, "mouth": 3, "mouthbag": 4, "nose": 5,
    }  # fmt: skip
    assert labels.mapping(()) == {"background": 0}


@pytest.mark.parametrize(
    ("name", "number", "tags"),
    [
        ("freight_station", "98", 10),
        ("photo_studio_01", str(1000 + catalogue.get("hdris").names.index("photo_studio_01")), 2),
    ],
)
def test_hdri_ids(scene_24: Scene, name: str, number: str, tags: int) -> None:
    scene = dataclasses.replace(scene_24, hdri=dataclasses.replace(scene_24.hdri, name=name))
    hdri = flat_info(scene)["hdri"]
    assert (hdri["name"], hdri["id"], len(hdri["tags"])) == (name, number, tags)


def test_hdri_ids_are_unique() -> None:
    known = catalogue.get("hdris")
    ids = [facts.get("id", str(1000 + number)) for number, facts in enumerate(known.facts.values())]
    assert len(set(ids)) == len(ids)


def _ball(segment: str, centre: tuple[float, float, float], radius: float) -> Mesh:
    rng = np.random.default_rng(0)
    out = rng.normal(size=(4000, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    at = np.array(centre) + radius * out
    faces = np.zeros((1, 3), int)
    return Mesh(
        name="ball", segment=segment, vertices=at, normals=out, faces=faces, surface=Surface(kind="skin")
    )


def test_the_hidden_side_of_the_jaw_moves_out_to_the_outline(scene_24: Scene) -> None:
    """Seen from the subject's right, the left half of a round jaw is hidden."""
    figure = FlatRenderer().figure(scene_24, 1)
    centre = figure.face_centre
    turned = np.eye(4)
    turned[:3, 3] = centre
    angles = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = centre + 0.08 * np.stack([np.sin(angles), np.full(17, -0.5), np.cos(angles)], axis=1)
    points = figure.landmarks["ibug68"].copy()
    points[:17] = jaw
    points[27:36] = centre + np.array((0.0, 0.0, 0.09))
    round_figure = dataclasses.replace(
        figure,
        meshes=(_ball("cheek_left", tuple(centre), 0.1),),
        head2world=turned,
        landmarks={**figure.landmarks, "ibug68": points},
    )
    location = dataclasses.replace(scene_24.rigs[0].location, yaw=-50.0, pitch=0.0)
    rig = dataclasses.replace(scene_24.rigs[0], location=location)
    (camera,) = resolve_cameras(dataclasses.replace(scene_24, rigs=(rig,)), centre, turned)
    screen, plain = contour(camera, round_figure), camera.project(points)
    moved = np.linalg.norm(screen - plain, axis=1) > 1e-6
    assert not moved[:8].any()
    assert moved[13:17].all()
    assert not moved[17:].any()
    middle = camera.project(centre[None])[0]
    radius = np.linalg.norm(screen[13:17] - middle, axis=1)
    edge = 0.1 / 1.45 * camera.intrinsics[0, 0] / 1024
    np.testing.assert_allclose(radius, edge, rtol=0.06)
    np.testing.assert_allclose(screen[13:17, 1], plain[13:17, 1], atol=1e-6)
