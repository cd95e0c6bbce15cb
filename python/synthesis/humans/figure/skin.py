"""Colour of the skin and names of its regions, painted over the neutral head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, step
from synthesis.humans.figure.sculpture import lid_crease, mouth_line

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.figure.template import Template
    from synthesis.humans.scene import Identity

    Array = np.ndarray

# Diffuse albedo (linear RGB) by skin tone, 0.5 lightest to 6 darkest.
TONES = (
    (0.5, (0.74, 0.53, 0.435)),
    (1.5, (0.68, 0.455, 0.35)),
    (2.5, (0.58, 0.365, 0.262)),
    (3.5, (0.46, 0.272, 0.180)),
    (4.5, (0.335, 0.187, 0.116)),
    (5.25, (0.205, 0.108, 0.064)),
    (6.0, (0.115, 0.060, 0.037)),
)


def base_colour(tone: float) -> Array:
    """Albedo (3,) of a skin tone."""
    import numpy as np

    at = [t for t, _ in TONES]
    return np.array([np.interp(tone, at, [c[k] for _, c in TONES]) for k in range(3)])


def noise(p: Array, seed: int, scale: float, octaves: int = 3) -> Array:
    """Smooth noise in about -1..1 at points (N, 3); features are about `scale` wide."""
    import numpy as np

    rng = np.random.default_rng([977, seed])
    p = p.astype(np.float32)
    total = np.zeros(len(p), np.float32)
    for octave in range(octaves):
        k = (rng.normal(size=(6, 3)) * (2.2 * 2**octave / scale)).astype(np.float32)
        phase = rng.uniform(0, 6.28, 6).astype(np.float32)
        total += np.sin(p @ k.T + phase) @ np.full(6, 0.41 / 1.7**octave, np.float32)
    return total / 1.6


def lip_mask(p: Array) -> tuple[Array, Array]:
    """How much a neutral point belongs to the red of the upper and of the lower lip."""
    import numpy as np

    x, y, z = p.T
    line = mouth_line(x)
    corner = np.clip(1.0 - (x / 26.5) ** 2, 0.0, 1.0)
    bow = 1.6 * bump(np.abs(x), 5.5, 4.5) - 1.2 * bump(x, 0, 3)
    top = 7.6 * corner**0.75 + bow * (corner > 0)
    low = 10.2 * corner**0.62
    front = step(z, 18, 26)
    upper = (y >= line - 0.8) * step(y - line, top + 0.9, top - 0.9) * (corner > 0.01) * front
    lower = (y < line + 0.8) * step(line - y, low + 1.2, low - 1.2) * (corner > 0.01) * front
    return upper, lower


def paint(p: Array, identity: Identity) -> Array:
    """Albedo (N, 3) at neutral points `p`."""
    import numpy as np

    x, y, z = p.T
    q = np.abs(x)
    front = step(z, -10, 15)
    tone = base_colour(identity.skin_tone)
    dark = float(np.clip((identity.skin_tone - 2.0) / 4.0, 0.0, 1.0))
    colour = np.broadcast_to(tone, p.shape).copy()
    red = np.zeros(len(p))
    red += 0.55 * bump(q, 38, 17) * bump(y, -30, 17) * front  # cheeks
    red += 0.65 * bump(q, 6, 12) * bump(y, -38, 10) * step(z, 40, 52)  # nose
    red += 0.5 * bump(q, 31, 13) * bump(y, -4, 9) * front  # lids
    red += 0.35 * bump(q, 0, 18) * bump(y, -98, 12) * front
    red += 0.5 * step(q, 66, 74) * bump(y, -15, 40)  # ears
    red += 0.17 * noise(p, identity.id, 28)
    strength = 1.0 - 0.55 * dark
    colour *= 1 + strength * red[:, None] * np.array([0.03, -0.17, -0.16])
    shade = np.zeros(len(p))
    shade += 0.26 * bump(q, 26, 13) * bump(y, -11, 6) * front  # below the eye
    shade += 0.20 * bump(q, 18, 5) * bump(y, 2, 8) * front  # inner corner
    shade += 0.16 * bump(q, 31, 14) * bump(y, 7, 5) * front
    fold = bump(y - lid_crease(q), 0, 0.8) * bump(q, 33, 13) * front
    shade += (0.12 if identity.eye_fold else 0.42) * fold
    colour *= 1 - shade[:, None] * np.array([0.75, 0.95, 0.85]) * (0.6 + 0.5 * dark)
    mottle = noise(p, identity.id + 1, 7.0, 4)
    colour *= 1 + 0.045 * mottle[:, None] * np.array([0.7, 1.0, 1.0])
    fine = np.random.default_rng([13, identity.id]).normal(size=len(p))
    colour *= 1 + 0.022 * fine[:, None]
    spots = np.clip(noise(p, identity.id + 2, 5.5, 2) - 1.02, 0, 1) * step(y, -110, -90)
    age = np.clip((identity.age - 35) / 40, 0.12, 1.0)
    colour *= 1 - np.clip(2.2 * age * spots, 0, 0.4)[:, None] * np.array([0.5, 0.8, 0.9])
    upper, lower = lip_mask(p)
    lip = np.clip(upper + lower, 0, 1)[:, None]
    rosy = 1.0 if identity.sex == "female" else 0.62
    target = tone * np.array([0.86, 0.60, 0.64]) * (1 - 0.12 * rosy) + np.array([0.035, 0.0, 0.006]) * rosy
    lines = 1 + 0.07 * np.sin(x * 3.1 + 2.0 * np.sin(x * 0.7))[:, None]
    colour = colour * (1 - 0.88 * lip) + target * lines * 0.88 * lip
    crack = bump(y - mouth_line(x), 0, 1.0) * (q < 28) * front
    colour *= 1 - 0.45 * crack[:, None]
    hole = bump(q, 6.6, 3.4) * bump(y, -46.5, 3.0) * step(z, 42, 47) * step(z, 59, 56)
    colour *= 1 - np.clip(0.5 * hole, 0, 0.8)[:, None]
    return np.clip(colour, 0.004, 0.9)


REGIONS = (
    "head", "forehead", "temples", "brow", "eyelid_left", "eyelid_right", "undereye_left", "undereye_right",
    "nose", "nose_outer", "nostrils", "cheek_left", "cheek_right", "smile_line", "mouth", "lip_upper",
    "lip_lower", "chin", "jaw", "jowl", "neck", "mouthbag",
)  # fmt: skip


def regions(template: Template, faces: Array) -> Array:
    """Index into `REGIONS` of every face, from its neutral place."""
    import numpy as np

    p = template.shut[faces].mean(1)
    at = {name: k for k, name in enumerate(REGIONS)}
    x, y, z = p.T
    q = np.abs(x)
    label = np.full(len(faces), at["head"])

    def put(name: str, where: Array) -> None:
        label[where] = at[name]

    face = z > -30 - 0.2 * (y + 20)
    jaw_floor = -98 - 0.42 * (z - 10)
    put("jaw", (y < -52) & (z > -62))
    put("jowl", (y < -45) & (y > -88) & (z < 20) & (z > -45) & (q > 30))
    put("neck", (y < -128) | ((y < -74) & (z < -52)) | ((y < jaw_floor - 10) & (z < 20)))
    put("forehead", face & (y > 24) & (y < 78) & (z > -8))
    put("temples", (y > -8) & (y < 48) & (q > 50) & (z > -38) & (z < 12))
    put("brow", (y > 9) & (y <= 27) & (q < 52) & (z > 5))
    left = x >= 0
    cheek = (y <= 0) & (y > -62) & (q > 17) & (z > -28)
    put("cheek_left", cheek & left)
    put("cheek_right", cheek & ~left)
    crease = 17.0 + (-40.0 - y) * 0.52
    put("smile_line", (np.abs(q - crease) < 4.5) & (y < -40) & (y > -72) & (z > 10))
    put("mouth", (q < crease - 3) & (y < -49) & (y > -84) & (z > 15) & (q < 34))
    put("chin", (q < 27) & (y <= -84) & (z > 8) & (y > -118))
    under = (y <= -8) & (y > -22) & (np.abs(q - 30) < 17) & (z > 0)
    put("undereye_left", under & left)
    put("undereye_right", under & ~left)
    lid = (np.abs(q - 32) < 18) & (y > -9) & (y < 12.5 - 0.012 * (q - 32) ** 2) & (z > 8)
    put("eyelid_left", lid & left)
    put("eyelid_right", lid & ~left)
    nose = (y <= 12) & (y > -51) & (z > 30) & (q < np.interp(y, [-51, -42, -25, 0, 12], [12, 20, 14, 9, 10]))
    put("nose", nose)
    put("nose_outer", nose & (q > 9.5) & (y < -34))
    put("nostrils", nose & (np.hypot((q - 6.6) / 3.6, (y + 46.5) / 3.0) < 1) & (z < 58))
    upper, lower = lip_mask(p)
    side = template.side[faces].sum(1)
    line = mouth_line(x)
    put("lip_upper", (upper > 0.5) & ((y >= line) | (side > 0)) & (side >= 0))
    put("lip_lower", (lower > 0.5) & ((y < line) | (side < 0)) & (side <= 0))
    return label
