from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.errors import UsageError
from synthesis.humans import catalogue, spec
from synthesis.humans.identities import identity
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from synthesis.humans.scene import Scene


def load(*groups: dict[str, Any]) -> spec.Spec:
    return spec.load(json.dumps({"humans": list(groups)}).encode())


def group(ids: list[int], repeats: int = 1, **parameters: Any) -> dict[str, Any]:
    return {"identities": {"ids": ids, "renders_per_identity": repeats}, **parameters}


def scenes(job: spec.Spec, seed: int = 1) -> list[Scene]:
    return [resolve(job, seed, render_id) for render_id in range(job.renders_total)]


def listed(*values: float) -> dict[str, Any]:
    return {"type": "list", "values": list(values)}


def between(low: float, high: float) -> dict[str, Any]:
    return {"type": "range", "values": {"min": low, "max": high}}


def test_numbering_runs_through_groups_then_ids_then_repeats() -> None:
    job = load(group([24, 80], 2), group([303]))
    assert [scene.identity.id for scene in scenes(job)] == [24, 24, 80, 80, 303]
    assert [scene.render_id for scene in scenes(job)] == [0, 1, 2, 3, 4]


def test_defaults_are_the_identity_s_own() -> None:
    (scene,) = scenes(load(group([24])))
    person = identity(24)
    assert scene.identity == person
    assert (scene.body.height, scene.body.fat_content) == ("median", "lower")
    assert scene.clothing.garments == (
        ("khakisA", "18"), ("dressShirtA", "18"), ("vestA", "18"), ("sneakers_3", "0"),
    )  # fmt: skip
    face = scene.facial
    assert (face.hair.style, face.hair.color, face.hair.relative_length) == (
        "pompadour_01",
        "dark_golden_brown",
        1,
    )
    assert (face.eyebrows.style, face.eyebrows.color) == ("thin_03", "dark_golden_brown")
    assert (face.eyebrows.relative_length, face.eyebrows.relative_density) == (0.9, 0.9)
    assert (face.facial_hair.style, face.eyes.iris_color) == ("none", "74")
    assert (face.expression.name, face.expression.intensity) == ("none", 0.75)
    assert scene.accessories.glasses_style == "none"
    assert scene.frames == range(1, 2)
    (rig,) = scene.rigs
    assert (rig.type, rig.location.z, rig.cameras[0].noise_threshold) == ("head_orbit", 1.0, 0.017)


def test_a_scene_depends_on_spec_seed_and_id_alone() -> None:
    turned = {"head_turn": [{"yaw": between(-45, 45)}]}
    job = load(group([24, 80], 10, facial_attributes=turned))
    assert scenes(job) == list(reversed([resolve(job, 1, i) for i in reversed(range(20))]))
    assert len({scene.facial.head_turn.yaw for scene in scenes(job)}) == 20
    assert scenes(job, seed=2) != scenes(job, seed=1)
    assert len({scene.seed for scene in scenes(job)}) == 20


def test_another_field_does_not_change_the_draws() -> None:
    turned = {"head_turn": [{"yaw": between(-45, 45)}]}
    more = {**turned, "gaze": [{"horizontal_angle": between(-20, 20)}]}
    plain, varied = (scenes(load(group([24], 5, facial_attributes=a))) for a in (turned, more))
    assert [s.facial.head_turn for s in plain] == [s.facial.head_turn for s in varied]


def test_numbers_stay_within_their_distribution() -> None:
    attributes = {"head_turn": [{"yaw": between(-20, 10), "pitch": listed(-5, 0, 5, 5)}]}
    drawn = [s.facial.head_turn for s in scenes(load(group([24], 400, facial_attributes=attributes)))]
    assert all(-20 <= turn.yaw <= 10 for turn in drawn)
    assert min(turn.yaw for turn in drawn) < -19
    assert max(turn.yaw for turn in drawn) > 9
    counts = Counter(turn.pitch for turn in drawn)
    assert set(counts) == {-5, 0, 5}
    assert counts[5] > counts[0]


def test_percent_groups_take_exact_shares_in_a_mixed_order() -> None:
    body = [{"height": ["tall"], "percent": 33}, {"height": ["short"], "percent": 67}]
    heights = [scene.body.height for scene in scenes(load(group([24, 80], 50, body=body)))]
    assert Counter(heights) == {"tall": 33, "short": 67}
    assert heights[:33] != ["tall"] * 33
    other = [scene.body.height for scene in scenes(load(group([24, 80], 50, body=body)), seed=2)]
    assert Counter(other) == Counter(heights)
    assert other != heights


def test_percent_groups_of_two_parameters_are_independent() -> None:
    half = [{"percent": 50}, {"percent": 50}]
    body = [{"height": ["tall"], **half[0]}, {"height": ["short"], **half[1]}]
    masks = [{"style": ["N95"], **half[0]}, {"style": ["none"], **half[1]}]
    job = load(group([24], 400, body=body, accessories={"masks": masks}))
    pairs = Counter((s.body.height, s.accessories.mask_style) for s in scenes(job))
    assert len(pairs) == 4
    assert min(pairs.values()) > 70


