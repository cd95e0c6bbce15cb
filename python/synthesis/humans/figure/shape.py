"""From an identity to the shape of its head: smooth displacements of the neutral head.

Each trait is a field over neutral space (millimetres of the head's frame), so that skin, eyes, ears,
hair roots and landmarks move together. Means follow sex, ethnicity, age and weight; the rest is drawn
from the identity's id alone, so one id has one face.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, step

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import Identity

    Array = np.ndarray

TRAITS = (
    "width", "jaw", "chin_length", "chin_forward", "chin_width", "nose_width", "nose_length", "nose_out",
    "bridge", "hump", "nose_tip", "brow", "lips", "mouth_width", "mouth_out", "eye_size", "eye_gap",
    "eye_tilt", "lid_fill", "cheekbone", "cheek_fat", "forehead_slope", "forehead_height", "neck",
    "face_length", "fold", "sag", "ears",
)  # fmt: skip

# Spread of each trait between people of one group, in standard deviations worth of its field.
SPREAD = 0.85

ETHNIC = {
    "asian": {"bridge": -1.3, "lid_fill": 1.6, "cheekbone": 0.9, "nose_out": -0.6, "brow": -0.6, "width": 0.5,
              "eye_tilt": 0.8, "nose_width": 0.3, "eye_size": -0.3},
    "black": {"nose_width": 2.0, "lips": 1.9, "bridge": -1.0, "nose_out": -0.7, "mouth_out": 1.2,
              "mouth_width": 0.5, "forehead_slope": -0.4, "chin_forward": -0.4},
    "white": {"bridge": 0.5, "nose_width": -0.5, "lips": -0.5},
    "arab": {"bridge": 0.8, "hump": 0.9, "nose_length": 0.5, "nose_out": 0.4, "brow": 0.2},
    "indian": {"bridge": 0.2, "eye_size": 0.6, "lips": 0.4, "nose_width": 0.3},
    "hisp": {"nose_width": 0.5, "lips": 0.4, "cheekbone": 0.4},
}  # fmt: skip
FEMALE = {"width": -0.9, "jaw": -2.6, "chin_length": -1.4, "chin_width": -1.7, "nose_length": -1.1,
          "nose_out": -0.9, "nose_width": -1.2, "brow": -2.2, "lips": 1.5, "eye_size": 1.7, "neck": -2.6,
          "forehead_slope": -0.9, "cheek_fat": 0.4, "hump": -0.6, "nose_tip": 0.7, "ears": -0.6,
          "mouth_width": -0.9, "cheekbone": -0.4, "forehead_height": -0.8}  # fmt: skip
MALE = {"jaw": 0.4, "brow": 0.4, "neck": 0.2, "chin_width": 0.4}


@dataclass(frozen=True)
class Shape:
    """An identity's head: trait values and the drawn asymmetry."""

    traits: dict[str, float]
    scale: float
    waves: Array

    def apply(self, p: Array) -> Array:
        """Move neutral points (N, 3), millimetres, to where this head has them."""
        return _displace(p, self.traits, self.waves) * self.scale


def shape(identity: Identity) -> Shape:
    """The head of an identity; the same for every scene it is in."""
    import numpy as np

    rng = np.random.default_rng([7919, identity.id])
    traits = dict(zip(TRAITS, rng.normal(0, SPREAD, len(TRAITS)).clip(-2, 2).tolist(), strict=True))
    for group in (
        ETHNIC.get(identity.ethnicity.split("/")[0], {}),
        FEMALE if identity.sex == "female" else MALE,
    ):
        for name, value in group.items():
            traits[name] += value
    bmi = identity.weight_kg / (identity.height_cm / 100) ** 2
    heavy = float(np.clip((bmi - 23.5) / 7.0, -1.0, 2.6))
    traits["cheek_fat"] += 1.5 * heavy
    traits["width"] += 0.5 * heavy
    traits["neck"] += 0.9 * heavy
    traits["jaw"] += 0.4 * heavy
    traits["cheekbone"] -= 0.3 * heavy
    old = float(np.clip((identity.age - 32) / 32, -0.3, 1.4))
    traits["fold"] = 0.4 * traits["fold"] + 1.7 * old
    traits["sag"] = 0.3 * traits["sag"] + 1.5 * max(old, 0.0)
    traits["lips"] -= 0.9 * max(old, 0.0)
    traits["ears"] += 0.8 * max(old, 0.0)
    traits["lid_fill"] += 0.8 * identity.eye_fold
    scale = (0.945 if identity.sex == "female" else 1.0) * (1 + 0.0009 * (identity.height_cm - 172))
    return Shape(traits, float(np.clip(scale, 0.9, 1.06)), rng.normal(size=(10, 8)))


