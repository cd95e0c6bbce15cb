from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.errors import UsageError
from synthesis.humans import spec
from synthesis.humans.spec import undrawn

if TYPE_CHECKING:
    from pathlib import Path


def load(*groups: dict[str, Any], **top: Any) -> spec.Spec:
    return spec.load(json.dumps({"humans": list(groups), **top}).encode())


def group(**parameters: Any) -> dict[str, Any]:
    return {"identities": {"ids": [24, 80], "renders_per_identity": 5}, **parameters}


def camera(**camera: Any) -> dict[str, Any]:
    return group(camera_and_light_rigs=[{"type": "head_orbit", "cameras": [camera]}])


def listed(*values: float) -> dict[str, Any]:
    return {"type": "list", "values": list(values)}


def between(low: float, high: float) -> dict[str, Any]:
    return {"type": "range", "values": {"min": low, "max": high}}


def faults(*groups: dict[str, Any], **top: Any) -> list[tuple[str, str]]:
    with pytest.raises(spec.SpecError) as caught:
        load(*groups, **top)
    assert caught.value.kind == "invalid-spec"
    assert caught.value.exit_code == 2
    return [(fault["field"], fault["message"]) for fault in caught.value.fields["errors"]]


def test_all_public_inputs_pass(samples: Path) -> None:
    folder = samples / "synthesis"
    public = sorted([*folder.glob("input-jsons/*.json"), *folder.glob("templates/*.json")])
    assert len(public) == 52
    for path in public:
        checked = spec.load(path.read_bytes())
        assert checked.renders_total >= 1
        told = (w for w in checked.warnings if not w.endswith(undrawn.NOT_DRAWN))
        odd = [w for w in told if not w.startswith("humans.0.environment.hdri.")]
        assert odd == [], path.name


def test_the_public_animated_job_has_its_86_images(samples: Path) -> None:
    job = spec.load((samples / "synthesis" / "specs" / "multi_camera_multi_frame.spec.json").read_bytes())
    assert (job.renders_total, job.images_total) == (13, 86)


def test_smallest_spec() -> None:
    checked = load(group())
    assert (checked.renders_total, checked.images_total, checked.warnings) == (10, 10, ())
    (rig,) = checked.groups[0].rigs
    assert (rig.type, rig.cameras[0].name, rig.location.z.values) == ("head_orbit", "default", (1.0,))
    assert (rig.cameras[0].resolution_w, rig.cameras[0].focal_length.values) == (1024, (100.0,))
    assert len(rig.lights) == 1


def test_totals_over_groups_cameras_and_frames() -> None:
    rigs = [{"cameras": [{"name": "a"}, {"name": "b"}]}, {"cameras": [{"name": "c"}]}]
    moving = [
        {"name": ["wave"], "keyframe_only": False, "percent": 50},
        {"name": ["look_right"], "percent": 50},
    ]
    checked = load(group(camera_and_light_rigs=rigs, gesture=moving), group())
    assert checked.renders_total == 20
    assert checked.images_total == 3 * (5 * 12 + 5) + 10


