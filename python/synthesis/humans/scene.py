"""One scene of a job: every choice of the spec resolved to one value.

The shape is that of `scene` in `metadata.jsonl` version 1.4. Plain frozen dataclasses, so that a
renderer needs nothing else of this package.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A synthetic person: fixed id, fixed demographics (`identity_metadata`, version 1.5).

    `skin_tone` runs from 0.5 (lightest) to 6 (darkest); `iris_color` is a catalogue id "1".."90".
    """

    id: int
    age: int
    sex: str
    outfit: str
    eye_fold: bool
    ethnicity: str
    height_cm: int
    skin_tone: float
    weight_kg: int
    hair_color: str
    hair_style: str
    iris_color: str
    height_label: str
    eyebrow_style: str
    eyebrow_length: float
    eyebrow_density: float
    facial_hair_color: str
    facial_hair_style: str
    fat_content_label: str


@dataclass(frozen=True, kw_only=True)
class Body:
    """Body shape labels of `catalogues/bodies.json`."""

    height: str
    enabled: bool
    fat_content: str


@dataclass(frozen=True, kw_only=True)
class Clothing:
    """What the person wears; `garments` are (garment, material) pairs."""

    outfit: str
    garments: tuple[tuple[str, str], ...]
    single_style_per_id: bool


@dataclass(frozen=True, kw_only=True)
class Gesture:
    """Pose of the body; only `default` moves nothing."""

    name: str
    mirrored: bool
    keyframe_only: bool
    position_seed: int
    source_start_frame: int
    source_end_frame: int
    output_frame_length: int


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Iris colour id, redness and pupil dilation in 0..1."""

    redness: float
    iris_color: str
    pupil_dilation: float


@dataclass(frozen=True, kw_only=True)
class Gaze:
    """Degrees in the head's frame; horizontal positive to the subject's left, vertical positive up."""

    vertical_angle: float
    horizontal_angle: float


@dataclass(frozen=True, kw_only=True)
class Hair:
    """Head hair, brows or facial hair: a catalogue style and colour; `style` may be "none"."""

    color: str
    style: str
    color_seed: float
    relative_length: float
    relative_density: float


@dataclass(frozen=True, kw_only=True)
class HeadTurn:
    """Degrees; yaw positive to the subject's left, pitch positive up, roll positive top to the right.

    R(head2world) = Rz(roll) . Rx(-pitch) . Ry(yaw).
    """

    yaw: float
    roll: float
    pitch: float


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A catalogue expression and its intensity in 0..1; name "none" is neutral."""

    name: str
    intensity: float


@dataclass(frozen=True, kw_only=True)
class FacialAttributes:
    """Everything that varies on one face."""

    eyes: Eyes
    gaze: Gaze
    hair: Hair
    eyebrows: Hair
    facial_hair: Hair
    head_turn: HeadTurn
    expression: Expression


@dataclass(frozen=True, kw_only=True)
class Accessories:
    """Worn things; each style may be "none"."""

    mask_style: str
    mask_variant: str
    mask_position: str
    glasses_style: str
    glasses_metalness: float
    glasses_lens_color: str
    glasses_transparency: float
    glasses_lens_color_rgb: tuple[int, int, int]
    headwear_style: str
    headphones_style: str


@dataclass(frozen=True, kw_only=True)
class Hdri:
    """Background and light: a catalogue name, rotation in degrees, intensity factor."""

    name: str
    rotation: float
    intensity: float


@dataclass(frozen=True, kw_only=True)
class Location:
    """Metres and degrees."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Lens in millimetres, resolution in pixels, wavelength "visible" or "nir"."""

    name: str
    focal_length: float
    sensor_width: float
    resolution_w: int
    resolution_h: int
    wavelength: str
    relative_location: Location
    denoise: bool = True
    noise_threshold: float = 0.017
    lens_shift_vertical: float = 0.0
    lens_shift_horizontal: float = 0.0
    window_offset_vertical: float = 0.0
    window_offset_horizontal: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """An added light; intensity 0 is off; colour in 0..255."""

    type: str
    color: tuple[float, float, float]
    intensity: float
    wavelength: str
    size_meters: float
    relative_location: Location


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Cameras and lights that move together around the head."""

    type: str
    preset_name: str | None
    location: Location
    cameras: tuple[Camera, ...]
    lights: tuple[Light, ...]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a renderer must know about one render; equal scenes give equal pictures."""

    render_id: int
    seed: int
    identity: Identity
    body: Body
    clothing: Clothing
    gesture: Gesture
    location_type: str
    accessories: Accessories
    hdri: Hdri
    facial: FacialAttributes
    rigs: tuple[Rig, ...]

    @property
    def frames(self) -> range:
        """Frame numbers of the render, from 1."""
        return range(1, self.gesture.output_frame_length + 1)
