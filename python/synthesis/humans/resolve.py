"""From a spec to one scene: every open choice drawn.

A scene depends on (spec, seed, render id) alone. Each field is drawn with a key of its own, so neither
the order of rendering nor a field added later changes the others. Percent groups take exact shares of a
group's scenes: the scenes are shuffled by a permutation that needs no table, then cut by largest
remainder, so that one scene of a job of millions costs as little as the first.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from synthesis.humans import catalogue, draw
from synthesis.humans.identities import identity
from synthesis.humans.scene import (
    Accessories,
    Body,
    Camera,
    Clothing,
    Expression,
    Eyes,
    FacialAttributes,
    Gaze,
    Gesture,
    Hair,
    Hdri,
    HeadTurn,
    Identity,
    Light,
    Location,
    Rig,
    Scene,
)
from synthesis.humans.spec import frames, gestures

if TYPE_CHECKING:
    from synthesis.humans.spec import Spec
    from synthesis.humans.spec.values import Choice, Distribution, Group, LocationSpec, RigSpec


def resolve(spec: Spec, seed: int, render_id: int) -> Scene:
    """Draw one scene of a job.

    Args:
        spec: the job's spec.
        seed: the job's seed; any integer.
        render_id: 0 .. `spec.renders_total` - 1. Ids run through the groups in order, within a group
            through its identities in order, then through the repeats of one identity.

    Raises:
        UsageError: the job has no such render.
    """
    group_index, index = spec.locate(render_id)
    group = spec.groups[group_index]
    person = identity(group.ids[index // group.renders_per_identity])
    drawing = _Drawing(
        group=group, group_index=group_index, index=index, seed=seed, render_id=render_id, person=person
    )
    return Scene(
        render_id=render_id,
        seed=draw.bits(seed, render_id, "scene") >> 97,
        identity=person,
        body=_body(drawing),
        clothing=_clothing(drawing),
        gesture=_gesture(drawing),
        location_type=drawing.parameter("3d_location").choice.values["type"],
        accessories=_accessories(drawing),
        hdri=_hdri(drawing),
        facial=_facial(drawing),
        rigs=tuple(_rig(rig, f"rigs.{i}", drawing) for i, rig in enumerate(group.rigs)),
    )


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """Draws for one scene of one group; `index` counts the scenes of the group."""

    group: Group
    group_index: int
    index: int
    seed: int
    render_id: int
    person: Identity

    def parameter(self, path: str) -> _Parameter:
        """Pick this scene's percent group of a parameter."""
        choices = self.group.parameters[path]
        if len(choices) == 1:
            return _Parameter(self, path, choices[0])
        shares = draw.apportion(self.group.renders, [choice.percent for choice in choices])
        return _Parameter(self, path, choices[bisect_right(list(accumulate(shares)), self.position(path))])

    def position(self, path: str) -> int:
        """Return the place of this scene in the shuffle of a parameter."""
        return draw.shuffled(self.index, self.group.renders, self.seed, "group", self.group_index, path)

    def number(self, distribution: Distribution, path: str) -> float:
        return distribution.draw(self.seed, self.render_id, path)


class _Parameter:
    """One parameter's percent group, drawn field by field."""

    def __init__(self, drawing: _Drawing, path: str, choice: Choice) -> None:
        self.drawing, self.path, self.choice = drawing, path, choice

    def name(self, field: str, otherwise: str, fitting: Any = None) -> str:
        """Draw a name; `otherwise` when the spec has none, or none that fits the person."""
        names = self.choice.values[field]
        if names is not None and fitting is not None:
            names = [name for name in names if fitting(name)]
        if not names:
            return otherwise
        drawing = self.drawing
        drawn: str = draw.pick(names, drawing.seed, drawing.render_id, f"{self.path}.{field}")
        return drawn

    def number(self, field: str, otherwise: float = 0.0) -> float:
        distribution = self.choice.values[field]
        return (
            otherwise if distribution is None else self.drawing.number(distribution, f"{self.path}.{field}")
        )

    def flag(self, field: str) -> bool:
        return bool(self.choice.values[field])


