from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synthesis.humans import spec
from synthesis.humans.metadata import metadata_line
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.scene import Scene

IDS = {"job_id": "363be34d-c7cf-42bb-9cd9-79760e15ca7c", "task_id": "12229e90-e1c1-4497-bded-f154df1cd2d5"}


def test_the_public_line_byte_for_byte(samples: Path, scene_24: Scene) -> None:
    line = metadata_line(**IDS, scene=scene_24, camera="default", frame=1)
    assert line == (samples / "synthesis" / "metadata.jsonl").read_bytes()


def test_keys_are_ordered_as_jsonb_at_every_level(scene_24: Scene) -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert list(value) == sorted(value, key=lambda key: (len(key), key))
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    record = json.loads(metadata_line(**IDS, scene=scene_24, camera="default", frame=1))
    assert list(record) == [
        "api", "version", "job_id", "task_id", "render_id", "frame_number", "camera_name", "scene",
    ]  # fmt: skip
    check(record["scene"])


def test_animation_and_preset_rigs() -> None:
    group = {
        "identities": {"ids": [80], "renders_per_identity": 1},
        "gesture": [{"name": ["wave"], "keyframe_only": False}],
        "3d_location": [{"specifications": {"type": "vehicle"}}],
        "camera_and_light_rigs": [{"type": "preset_location", "preset_name": "dashboard"}],
    }
    scene = resolve(spec.load(json.dumps({"humans": [group]}).encode()), 0, 0)
    line = metadata_line(**IDS, scene=scene, camera="default", frame=3)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    record = json.loads(line)
    assert record["frame_number"] == 3
    gesture = record["scene"]["gesture"]
    assert (gesture["enable_animation"], gesture["output_frame_length"], gesture["source_end_frame"]) == (
        True, 12, 54,
    )  # fmt: skip
    assert record["scene"]["3d_location"]["type"] == "vehicle"
    assert record["scene"]["camera_and_light_rigs"][0]["preset_name"] == "dashboard"
