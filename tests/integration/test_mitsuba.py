from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synthesis.humans import spec
from synthesis.humans.cameras import resolve_cameras
from synthesis.humans.renderers.mitsuba import MitsubaRenderer
from synthesis.humans.resolve import resolve
from synthesis.ops.exr_info import exr_info

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure
    from synthesis.humans.scene import Scene

pytest.importorskip("mitsuba")
SIZE = 96
CHANNELS = {"A", "R", "G", "B", "Z", "normals.X", "normals.Y", "normals.Z"}


@cache
def drawn() -> tuple[Scene, ResolvedCamera, Figure, dict[str, np.ndarray], dict[str, str]]:
    camera = {"name": "default", "specifications": {"resolution_w": SIZE, "resolution_h": SIZE}}
    group = {
        "identities": {"ids": [24], "renders_per_identity": 1},
        "camera_and_light_rigs": [{"cameras": [camera]}],
    }
    scene = resolve(spec.load(json.dumps({"humans": [group]}).encode()), 3, 0)
    renderer = MitsubaRenderer("draft")
    figure = renderer.figure(scene, 1)
    seen = resolve_cameras(scene, figure.face_centre, figure.head2world)[0]
    return scene, seen, figure, *renderer.channels(scene, seen, 1, figure)


def test_the_channels_are_those_of_the_contract():
    *_, channels, attributes = drawn()
    layers = {f"{n}{k:02d}.{c}" for n in ("segmentation", "clothing") for k in range(3) for c in "RGBA"}
    assert set(channels) == CHANNELS | layers
    for name, plane in channels.items():
        assert plane.shape == (SIZE, SIZE)
        assert plane.dtype == (np.float16 if name in CHANNELS - {"Z"} else np.float32), name
    assert json.loads(attributes["cryptomatte/b818ccc/manifest"]).keys() == set(drawn()[2].segment_names)
    assert attributes["cryptomatte/b818ccc/name"] == "segmentation"


def test_colour_is_finite_and_lit():
    *_, channels, _ = drawn()
    for name in "RGB":
        assert np.isfinite(channels[name]).all()
        assert (channels[name] >= 0).all()
        assert 0.05 < channels[name].astype(float).mean() < 2.0


def test_the_background_is_empty():
    *_, channels, _ = drawn()
    empty = channels["A"] == 0
    assert 0.1 < empty.mean() < 0.9
    assert (channels["Z"][empty] == 0).all()
    assert (channels["normals.Z"][empty] == 1).all()
    assert (channels["normals.X"][empty] == 0).all()
    assert (channels["segmentation00.G"][empty] == 0).all()


def test_depth_is_the_ray_length_to_the_surface():
    _, camera, figure, channels, _ = drawn()
    eye = camera.cam2world[:3, 3]
    at = np.asarray(camera.project(figure.landmarks["ibug68"])) * SIZE
    for number in (30, 27, 33, 48, 54, 8):
        point = figure.landmarks["ibug68"][number]
        column, row = np.floor(at[number]).astype(int)
        assert channels["Z"][row, column] == pytest.approx(np.linalg.norm(point - eye), abs=0.006), number


def test_a_surface_that_faces_the_camera_stores_the_axis():
    _, camera, figure, channels, _ = drawn()
    length = np.sqrt(sum(channels[f"normals.{a}"].astype(float) ** 2 for a in "XYZ"))
    assert length.max() < 1.01
    left, right = (camera.project(figure.landmarks["ibug68"])[k] * SIZE for k in (15, 1))
    row, column = int(left[1]), int(left[0]) - 2
    assert channels["normals.X"][row, column] < 0  # its normal points to the image's right: x is negated
    row, column = int(right[1]), int(right[0]) + 2
    assert channels["normals.X"][row, column] > 0


def test_coverages_add_up_to_alpha():
    *_, channels, _ = drawn()
    total = sum(channels[f"segmentation{k:02d}.{c}"].astype(float) for k in range(3) for c in "GA")
    assert np.abs(total - channels["A"]).max() < 0.13
    assert (np.abs(total - channels["A"]) < 1e-3).mean() > 0.98


def test_the_nose_is_labelled_nose():
    _, camera, figure, channels, attributes = drawn()
    manifest = json.loads(attributes["cryptomatte/b818ccc/manifest"])
    column, row = (camera.project(figure.landmarks["ibug68"])[30] * SIZE).astype(int)
    found = channels["segmentation00.R"][row, column]
    assert f"{found.view(np.uint32):08x}" == manifest["nose"]


def test_the_same_arguments_give_the_same_file(tmp_path: Path):
    scene, camera, figure, *_ = drawn()
    for name in ("a.exr", "b.exr"):
        MitsubaRenderer("draft").render(scene, camera, 1, figure, tmp_path / name)
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    assert {c[0] for c in exr_info(tmp_path / "a.exr").parts[0].channels} >= CHANNELS