def _body(drawing: _Drawing) -> Body:
    body, person = drawing.parameter("body"), drawing.person
    return Body(
        height=body.name("height", person.height_label),
        enabled=body.flag("enabled"),
        fat_content=body.name("fat_content", person.fat_content_label),
    )


def _clothing(drawing: _Drawing) -> Clothing:
    clothing, person = drawing.parameter("clothing"), drawing.person
    outfits, known = clothing.choice.values["outfit"], catalogue.get("outfits").facts
    if outfits is not None and clothing.flag("sex_matched_only"):
        outfits = [name for name in outfits if known[name]["sex"] in (person.sex, "unisex")]
    single = clothing.flag("single_style_per_id")
    who = ("identity", person.id) if single else (drawing.render_id,)
    outfit = draw.pick(outfits, drawing.seed, *who, "clothing.outfit") if outfits else person.outfit
    garments = tuple((garment, material) for garment, material in known[outfit]["garments"])
    return Clothing(outfit=outfit, garments=garments, single_style_per_id=single)


def _gesture(drawing: _Drawing) -> Gesture:
    shares = gestures(drawing.group)
    ends = list(accumulate(count for _, _, count in shares))
    name, choice, _ = shares[bisect_right(ends, drawing.position("gesture"))]
    length = frames(name, choice)
    last: int = catalogue.get("gestures").facts[name]["frames"]
    # A still picture shows the middle of the movement, where a wave is a wave.
    still = (last + 1) // 2
    return Gesture(
        name=name,
        mirrored=choice.values["mirrored"],
        keyframe_only=choice.values["keyframe_only"],
        position_seed=int(drawing.number(choice.values["position_seed"], "gesture.position_seed")),
        source_start_frame=1 if length > 1 else still,
        source_end_frame=last if length > 1 else still,
        output_frame_length=length,
    )


def _accessories(drawing: _Drawing) -> Accessories:
    person = drawing.person
    glasses, headwear = drawing.parameter("accessories.glasses"), drawing.parameter("accessories.headwear")
    masks, lenses = drawing.parameter("accessories.masks"), catalogue.get("lens_colors").facts
    lens = glasses.name("lens_color", "default")
    red, green, blue = lenses[lens]["rgb"]
    return Accessories(
        mask_style=masks.name("style", "none"),
        mask_variant=masks.name("variant", "0"),
        mask_position=masks.name("position", "2"),
        glasses_style=glasses.name("style", "none", _fits("glasses_styles", person, glasses)),
        glasses_metalness=glasses.number("metalness"),
        glasses_lens_color=lens,
        glasses_transparency=glasses.number("transparency"),
        glasses_lens_color_rgb=(red, green, blue),
        headwear_style=headwear.name("style", "none", _fits("headwear_styles", person, headwear)),
        headphones_style=drawing.parameter("accessories.headphones").name("style", "none"),
    )


def _fits(kind: str, person: Identity, parameter: _Parameter) -> Any:
    """Return the test that keeps the names which match the person, or None when none is asked for."""
    values, facts = parameter.choice.values, catalogue.get(kind).facts
    by_sex, by_ethnicity = values.get("sex_matched_only"), values.get("ethnicity_matched_only")
    if not (by_sex or by_ethnicity):
        return None

    def fitting(name: str) -> bool:
        about = facts.get(name, {})
        sexes = about.get("sexes", (about.get("sex", "unisex"),))
        right_sex = not by_sex or person.sex in sexes or "unisex" in sexes
        return right_sex and (
            not by_ethnicity or person.ethnicity in about.get("ethnicities", (person.ethnicity,))
        )

    return fitting


def _hdri(drawing: _Drawing) -> Hdri:
    hdri = drawing.parameter("environment.hdri")
    return Hdri(
        name=hdri.name("name", "photo_studio_01"),
        rotation=hdri.number("rotation"),
        intensity=hdri.number("intensity"),
    )


