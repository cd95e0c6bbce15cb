"""The scene of the public sample, asked for by a spec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.humans import spec
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from synthesis.humans.scene import Scene


def _listed(*values: float) -> dict[str, Any]:
    return {"type": "list", "values": list(values)}


@pytest.fixture
def scene_24() -> Scene:
    """The scene that the public line of metadata describes."""
    group = {
        "identities": {"ids": [24], "renders_per_identity": 1},
        "facial_attributes": {
            "gaze": [
                {
                    "vertical_angle": _listed(23.93043862042269),
                    "horizontal_angle": _listed(16.126868447315616),
                }
            ],
            "head_turn": [{"yaw": _listed(14.7), "roll": _listed(-17.5), "pitch": _listed(9.6)}],
        },
        "accessories": {
            "masks": [{"style": ["ClothHead"], "variant": ["0"], "position": ["3"]}],
            "headphones": [{"style": ["0001_airpods"]}],
        },
        "environment": {"hdri": {"name": ["freight_station"], "rotation": _listed(24)}},
        "camera_and_light_rigs": [{"location": {"z": _listed(1.45), "pitch": _listed(4.78)}}],
    }
    return resolve(spec.load(json.dumps({"humans": [group]}).encode()), 0, 0)
