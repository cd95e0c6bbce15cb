from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthesis.humans import catalogue, spec
from synthesis.humans.figure import actions, build, cuts, face_hair, hair, hair_styles, landmarks
from synthesis.humans.figure.pose import rotation
from synthesis.humans.figure.surface_nets import surface_nets
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from synthesis.humans.figure import Figure
    from synthesis.humans.scene import Scene


@cache
def scene(number: int = 24, **facial: Any) -> Scene:
    group = {"identities": {"ids": [number], "renders_per_identity": 1}}
    found = resolve(spec.load(json.dumps({"humans": [group]}).encode()), 3, 0)
    still = replace(found.facial, expression=replace(found.facial.expression, name="none"))
    if facial:  # only the head matters: no body, no clothes
        found = replace(
            found,
            body=replace(found.body, enabled=False),
            clothing=replace(found.clothing, garments=()),
        )
    changed = {k: replace(getattr(still, k), **dict(v)) for k, v in facial.items()}
    return replace(found, facial=replace(still, **changed))


@cache
def figure(number: int = 24, **facial: Any) -> Figure:
    return build(scene(number, **facial), 1)


def face(person: Figure) -> np.ndarray:
    return person.landmarks["ibug68"]


def in_head(person: Figure, points: np.ndarray) -> np.ndarray:
    turn, shift = person.head2world[:3, :3], person.head2world[:3, 3]
    return (points - shift) @ turn


def test_every_landmark_set_has_the_catalogues_points():
    for path, points in catalogue.get("landmarks").facts.items():
        if path != "ibug68_contour":
            assert figure().landmarks[path].shape == (len(points), 3), path
            assert np.isfinite(figure().landmarks[path]).all()


def test_the_face_is_where_a_face_is():
    p = face(figure(24, head_turn=(("yaw", 0.0), ("pitch", 0.0), ("roll", 0.0))))
    assert p[8, 1] < p[57, 1] < p[51, 1] < p[33, 1] < p[30, 1] < p[27, 1] < p[19, 1]
    assert p[30, 2] == p[:, 2].max()
    assert (p[36:42, 0] < 0).all()
    assert (p[42:48, 0] > 0).all()
    assert p[36, 0] < p[39, 0] < p[42, 0] < p[45, 0]
    assert p[48, 0] < p[60, 0] < 0 < p[64, 0] < p[54, 0]
    assert np.abs(p[[0, 16]].mean(0)[0]) < 0.003
    assert 0.055 < p[45, 0] - p[36, 0] + 0.0 < 0.11
    eyes = np.stack(list(figure().pupils.values()))
    assert 1.55 < eyes[:, 1].mean() < 1.65


def test_face_landmarks_are_vertices_of_the_skin():
    person = figure()
    skin = np.concatenate([m.vertices for m in person.meshes if m.name.startswith("skin.")])
    for point in face(person):
        assert np.abs(skin - point).sum(1).min() < 1e-9


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(30.0, 0.0, 0.0), (0.0, 20.0, 0.0), (0.0, 0.0, 15.0)])
def test_the_head_turns_as_the_contract_says(yaw: float, pitch: float, roll: float):
    straight = figure(24, head_turn=(("yaw", 0.0), ("pitch", 0.0), ("roll", 0.0)))
    turned = figure(24, head_turn=(("yaw", yaw), ("pitch", pitch), ("roll", roll)))
    assert np.allclose(turned.head2world[:3, :3], rotation(yaw, pitch, roll))
    assert np.allclose(straight.head2world[:3, 3], straight.face_centre)
    ahead = turned.head2world[:3, :3] @ [0, 0, 1]
    if yaw:
        assert ahead[0] > 0  # to the subject's left
    if pitch:
        assert ahead[1] > 0  # up
    if roll:
        assert (turned.head2world[:3, :3] @ [0, 1, 0])[0] < 0  # top to the subject's right
    upper = [17, 21, 22, 26, 27, 30, 36, 45]
    assert np.allclose(
        in_head(turned, face(turned)[upper]), in_head(straight, face(straight)[upper]), atol=1e-6
    )
    shoulder = straight.landmarks["mediapipe.body"][19]
    assert np.allclose(shoulder, turned.landmarks["mediapipe.body"][19])


def test_gaze_keeps_its_outward_offset():
    person = figure(24, gaze=(("horizontal_angle", 10.0), ("vertical_angle", 15.0)))
    for side, offset in (("left", 2.45), ("right", -2.45)):
        x, y, z = person.head2world[:3, :3].T @ person.gaze[side]
        assert np.degrees(np.arcsin(y)) == pytest.approx(15.0)
        assert np.degrees(np.arctan2(x, z)) == pytest.approx(10.0 + offset)


def test_the_pupil_lies_along_the_gaze():
    a = figure(24, gaze=(("horizontal_angle", 0.0), ("vertical_angle", 0.0)))
    b = figure(24, gaze=(("horizontal_angle", 20.0), ("vertical_angle", 0.0)))
    moved = in_head(b, b.pupils["left"]) - in_head(a, a.pupils["left"])
    assert 0.003 < moved[0] < 0.006