def _facial(drawing: _Drawing) -> FacialAttributes:
    person, parameter = drawing.person, drawing.parameter
    hair = _hair(parameter("facial_attributes.hair"), "hair_styles", person.hair_style, person.hair_color)
    eyes, gaze = parameter("facial_attributes.eyes"), parameter("facial_attributes.gaze")
    turn, expression = parameter("facial_attributes.head_turn"), parameter("facial_attributes.expression")
    return FacialAttributes(
        eyes=Eyes(
            redness=eyes.number("redness"),
            iris_color=eyes.name("iris_color", person.iris_color),
            pupil_dilation=eyes.number("pupil_dilation"),
        ),
        gaze=Gaze(
            vertical_angle=gaze.number("vertical_angle"), horizontal_angle=gaze.number("horizontal_angle")
        ),
        hair=hair,
        eyebrows=_hair(
            parameter("facial_attributes.eyebrows"),
            "eyebrow_styles",
            person.eyebrow_style,
            person.hair_color,
            head=hair,
            length=person.eyebrow_length,
            density=person.eyebrow_density,
        ),
        facial_hair=_hair(
            parameter("facial_attributes.facial_hair"),
            "facial_hair_styles",
            person.facial_hair_style,
            person.facial_hair_color,
            head=hair,
        ),
        head_turn=HeadTurn(yaw=turn.number("yaw"), roll=turn.number("roll"), pitch=turn.number("pitch")),
        expression=Expression(name=expression.name("name", "none"), intensity=expression.number("intensity")),
    )


def _hair(
    hair: _Parameter,
    kind: str,
    style: str,
    color: str,
    *,
    head: Hair | None = None,
    length: float = 1.0,
    density: float = 1.0,
) -> Hair:
    """Draw hair, brows or a beard; `style` to `density` are the identity's own."""
    match = head is not None and hair.flag("match_hair_color")
    return Hair(
        color=head.color if head is not None and match else hair.name("color", color),
        style=hair.name("style", style, _fits(kind, hair.drawing.person, hair)),
        color_seed=head.color_seed if head is not None and match else hair.number("color_seed"),
        relative_length=hair.number("relative_length", length),
        relative_density=hair.number("relative_density", density),
    )


def _rig(rig: RigSpec, path: str, drawing: _Drawing) -> Rig:
    number = drawing.number
    cameras = tuple(
        Camera(
            name=camera.name,
            focal_length=number(camera.focal_length, f"{path}.{camera.name}.focal_length"),
            sensor_width=number(camera.sensor_width, f"{path}.{camera.name}.sensor_width"),
            resolution_w=camera.resolution_w,
            resolution_h=camera.resolution_h,
            wavelength=camera.wavelength,
            relative_location=_location(camera.relative_location, f"{path}.{camera.name}", drawing),
            denoise=camera.denoise,
            **{name: number(item, f"{path}.{camera.name}.{name}") for name, item in camera.advanced.items()},
        )
        for camera in rig.cameras
    )
    lights = tuple(
        Light(
            type=light.type,
            color=(
                number(light.red, f"{path}.lights.{i}.red"),
                number(light.green, f"{path}.lights.{i}.green"),
                number(light.blue, f"{path}.lights.{i}.blue"),
            ),
            intensity=number(light.intensity, f"{path}.lights.{i}.intensity"),
            wavelength=light.wavelength,
            size_meters=number(light.size_meters, f"{path}.lights.{i}.size_meters"),
            relative_location=_location(light.relative_location, f"{path}.lights.{i}", drawing),
        )
        for i, light in enumerate(rig.lights)
    )
    return Rig(
        type=rig.type,
        preset_name=rig.preset_name,
        location=_location(rig.location, f"{path}.location", drawing),
        cameras=cameras,
        lights=lights,
    )


def _location(location: LocationSpec, path: str, drawing: _Drawing) -> Location:
    axes = ("x", "y", "z", "yaw", "roll", "pitch")
    return Location(**{axis: drawing.number(getattr(location, axis), f"{path}.{axis}") for axis in axes})