def test_matched_only_keeps_what_fits_the_person() -> None:
    attributes = {
        "hair": [{"style": ["all"], "sex_matched_only": True, "ethnicity_matched_only": True}],
        "facial_hair": [{"style": ["all"], "sex_matched_only": True}],
    }
    accessories = {
        "glasses": [{"style": ["all"], "sex_matched_only": True}],
        "headwear": [{"style": ["female_hijab_1", "unisex_turban_1"], "sex_matched_only": True}],
    }
    clothing = [{"outfit": ["all"], "sex_matched_only": True}]
    job = load(group([24, 303], 60, facial_attributes=attributes, accessories=accessories, clothing=clothing))
    outfits = catalogue.get("outfits").facts
    for scene in scenes(job):
        facts = catalogue.get("hair_styles").facts[scene.facial.hair.style]
        assert scene.identity.sex in facts["sexes"]
        assert scene.identity.ethnicity in facts["ethnicities"]
        assert scene.accessories.glasses_style.startswith(f"{scene.identity.sex}_")
        if scene.identity.sex == "male":
            assert scene.accessories.headwear_style == "unisex_turban_1"
            assert outfits[scene.clothing.outfit]["sex"] == "unisex"
            assert scene.facial.facial_hair.style != "none"
        else:
            assert scene.facial.facial_hair.style == "none"


def test_nothing_fits() -> None:
    attributes = {"hair": [{"style": ["bob_01"], "sex_matched_only": True}]}
    accessories = {"glasses": [{"style": ["female_cat_eye_reading"], "sex_matched_only": True}]}
    (scene,) = scenes(load(group([24], facial_attributes=attributes, accessories=accessories)))
    assert scene.facial.hair.style == "pompadour_01"
    assert scene.accessories.glasses_style == "none"


def test_match_hair_color() -> None:
    attributes = {
        "hair": [{"color": ["gray"]}],
        "eyebrows": [{"color": ["all"], "match_hair_color": True}],
        "facial_hair": [{"match_hair_color": True}],
    }
    (scene,) = scenes(load(group([24], facial_attributes=attributes)))
    assert scene.facial.eyebrows.color == scene.facial.facial_hair.color == "gray"


def test_single_style_per_id() -> None:
    clothing = [{"outfit": ["all"], "single_style_per_id": True}]
    drawn = scenes(load(group([24, 80, 303], 10, clothing=clothing)))
    worn = {number: {s.clothing.outfit for s in drawn if s.identity.id == number} for number in (24, 80, 303)}
    assert [len(outfits) for outfits in worn.values()] == [1, 1, 1]
    assert len(set.union(*worn.values())) > 1


def test_gestures_and_frames() -> None:
    gesture = [
        {"name": ["wave", "default"], "keyframe_only": False, "percent": 50},
        {"name": ["wave"], "percent": 50},
    ]
    job = load(group([24], 20, gesture=gesture))
    drawn = [scene.gesture for scene in scenes(job)]
    spans = Counter((g.name, g.output_frame_length, g.source_start_frame, g.source_end_frame) for g in drawn)
    assert spans == {("wave", 12, 1, 54): 5, ("default", 1, 1, 1): 5, ("wave", 1, 27, 27): 10}
    assert sum(g.output_frame_length for g in drawn) == job.images_total


def test_rigs() -> None:
    rigs = [
        {
            "type": "head_orbit_with_tracking",
            "location": {"yaw": between(-20, 20), "z": listed(2)},
            "cameras": [
                {"name": "a", "specifications": {"resolution_w": 64, "focal_length": between(50, 90)}},
                {"name": "b", "specifications": {"wavelength": "nir"}, "advanced": {"denoise": False}},
            ],
            "lights": [{"type": "spot", "intensity": listed(3), "color": {"red": listed(10)}}],
        }
    ]
    job = load(group([24], 2, camera_and_light_rigs=rigs))
    first, second = (scene.rigs[0] for scene in scenes(job))
    assert first.location.yaw != second.location.yaw
    assert first.location.z == 2
    a, b = first.cameras
    assert (a.resolution_w, a.resolution_h, b.wavelength, b.denoise) == (64, 1024, "nir", False)
    assert 50 <= a.focal_length <= 90
    assert (first.lights[0].type, first.lights[0].color) == ("spot", (10.0, 255.0, 255.0))


def test_lens_colors_bring_their_rgb() -> None:
    accessories = {"glasses": [{"style": ["all"], "lens_color": ["gold"]}]}
    (scene,) = scenes(load(group([24], accessories=accessories)))
    assert scene.accessories.glasses_lens_color_rgb == (233, 207, 178)


def test_a_late_render_of_a_big_job() -> None:
    body = [{"height": ["tall"], "percent": 50}, {"height": ["short"], "percent": 50}]
    job = load(group(list(range(1, 10_001)), 1000, body=body))
    assert resolve(job, 5, 9_999_999).identity.id == 10_000
    with pytest.raises(UsageError):
        resolve(job, 5, 10_000_000)


def test_the_draws_do_not_drift() -> None:
    """A job must come out the same after an update: whoever changes this changes people's data."""
    attributes = {"head_turn": [{"yaw": between(-45, 45), "pitch": listed(1, 2, 3)}]}
    scene = resolve(load(group([24], 3, facial_attributes=attributes)), 7, 1)
    assert dataclasses.astuple(scene.facial.head_turn) == (-40.25555580877668, 0.0, 3.0)
    assert scene.seed == 1723505261
