"""What a spec may ask for and the pictures do not show yet is told."""

from __future__ import annotations

import json

from synthesis.humans import spec


def test_what_is_not_drawn_is_told() -> None:
    rig = {
        "cameras": [{"specifications": {"wavelength": "nir"}}],
        "lights": [{"intensity": {"type": "list", "values": [3]}}, {}],
    }
    group = {
        "identities": {"ids": [1], "renders_per_identity": 1},
        "accessories": {"glasses": [{"style": ["all"]}], "masks": [{"style": ["none"]}]},
        "gesture": [{"name": ["stand_idle_2"]}],
        "camera_and_light_rigs": [rig],
    }
    assert spec.load(json.dumps({"humans": [group]}).encode()).warnings == (
        "humans.0.accessories.glasses: recorded in the metadata, not drawn yet",
        "humans.0.gesture: recorded in the metadata, not drawn yet",
        "humans.0.camera_and_light_rigs.0.lights: recorded in the metadata, not drawn yet",
        "humans.0.camera_and_light_rigs.0.cameras: near infrared is recorded in the metadata, not drawn yet",
    )
