"""Checks of camera and light rigs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from synthesis.humans import catalogue
from synthesis.humans.spec import check
from synthesis.humans.spec.parameters import Number
from synthesis.humans.spec.values import CameraSpec, LightSpec, LocationSpec, RigSpec

if TYPE_CHECKING:
    from synthesis.humans.faults import Faults

RIG_TYPES = ("head_orbit", "head_orbit_with_tracking", "preset_location")
LIGHT_TYPES = ("rect", "omni", "spot")
WAVELENGTHS = ("visible", "nir")
MAX_RESOLUTION = 4096
ORBIT_DISTANCE = 1.0
"""Metres from the face to an orbiting rig when its location has no z."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LENGTH = Number(-1000, 1000, 0.0)
_ANGLE = Number(-360, 360, 0.0)
_POSITION = {"x": _LENGTH, "y": _LENGTH, "z": _LENGTH, "yaw": _ANGLE, "pitch": _ANGLE, "roll": _ANGLE}
_LENS = {"focal_length": Number(0.1, 10_000, 100.0), "sensor_width": Number(0.1, 10_000, 33.0)}
_ADVANCED = {
    "noise_threshold": Number(0, 1, 0.017, bare=True),
    "lens_shift_vertical": Number(-10, 10, 0.0, bare=True),
    "lens_shift_horizontal": Number(-10, 10, 0.0, bare=True),
    "window_offset_vertical": Number(-10, 10, 0.0, bare=True),
    "window_offset_horizontal": Number(-10, 10, 0.0, bare=True),
}
_LIGHT = {"intensity": Number(0, 100_000, 0.0), "size_meters": Number(0.001, 100, 0.25)}
_COLOR = {name: Number(0, 255, 255.0) for name in ("red", "green", "blue")}


def rigs(value: Any, path: str, *, vehicle: bool, faults: Faults) -> tuple[RigSpec, ...]:
    """Check the rigs of a group; without any, one camera orbits the head.

    Args:
        value: the list, or None when the spec has none.
        path: its dotted path.
        vehicle: every scene of the group is in a vehicle, which preset cameras need.
        faults: gathers what is wrong.
    """
    if value is None:
        value = [{}]
    if not check.filled(value, path, faults):
        return ()
    found = tuple(
        _rig(rig, f"{path}.{index}", vehicle=vehicle, faults=faults)
        for index, rig in enumerate(value)
        if faults.typed(rig, "object", f"{path}.{index}")
    )
    _names_differ(value, path, faults)
    return found


def _rig(value: dict[str, Any], path: str, *, vehicle: bool, faults: Faults) -> RigSpec:
    faults.unknown(value, ("type", "preset_name", "location", "cameras", "lights"), path)
    kind = value.get("type", "head_orbit")
    faults.member(kind, RIG_TYPES, f"{path}.type")
    preset = value.get("preset_name")
    if kind == "preset_location":
        if preset is None:
            faults.add(path, "preset_name is required")
        else:
            faults.member(preset, catalogue.get("presets").names, f"{path}.preset_name")
        if not vehicle:
            faults.add(f"{path}.type", 'preset_location needs 3d_location of type "vehicle"')
    elif preset is not None:
        faults.add(f"{path}.preset_name", 'needs type "preset_location"')
        preset = None
    cameras, lights = value.get("cameras", [{}]), value.get("lights", [{}])
    return RigSpec(
        type=kind,
        preset_name=preset,
        location=_location(value, "location", path, faults, z=0.0 if preset else ORBIT_DISTANCE),
        cameras=tuple(
            _camera(camera, f"{path}.cameras.{index}", faults)
            for index, camera in enumerate(
                cameras if check.filled(cameras, f"{path}.cameras", faults) else []
            )
            if faults.typed(camera, "object", f"{path}.cameras.{index}")
        ),
        lights=tuple(
            _light(light, f"{path}.lights.{index}", faults)
            for index, light in enumerate(lights if faults.typed(lights, "array", f"{path}.lights") else [])
            if faults.typed(light, "object", f"{path}.lights.{index}")
        ),
    )