def test_a_million_renders_load_and_are_located() -> None:
    many = {"identities": {"ids": list(range(1, 10001)), "renders_per_identity": 100}}
    checked = load(many, group())
    assert checked.renders_total == 1_000_010
    assert checked.images_total == 1_000_010
    assert checked.locate(999_999) == (0, 999_999)
    assert checked.locate(1_000_000) == (1, 0)
    with pytest.raises(UsageError, match="no render 1000010"):
        checked.locate(1_000_010)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"humans": [}', "line 1, column 13"),
        (b'{\n "humans": [\n  {"a" 1}\n]}', "line 3, column 8"),
        (b"", "line 1, column 1"),
        (b'{"humans": NaN}', "NaN is not a JSON number"),
        (b"\xff\xfe{", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_not_json(data: bytes, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        spec.load(data)
    assert caught.value.kind == "invalid-json"
    assert words in caught.value.message


def test_a_byte_order_mark_is_tolerated() -> None:
    assert spec.load(b"\xef\xbb\xbf" + json.dumps({"humans": [group()]}).encode()).renders_total == 10


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], ("(root)", "Invalid type. Expected: object, given: array")),
        ({}, ("(root)", "humans is required")),
        ({"humans": []}, ("humans", "Must have at least 1 item")),
        ({"humans": {}}, ("humans", "Invalid type. Expected: array, given: object")),
        ({"humans": [1]}, ("humans.0", "Invalid type. Expected: object, given: integer")),
        ({"humans": [{}]}, ("humans.0", "identities is required")),
        (
            {"humans": [{"identities": {"renders_per_identity": 1}}]},
            ("humans.0.identities", "ids is required"),
        ),
        (
            {"humans": [{"identities": {"ids": [1]}}]},
            ("humans.0.identities", "renders_per_identity is required"),
        ),
        ({"humans": [group()], "version": 2}, ("version", "Must be 1")),
    ],
)
def test_structure(document: Any, fault: tuple[str, str]) -> None:
    with pytest.raises(spec.SpecError) as caught:
        spec.load(json.dumps(document).encode())
    assert [(f["field"], f["message"]) for f in caught.value.fields["errors"]] == [fault]


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        ([], ("humans.0.identities.ids", "Must have at least 1 item")),
        ([0], ("humans.0.identities.ids.0", "Must be from 1 to 50000")),
        ([1, 50_001], ("humans.0.identities.ids.1", "Must be from 1 to 50000")),
        ([1.5], ("humans.0.identities.ids.0", "Invalid type. Expected: integer, given: number")),
        (["1"], ("humans.0.identities.ids.0", "Invalid type. Expected: integer, given: string")),
        ("1", ("humans.0.identities.ids", "Invalid type. Expected: array, given: string")),
    ],
)
def test_ids(ids: Any, fault: tuple[str, str]) -> None:
    assert faults({"identities": {"ids": ids, "renders_per_identity": 1}}) == [fault]


@pytest.mark.parametrize("repeats", [0, -1, "1", 1.5, True, None])
def test_renders_per_identity(repeats: Any) -> None:
    ((field, _),) = faults({"identities": {"ids": [1], "renders_per_identity": repeats}})
    assert field == "humans.0.identities.renders_per_identity"


def test_whole_floats_are_integers() -> None:
    assert load({"identities": {"ids": [24.0], "renders_per_identity": 2.0}}).groups[0].ids == (24,)


def test_too_many_renders() -> None:
    many = {"ids": list(range(1, 1001)), "renders_per_identity": 1_000_000}
    assert faults({"identities": many}) == [("humans", "a job has at most 100000000 renders")]


GAZE = "humans.0.facial_attributes.gaze.0.horizontal_angle"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (5, (GAZE, "Invalid type. Expected: object, given: integer")),
        ({}, (GAZE, "type is required")),
        ({"type": "list"}, (GAZE, "values is required")),
        (listed(), (f"{GAZE}.values", "Must have at least 1 item")),
        (listed(1, 99), (f"{GAZE}.values.1", "Must be less than or equal to 90")),
        (
            {"type": "list", "values": ["a"]},
            (f"{GAZE}.values.0", "Invalid type. Expected: number, given: string"),
        ),
        ({"type": "range", "values": {"min": 1}}, (f"{GAZE}.values", "max is required")),
        (
            {"type": "range", "values": [1]},
            (f"{GAZE}.values", "Invalid type. Expected: object, given: array"),
        ),
        (between(3, 1), (f"{GAZE}.values", "min must not be greater than max: 3 > 1")),
        ({"type": "list", "values": [10**400]}, (f"{GAZE}.values.0", "Must be less than or equal to 90")),
        (
            {"type": "normal", "values": []},
            (f"{GAZE}.type", '"normal" must be one of the following: "list", "range"'),
        ),
    ],
)
def test_distributions(value: Any, fault: tuple[str, str]) -> None:
    attributes = {"gaze": [{"horizontal_angle": value}]}
    found = faults(group(facial_attributes=attributes))
    assert fault in found


@pytest.mark.parametrize("percents", [(50, 40), (60, 60), (33.3, 33.3, 33.3)])
def test_percents_that_do_not_sum_to_100(percents: tuple[float, ...]) -> None:
    body = [{"height": ["tall"], "percent": percent} for percent in percents]
    total = sum(percents)
    expected = ("humans.0.body", f"the percents must sum to 100, they sum to {total:g}")
    assert faults(group(body=body)) == [expected]


