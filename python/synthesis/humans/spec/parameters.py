"""Which parameters a group of humans may vary, with the names, limits and defaults of each field.

Defaults are those of `formats.md` §8: None stands for the identity's own value. The original never
published limits; these only keep out what has no meaning (negative lengths, a pitch of 1000 degrees).
"""

from __future__ import annotations

from dataclasses import dataclass

from synthesis.humans.spec.values import Distribution


@dataclass(frozen=True)
class Names:
    """A list of names of one catalogue; `default` None means the identity's own."""

    kind: str
    default: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Number:
    """A distribution of numbers within [low, high]; `bare` allows a plain number too."""

    low: float
    high: float
    default: float | None = None
    bare: bool = False


@dataclass(frozen=True)
class Flag:
    """A boolean."""

    default: bool


Field = Names | Number | Flag


def constant(value: float) -> Distribution:
    """Return the distribution that always gives `value`."""
    return Distribution(values=(float(value),))


_ANGLE = 90.0
_SEED = Number(0, 2**31 - 1, 0.0, bare=True)

PARAMETERS: dict[str, dict[str, Field]] = {
    "facial_attributes.expression": {
        "name": Names("expressions", ("none",)),
        "intensity": Number(0, 1, 0.75),
    },
    "facial_attributes.gaze": {
        "horizontal_angle": Number(-_ANGLE, _ANGLE, 0.0),
        "vertical_angle": Number(-_ANGLE, _ANGLE, 0.0),
    },
    "facial_attributes.head_turn": {
        "pitch": Number(-_ANGLE, _ANGLE, 0.0),
        "yaw": Number(-_ANGLE, _ANGLE, 0.0),
        "roll": Number(-_ANGLE, _ANGLE, 0.0),
    },
    "facial_attributes.hair": {
        "style": Names("hair_styles"),
        "color": Names("hair_colors"),
        "color_seed": _SEED,
        "relative_length": Number(0, 2, 1.0),
        "relative_density": Number(0, 2, 1.0),
        "sex_matched_only": Flag(default=False),
        "ethnicity_matched_only": Flag(default=False),
    },
    "facial_attributes.facial_hair": {
        "style": Names("facial_hair_styles"),
        "color": Names("hair_colors"),
        "color_seed": _SEED,
        "relative_length": Number(0, 2, 1.0),
        "relative_density": Number(0, 2, 1.0),
        "match_hair_color": Flag(default=False),
        "sex_matched_only": Flag(default=False),
    },
    "facial_attributes.eyebrows": {
        "style": Names("eyebrow_styles"),
        "color": Names("hair_colors"),
        "color_seed": _SEED,
        "relative_length": Number(0, 2),
        "relative_density": Number(0, 2),
        "match_hair_color": Flag(default=False),
        "sex_matched_only": Flag(default=False),
    },
    "facial_attributes.eyes": {
        "iris_color": Names("iris_colors"),
        "redness": Number(0, 1, 0.0, bare=True),
        "pupil_dilation": Number(0, 1, 0.5, bare=True),
    },
    "accessories.glasses": {
        "style": Names("glasses_styles", ("none",)),
        "lens_color": Names("lens_colors", ("default",)),
        "transparency": Number(0, 1, 1.0),
        "metalness": Number(0, 1, 0.0),
        "sex_matched_only": Flag(default=False),
    },
    "accessories.headwear": {
        "style": Names("headwear_styles", ("none",)),
        "sex_matched_only": Flag(default=False),
    },
    "accessories.masks": {
        "style": Names("mask_styles", ("none",)),
        "position": Names("mask_positions", ("2",)),
        "variant": Names("mask_variants", ("0",)),
    },
    "accessories.headphones": {"style": Names("headphone_styles", ("none",))},
    "body": {
        "enabled": Flag(default=True),
        "height": Names("heights"),
        "fat_content": Names("fat_contents"),
    },
    "gesture": {
        "name": Names("gestures", ("default",)),
        "keyframe_only": Flag(default=True),
        "mirrored": Flag(default=False),
        "position_seed": _SEED,
    },
    "clothing": {
        "outfit": Names("outfits"),
        "sex_matched_only": Flag(default=False),
        "single_style_per_id": Flag(default=False),
    },
}
"""Parameters that take percent groups: dotted path under a group -> its fields."""

HDRI: dict[str, Field] = {
    "name": Names("hdris", ("photo_studio_01",)),
    "intensity": Number(0, 100, 1.0),
    "rotation": Number(-360, 360, 0.0),
}
"""Fields of `environment.hdri`, the one parameter without percent groups; the default name is ours."""

LOCATION_TYPES = ("open", "vehicle")

RENAMED = {"gender_matched_only": "sex_matched_only"}
"""Field names of older specs -> today's."""

IGNORED = ("match_id_",)
"""Beginnings of older fields that mean nothing any more: the identity's own is the default now."""

ANIMATION_FRAMES = 12
"""Frames of an animated gesture, at most: what the one public animated job has (`formats.md` §8)."""