def _camera(value: dict[str, Any], path: str, faults: Faults) -> CameraSpec:
    faults.unknown(value, ("name", "specifications", "relative_location", "advanced"), path)
    name = value.get("name", "default")
    if faults.typed(name, "string", f"{path}.name") and ("cam_" in name or not _NAME.fullmatch(name)):
        faults.add(
            f"{path}.name",
            'Must be 1 to 64 letters, digits, "-" or "_" without "cam_": it becomes part of file names',
        )
    lens = _object(value, "specifications", path, faults)
    at = f"{path}.specifications"
    faults.unknown(lens, (*_LENS, "resolution_w", "resolution_h", "wavelength"), at)
    wavelength = lens.get("wavelength", "visible")
    faults.member(wavelength, WAVELENGTHS, f"{at}.wavelength")
    advanced = _object(value, "advanced", path, faults)
    denoise = advanced.get("denoise", True)
    faults.typed(denoise, "boolean", f"{path}.advanced.denoise")
    numbers = {name: item for name, item in advanced.items() if name != "denoise"}
    for shift in numbers.keys() - {"noise_threshold"}:
        if shift in _ADVANCED and numbers[shift] != 0:
            faults.warn(f"{path}.advanced.{shift}", "recorded in the metadata, not applied")
    drawn = check.record({n: lens[n] for n in _LENS if n in lens}, _LENS, at, faults)
    return CameraSpec(
        name=name,
        resolution_w=_pixels(lens, "resolution_w", at, faults),
        resolution_h=_pixels(lens, "resolution_h", at, faults),
        wavelength=wavelength,
        focal_length=drawn["focal_length"],
        sensor_width=drawn["sensor_width"],
        relative_location=_location(value, "relative_location", path, faults),
        denoise=denoise,
        advanced=check.record(numbers, _ADVANCED, f"{path}.advanced", faults),
    )


def _light(value: dict[str, Any], path: str, faults: Faults) -> LightSpec:
    faults.unknown(value, ("type", "wavelength", "color", "relative_location", *_LIGHT), path)
    kind, wavelength = value.get("type", "rect"), value.get("wavelength", "visible")
    faults.member(kind, LIGHT_TYPES, f"{path}.type")
    faults.member(wavelength, WAVELENGTHS, f"{path}.wavelength")
    drawn = check.record({n: value[n] for n in _LIGHT if n in value}, _LIGHT, path, faults)
    color = check.record(_object(value, "color", path, faults), _COLOR, f"{path}.color", faults)
    return LightSpec(
        type=kind,
        wavelength=wavelength,
        intensity=drawn["intensity"],
        size_meters=drawn["size_meters"],
        relative_location=_location(value, "relative_location", path, faults),
        **color,
    )


def _location(value: dict[str, Any], name: str, path: str, faults: Faults, *, z: float = 0.0) -> LocationSpec:
    fields = {**_POSITION, "z": Number(_LENGTH.low, _LENGTH.high, z)}
    return LocationSpec(**check.record(_object(value, name, path, faults), fields, f"{path}.{name}", faults))


def _object(value: dict[str, Any], name: str, path: str, faults: Faults) -> dict[str, Any]:
    item = value.get(name, {})
    return item if faults.typed(item, "object", f"{path}.{name}") else {}


def _pixels(lens: dict[str, Any], name: str, path: str, faults: Faults) -> int:
    return check.integer(lens.get(name, 1024), 1, MAX_RESOLUTION, f"{path}.{name}", faults)


def _names_differ(value: list[Any], path: str, faults: Faults) -> None:
    """Camera names make the file names, also on disks that do not tell A from a."""
    seen: dict[str, str] = {}
    for r, rig in enumerate(value):
        cameras = rig.get("cameras", [{}]) if isinstance(rig, dict) else []
        for c, camera in enumerate(cameras if isinstance(cameras, list) else []):
            name = camera.get("name", "default") if isinstance(camera, dict) else None
            if not isinstance(name, str):
                continue
            at = f"{path}.{r}.cameras.{c}.name"
            if name.lower() in seen:
                faults.add(at, f'"{name}" is already the name of {seen[name.lower()]}')
            seen.setdefault(name.lower(), at.removesuffix(".name"))
