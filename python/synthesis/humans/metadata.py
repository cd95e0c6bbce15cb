"""`metadata.jsonl`, version 1.4: every choice of a scene, one compact line per image (`formats.md` §4).

The original stored the scene as PostgreSQL `jsonb`, which keeps keys by (length, bytes) and prints whole
numbers without a fraction; readers may compare text, so that is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthesis.humans.scene import Camera, Light, Rig, Scene


def metadata_line(*, job_id: str, task_id: str, scene: Scene, camera: str, frame: int) -> bytes:
    """Return the line of one image, with its line feed.

    Args:
        job_id: the job's UUID.
        task_id: the UUID of the work that rendered the scene.
        scene: the scene.
        camera: the camera's name.
        frame: number of the frame, from 1.
    """
    line = {
        "api": 0,
        "version": "1.4",
        "job_id": job_id,
        "task_id": task_id,
        "render_id": scene.render_id,
        "frame_number": frame,
        "camera_name": camera,
        "scene": scene_record(scene),
    }
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def scene_record(scene: Scene) -> dict[str, Any]:
    """Return `scene` of a line: plain values, keys in jsonb order at every level."""
    gesture, clothing = scene.gesture, scene.clothing
    record = {
        "version": 0,
        "identity": {
            "id": scene.identity.id,
            "model_index": scene.identity.id,
            "texture_index": scene.identity.id,
        },
        "identity_metadata": _identity_metadata(scene),
        "body": vars(scene.body),
        "skin": {"highest_resolution": False},
        "gesture": {
            **vars(gesture),
            "pose_frame": gesture.source_start_frame,
            "enable_animation": gesture.output_frame_length > 1,
            "held_item": "none",
            "held_item_data": {"helditem": "none", "handposition": "none", "helditemmaterial": "none"},
            "held_item_rotation_seed": 0,
        },
        "clothing": {
            "outfit": clothing.outfit,
            "clothing_map": [{"garment": g, "material": m} for g, m in clothing.garments],
            "single_style_per_id": clothing.single_style_per_id,
        },
        "3d_location": {
            "type": scene.location_type,
            # The original could put a second person beside the first; we never do.
            "properties": {"agent": {"style": "00021_Yvonne004", "enabled": False, "position_seed": 0}},
        },
        "accessories": _accessories(scene),
        "environment": {"hdri": vars(scene.hdri)},
        "facial_attributes": _facial_attributes(scene),
        "camera_and_light_rigs": [_rig(rig) for rig in scene.rigs],
    }
    ordered: dict[str, Any] = _jsonb(record)
    return ordered


def _jsonb(value: Any) -> Any:
    """Order keys by (length, bytes) and turn whole floats into integers, at every level."""
    if isinstance(value, dict):
        return {key: _jsonb(value[key]) for key in sorted(value, key=lambda key: (len(key), key))}
    if isinstance(value, (list, tuple)):
        return [_jsonb(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _identity_metadata(scene: Scene) -> dict[str, Any]:
    number = scene.identity.id
    return {**vars(scene.identity), "model_index": number, "texture_index": number}


def _accessories(scene: Scene) -> dict[str, Any]:
    worn = scene.accessories
    return {
        "mask": {"style": worn.mask_style, "variant": worn.mask_variant, "position": worn.mask_position},
        "glasses": {
            "style": worn.glasses_style,
            "metalness": worn.glasses_metalness,
            "lens_color": worn.glasses_lens_color,
            "transparency": worn.glasses_transparency,
            "lens_color_rgb": worn.glasses_lens_color_rgb,
            "effective_ior": 1,
            "effective_ior_enabled": False,
        },
        "headwear": {"style": worn.headwear_style},
        "headphones": {"style": worn.headphones_style},
    }


def _facial_attributes(scene: Scene) -> dict[str, Any]:
    face = scene.facial
    return {
        "eyes": vars(face.eyes),
        "gaze": vars(face.gaze),
        "hair": vars(face.hair),
        "eyebrows": vars(face.eyebrows),
        "facial_hair": vars(face.facial_hair),
        "head_turn": vars(face.head_turn),
        "expression": vars(face.expression),
    }


def _rig(rig: Rig) -> dict[str, Any]:
    record = {
        "type": rig.type,
        "location": vars(rig.location),
        "cameras": [_camera(camera) for camera in rig.cameras],
        "lights": [_light(light) for light in rig.lights],
    }
    return record if rig.preset_name is None else {**record, "preset_name": rig.preset_name}


def _camera(camera: Camera) -> dict[str, Any]:
    advanced = (
        "denoise", "noise_threshold", "lens_shift_vertical", "lens_shift_horizontal",
        "window_offset_vertical", "window_offset_horizontal",
    )  # fmt: skip
    lens = ("wavelength", "focal_length", "sensor_width", "resolution_w", "resolution_h")
    return {
        "name": camera.name,
        "advanced": {name: getattr(camera, name) for name in advanced},
        "specifications": {name: getattr(camera, name) for name in lens},
        "relative_location": vars(camera.relative_location),
    }


def _light(light: Light) -> dict[str, Any]:
    red, green, blue = light.color
    return {
        "type": light.type,
        "color": {"red": red, "green": green, "blue": blue},
        "intensity": light.intensity,
        "wavelength": light.wavelength,
        "size_meters": light.size_meters,
        "relative_location": vars(light.relative_location),
    }