def _displace(p: Array, t: dict[str, float], waves: Array) -> Array:
    """All fields added up; amplitudes are millimetres per standard deviation."""
    import numpy as np

    p = np.asarray(p, float)
    x, y, z = p.T
    q = np.abs(x)
    sign = np.tanh(x / 4.0)
    face = step(z, -70, -10)
    front = step(z, -8, 12)
    head = step(y, -128, -92)
    dx, dy, dz = np.zeros_like(p).T
    dx += x * 0.022 * t["width"] * head
    jaw = bump(y, -78, 34) * step(z, -75, -40)
    dx += sign * 2.3 * t["jaw"] * jaw * step(q, 12, 45)
    down = step(y, -72, -108)
    dy += -2.2 * t["chin_length"] * down * step(z, -60, 5)
    dz += 1.8 * t["chin_forward"] * bump(y, -99, 17) * bump(x, 0, 26) * front
    dx += sign * 1.6 * t["chin_width"] * bump(q, 16, 12) * bump(y, -101, 13) * front
    nose = step(z, 34, 43)
    dx += sign * 1.55 * t["nose_width"] * bump(q, 14, 8) * bump(y, -42, 10) * nose
    dx += sign * 0.8 * t["nose_width"] * bump(q, 7, 6) * bump(y, -30, 14) * nose
    dy += -1.7 * t["nose_length"] * bump(y, -41, 11) * bump(x, 0, 17) * nose
    dz += 1.7 * t["nose_out"] * bump(y, -38, 14) * bump(x, 0, 12) * nose
    dy += 1.4 * t["nose_tip"] * bump(y, -38, 9) * bump(x, 0, 10) * step(z, 50, 58)
    ridge = bump(x, 0, 8.5)
    dz += 1.7 * t["bridge"] * bump(y, -6, 14) * ridge
    dz += 1.0 * t["hump"] * bump(y, -17, 8) * ridge * step(z, 40, 48)
    dz += 1.5 * t["brow"] * bump(y, 17, 8.5) * bump(q, 24, 22) * front
    dy += -0.9 * t["brow"] * bump(y, 15, 10) * bump(q, 28, 20) * front
    mouth = bump(q, 0, 24) * front
    dz += 1.0 * t["lips"] * (bump(y, -62, 5) + 1.1 * bump(y, -75, 6)) * mouth
    dy += (y + 67.5) * 0.085 * t["lips"] * bump(y, -67.5, 12) * mouth
    dx += sign * 1.7 * t["mouth_width"] * bump(q, 25, 10) * bump(y, -68, 13) * front
    dz += 1.5 * t["mouth_out"] * bump(y, -67, 19) * bump(x, 0, 27) * front
    orbit = bump(q, 31, 15) * bump(y, 0, 13) * step(z, -8, 8)
    dx += sign * ((q - 31) * 0.03 * t["eye_size"] + 0.9 * t["eye_gap"]) * orbit
    dy += y * 0.055 * t["eye_size"] * orbit
    dy += 0.9 * t["eye_tilt"] * (q - 31) / 14 * bump(q, 32, 16) * bump(y, 0, 10) * step(z, 14, 22)
    dz += 1.1 * t["lid_fill"] * bump(q, 29, 15) * bump(y, 10.5, 5.5) * front
    dx += sign * 1.7 * t["cheekbone"] * bump(q, 55, 16) * bump(y, -15, 15) * face
    dz += 1.2 * t["cheekbone"] * bump(q, 42, 14) * bump(y, -18, 12) * front
    soft = bump(y, -58, 30) * bump(q, 46, 22) * step(z, -60, -25)
    dx += sign * 2.5 * t["cheek_fat"] * soft
    dz += 1.0 * t["cheek_fat"] * bump(q, 36, 16) * bump(y, -50, 24) * front
    under = bump(y, -112, 16) * bump(x, 0, 42) * step(z, -40, 0)
    dy += -2.2 * max(t["cheek_fat"], 0.0) * under
    dz += -2.0 * t["forehead_slope"] * step(y, 28, 85) * front
    dy += 1.8 * t["forehead_height"] * step(y, 22, 90)
    dy += -1.4 * t["face_length"] * step(y, -25, -75) * step(z, -70, -20) * head
    crease = 17.0 + (-40.0 - y) * 0.5
    dz += -0.75 * t["fold"] * bump(q, crease, 3.6) * step(y, -74, -62) * step(y, -36, -46) * front
    dz += -0.8 * t["fold"] * bump(q, 20 - (y + 12) * 0.3, 4) * bump(y, -14, 6) * front
    dy += -1.6 * max(t["sag"], 0.0) * bump(q, 40, 16) * bump(y, -80, 22) * front
    dy += -0.9 * max(t["sag"], 0.0) * bump(q, 42, 12) * bump(y, 9, 8) * front
    throat = step(y, -95, -135)
    dx += x * 0.045 * t["neck"] * throat
    dz += (z + 60) * 0.035 * t["neck"] * throat
    for w in waves:
        k = w[:3] * 0.022
        phase = np.sin(p @ k + w[3] * 3)
        gain = 0.42 * step(z, -60, 10) * head
        dx += gain * w[5] * phase
        dy += gain * w[6] * phase
        dz += gain * w[7] * phase
    return p + np.stack([dx, dy, dz], -1)