def test_the_lids_follow_the_gaze():
    level = figure(24, gaze=(("horizontal_angle", 0.0), ("vertical_angle", 0.0)))
    raised = figure(24, gaze=(("horizontal_angle", 0.0), ("vertical_angle", 20.0)))
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    assert (face(raised)[upper, 1] > face(level)[upper, 1] + 0.001).all()
    assert (face(raised)[lower, 1] > face(level)[lower, 1]).all()


def test_the_same_scene_gives_the_same_figure():
    again = build(scene(), 1)
    for a, b in zip(figure().meshes, again.meshes, strict=True):
        assert a.name == b.name
        assert np.array_equal(a.vertices, b.vertices)
    for c, d in zip(figure().strands, again.strands, strict=True):
        assert np.array_equal(c.points, d.points)


def test_identities_have_different_faces():
    faces = [in_head(figure(n), face(figure(n))) for n in (24, 303, 1000)]
    for i in range(3):
        for j in range(i):
            assert np.abs(faces[i] - faces[j]).max() > 0.002


def test_eyes_close():
    def opening(person: Figure) -> float:
        p = face(person)
        return float(np.linalg.norm(p[[37, 38, 43, 44]] - p[[41, 40, 47, 46]], axis=1).mean())

    shut = figure(24, expression=(("name", "eyes_closed"), ("intensity", 1.0)))
    assert opening(figure()) > 0.005
    assert opening(shut) < 0.002


def test_the_mouth_opens():
    wide = figure(24, expression=(("name", "mouth_wide_opened"), ("intensity", 1.0)))
    gap = face(wide)[62] - face(wide)[66]
    assert gap[1] > 0.012
    assert face(wide)[8, 1] < face(figure())[8, 1] - 0.01


def test_normals_are_unit_and_point_outwards():
    person = figure()
    skull = in_head(person, np.concatenate([m.vertices for m in person.meshes if m.segment == "forehead"]))
    normals = np.concatenate([m.normals for m in person.meshes if m.segment == "forehead"])
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert ((normals @ person.head2world[:3, :3]) * (skull - [0, 0, -0.05])).sum(1).min() > 0


def test_every_name_is_in_the_catalogues():
    known = set(catalogue.get("segments").names)
    garments = set(catalogue.get("clothing_segments").names)
    for number in (24, 303):
        person = figure(number)
        assert set(person.segment_names) <= known
        assert set(person.garment_names) <= garments
        assert {m.segment for m in person.meshes} | {s.segment for s in person.strands} <= set(
            person.segment_names
        )
        assert list(person.segment_names) == sorted(person.segment_names)


def test_every_catalogue_name_has_a_family():
    for name in catalogue.get("hair_styles").names:
        assert hair_styles.style(name) is not None
        assert any(name.startswith(word) for word in hair_styles.FAMILIES), name
    for name in catalogue.get("hair_colors").names:
        assert name in hair_styles.COLOURS
        assert hair.colour(name, 0.5)[0].shape == (3,)
    for name in catalogue.get("eyebrow_styles").names:
        assert any(name.startswith(word) for word in face_hair.BROWS), name
    for name in catalogue.get("facial_hair_styles").names:
        assert any(name.startswith(word) for word in face_hair.BEARDS), name
    for name in catalogue.get("garments").names:
        assert cuts.family(name) in cuts.CUTS


def test_most_expressions_move_the_face():
    neutral = replace(scene().facial.expression, intensity=1.0)
    still = [n for n in catalogue.get("expressions").names if not actions.actions(replace(neutral, name=n))]
    assert [n for n in still if not n.startswith("look_")] == [
        "none",
        "neck_contracted",
        "neck_sternomastoid_contracted",
    ]


def test_strands_have_radii():
    for strands in figure().strands:
        assert strands.radii.shape == strands.points.shape[:2]
        assert np.isfinite(strands.points).all()


def test_landmark_numbers_are_distinct_for_pairs():
    assert len(landmarks.ibug68(np.arange(200_000)[:, None])) == 68


def test_surface_nets_find_a_ball_where_it_is():
    def ball(p: np.ndarray) -> np.ndarray:
        return np.linalg.norm(p - np.float32([30, -20, 10]), axis=1) - 25

    vertices, faces = surface_nets(ball, (-10, -60, -30), (70, 20, 50), 4.0)
    assert np.abs(np.linalg.norm(vertices - [30, -20, 10], axis=1) - 25).max() < 0.1
    corner = vertices[faces]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    assert ((corner.mean(1) - [30, -20, 10]) * normals).sum(1).min() > 0


def test_the_clothes_hang_on_the_body():
    person = figure()
    cloth = np.concatenate([m.vertices for m in person.meshes if m.garment])
    assert cloth[:, 1].max() < 1.58
    assert np.abs(cloth[:, 0].mean()) < 0.02
    assert np.abs(cloth[:, 0]).max() < 0.45
