"""What a checked spec is made of: choices that are still open, each with its defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synthesis.humans import draw


@dataclass(frozen=True)
class Distribution:
    """Numbers to draw from: one of `values` when there are any, else uniformly from low to high."""

    values: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0

    def draw(self, *key: object) -> float:
        """Draw the number of that key."""
        if self.values:
            return draw.pick(self.values, *key)
        return draw.between(self.low, self.high, *key)


@dataclass(frozen=True)
class Choice:
    """One percent group of a parameter.

    Attributes:
        percent: its part of the scenes; all groups of a parameter sum to 100.
        values: field -> tuple of names, `Distribution`, bool, or None for "the identity's own".
    """

    percent: float
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LocationSpec:
    """Metres and degrees, still to be drawn."""

    x: Distribution
    y: Distribution
    z: Distribution
    yaw: Distribution
    pitch: Distribution
    roll: Distribution


@dataclass(frozen=True, kw_only=True)
class CameraSpec:
    """A camera of a rig; lens in millimetres, resolution in pixels."""

    name: str
    resolution_w: int
    resolution_h: int
    wavelength: str
    focal_length: Distribution
    sensor_width: Distribution
    relative_location: LocationSpec
    denoise: bool
    advanced: dict[str, Distribution]


@dataclass(frozen=True, kw_only=True)
class LightSpec:
    """A light of a rig."""

    type: str
    wavelength: str
    intensity: Distribution
    size_meters: Distribution
    red: Distribution
    green: Distribution
    blue: Distribution
    relative_location: LocationSpec


@dataclass(frozen=True, kw_only=True)
class RigSpec:
    """Cameras and lights that move together."""

    type: str
    preset_name: str | None
    location: LocationSpec
    cameras: tuple[CameraSpec, ...]
    lights: tuple[LightSpec, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """One entry of `humans`: its identities, how each parameter varies, and who looks at them.

    Attributes:
        ids: identities in the order of the spec.
        renders_per_identity: scenes of each.
        parameters: dotted path ("facial_attributes.hair") -> its percent groups.
        rigs: camera and light rigs.
    """

    ids: tuple[int, ...]
    renders_per_identity: int
    parameters: dict[str, tuple[Choice, ...]]
    rigs: tuple[RigSpec, ...]

    @property
    def renders(self) -> int:
        """Number of scenes of the group."""
        return len(self.ids) * self.renders_per_identity

    @property
    def cameras(self) -> int:
        """Number of cameras that see each scene."""
        return sum(len(rig.cameras) for rig in self.rigs)