@pytest.mark.parametrize("percents", [(100,), (33.3, 33.3, 33.4), (1, 99), (0.1,) * 1000])
def test_percents_that_sum_to_100(percents: tuple[float, ...]) -> None:
    load(group(body=[{"percent": percent} for percent in percents]))


@pytest.mark.parametrize("percent", [0, -5, 101])
def test_percents_out_of_range(percent: float) -> None:
    found = faults(group(body=[{"percent": percent}, {"percent": 100}]))
    assert found == [("humans.0.body.0.percent", "Must be greater than 0 and at most 100")]


def test_percent_may_be_left_out_of_a_single_group_only() -> None:
    load(group(body=[{"height": ["tall"]}]))
    assert faults(group(body=[{}, {"percent": 100}])) == [("humans.0.body.0", "percent is required")]


def test_names_come_from_the_catalogues() -> None:
    hair = [{"style": ["pompadour_1", 3], "color": ["all"]}]
    found = faults(group(facial_attributes={"hair": hair}))
    assert [field for field, _ in found] == [
        f"humans.0.facial_attributes.hair.0.style.{index}" for index in (0, 1)
    ]
    assert '(did you mean "pompadour_01"?)' in found[0][1]
    assert found[0][1].startswith('"pompadour_1" must be one of the following: "all", "none", "afro_01"')


def test_all_and_none() -> None:
    names = load(group(facial_attributes={"hair": [{"style": ["all", "none"]}]})).groups[0]
    styles = names.parameters["facial_attributes.hair"][0].values["style"]
    assert len(styles) == 109
    assert styles[-1] == "none"
    (found,) = faults(group(gesture=[{"name": ["none"]}]))
    assert found[0] == "humans.0.gesture.0.name.0"


def test_older_names_are_mapped_with_a_warning() -> None:
    hair = [{"style": ["female_hair_bob_1"], "gender_matched_only": True, "match_id_hair": True}]
    checked = load(group(facial_attributes={"hair": hair}))
    values = checked.groups[0].parameters["facial_attributes.hair"][0].values
    assert values["style"] == ("bob_01",)
    assert values["sex_matched_only"] is True
    path = "humans.0.facial_attributes.hair.0"
    assert sorted(checked.warnings) == [
        f"{path}.gender_matched_only: now called sex_matched_only",
        f"{path}.match_id_hair: no longer used, ignored",
        f'{path}.style.0: "female_hair_bob_1" is now called "bob_01"',
    ]


def test_faces_is_the_older_name_of_humans() -> None:
    checked = spec.load(json.dumps({"faces": [group()]}).encode())
    assert checked.warnings == ("faces: now called humans",)


def test_unknown_keys_and_repeated_keys_warn() -> None:
    checked = load(group(hats=[], environment={"hdri": {"type": "range"}}), note="x")
    assert sorted(checked.warnings) == [
        "humans.0.environment.hdri.type: unknown key, ignored",
        "humans.0.hats: unknown key, ignored",
        "note: unknown key, ignored",
    ]
    twice = (
        b'{"version": 1, "version": 1, "humans": [{"identities": {"ids": [1], "renders_per_identity": 1}}]}'
    )
    assert spec.load(twice).warnings == ("(root): given twice, the last one counts: version",)


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "..", "a b", "cam_left", "x" * 65, "é", "a\\b", "a\n"])
def test_camera_names_make_file_names(name: str) -> None:
    ((field, _),) = faults(camera(name=name))
    assert field == "humans.0.camera_and_light_rigs.0.cameras.0.name"


def test_camera_names_differ_over_all_rigs() -> None:
    rigs = [{"cameras": [{"name": "front"}]}, {"cameras": [{"name": "side"}, {"name": "Front"}]}]
    assert faults(group(camera_and_light_rigs=rigs)) == [
        (
            "humans.0.camera_and_light_rigs.1.cameras.1.name",
            '"Front" is already the name of humans.0.camera_and_light_rigs.0.cameras.0',
        )
    ]


@pytest.mark.parametrize(
    ("specifications", "field"),
    [
        ({"resolution_w": 0}, "resolution_w"),
        ({"resolution_h": 4097}, "resolution_h"),
        ({"resolution_w": "1024"}, "resolution_w"),
        ({"focal_length": listed(0)}, "focal_length.values.0"),
        ({"sensor_width": between(-1, 33)}, "sensor_width.values.min"),
        ({"wavelength": "red"}, "wavelength"),
    ],
)
def test_camera_specifications(specifications: dict[str, Any], field: str) -> None:
    ((found, _),) = faults(camera(specifications=specifications))
    assert found == f"humans.0.camera_and_light_rigs.0.cameras.0.specifications.{field}"


def test_presets_need_a_vehicle() -> None:
    rig = {"type": "preset_location", "preset_name": "dashboard"}
    path = "humans.0.camera_and_light_rigs.0"
    vehicle = [{"specifications": {"type": "vehicle"}}]
    checked = load(group(camera_and_light_rigs=[rig], **{"3d_location": vehicle}))
    assert checked.groups[0].rigs[0].location.z.values == (0.0,)
    assert faults(group(camera_and_light_rigs=[rig])) == [
        (f"{path}.type", 'preset_location needs 3d_location of type "vehicle"')
    ]
    unnamed = group(camera_and_light_rigs=[{"type": "preset_location"}], **{"3d_location": vehicle})
    assert faults(unnamed) == [(path, "preset_name is required")]
    assert faults(group(camera_and_light_rigs=[{"preset_name": "dashboard"}])) == [
        (f"{path}.preset_name", 'needs type "preset_location"')
    ]


def test_lights() -> None:
    light = {"type": "laser", "color": {"red": listed(300)}, "intensity": listed(-1)}
    path = "humans.0.camera_and_light_rigs.0.lights.0"
    found = [field for field, _ in faults(group(camera_and_light_rigs=[{"lights": [light]}]))]
    assert sorted(found) == [f"{path}.color.red.values.0", f"{path}.intensity.values.0", f"{path}.type"]
    assert load(group(camera_and_light_rigs=[{"lights": []}])).groups[0].rigs[0].lights == ()


def test_every_fault_in_one_pass() -> None:
    bad = group(
        body=[{"height": ["giant"]}],
        gesture=[{"keyframe_only": "yes", "position_seed": 3}],
        camera_and_light_rigs=[{"type": "orbit", "cameras": []}],
        environment=[],
    )
    bad["identities"] = {"ids": [-3]}
    fields = [field for field, _ in faults(bad, {"identities": 3})]
    assert sorted(fields) == [
        "humans.0.body.0.height.0",
        "humans.0.camera_and_light_rigs.0.cameras",
        "humans.0.camera_and_light_rigs.0.type",
        "humans.0.environment",
        "humans.0.gesture.0.keyframe_only",
        "humans.0.identities",
        "humans.0.identities.ids.0",
        "humans.1.identities",
    ]


def test_the_message_shows_the_first_fault_and_counts_the_others() -> None:
    with pytest.raises(spec.SpecError) as caught:
        load({"identities": {"ids": []}})
    assert caught.value.message == (
        "the spec is not valid: humans.0.identities: renders_per_identity is required (and 1 more fault)"
    )


def test_a_spec_of_nothing_but_faults_stays_small() -> None:
    with pytest.raises(spec.SpecError) as caught:
        load({"identities": {"ids": [0] * 5000, "renders_per_identity": 1}})
    assert len(caught.value.fields["errors"]) == 1000
    assert "(and 4999 more faults)" in caught.value.message


def test_many_oddities_are_told_in_part_and_soon() -> None:
    text = json.dumps({"humans": [group()], **{f"odd{n}": 1 for n in range(50_000)}})
    loaded = spec.load(text[:-1].encode() + b', "odd1": 1}')
    assert len(loaded.warnings) == 1000
    assert loaded.warnings[0] == "(root): given twice, the last one counts: odd1"


def test_many_wrong_names_are_told_in_part_and_soon() -> None:
    hair = {"style": [f"strait_{n}" for n in range(100_000)]}
    with pytest.raises(spec.SpecError, match="and 99999 more faults") as caught:
        load(group(facial_attributes={"hair": [hair]}))
    assert len(caught.value.fields["errors"]) == 1000


def test_half_letters_are_escaped() -> None:
    with pytest.raises(spec.SpecError) as caught:
        load({"\udfff": 1}, **{"\ud800": 1})
    assert caught.value.fields["warnings"] == [
        "\\ud800: unknown key, ignored",
        "humans.0.\\udfff: unknown key, ignored",
    ]
