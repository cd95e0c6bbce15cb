"""Backgrounds and their light: a small high-dynamic-range panorama drawn from an HDRI's name.

The 586 catalogue names are places; words of the name and its setting choose the kind of place, the
name itself seeds everything drawn. The panorama is soft, like a background out of focus.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from synthesis.humans import catalogue

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera

    Array = np.ndarray

WIDTH, HEIGHT = 512, 256

FACE_LIGHT = 1.05  # brightness of a white face in any place: the photographer's exposure

# Words of names -> kind of place. The first that occurs decides.
KINDS = (
    ("night", ("night", "moon", "neon", "dikhololo")),
    ("sunset", ("sunset", "sunrise", "dusk", "dawn", "evening", "goegap", "venice", "twilight", "golden")),
    ("snow", ("snow", "winter", "frozen", "ski", "ice")),
    ("forest", ("forest", "wood", "park", "garden", "tree", "grove", "green", "trail", "jungle", "autumn",
    "meadow",
                "field", "lawn", "hill", "valley", "farm", "orchard", "botan")),
    ("water", ("beach", "sea", "lake", "river", "coast", "harbor", "harbour", "pier", "bay", "water",
    "shore")),
    ("desert", ("desert", "sand", "quarry", "canyon", "rock", "mountain", "cape", "savanna", "dry")),
    ("city", ("street", "city", "square", "bridge", "parking", "alley", "road", "urban", "building",
    "plaza", "yard",
              "station", "terminal", "castle", "court")),
)  # fmt: skip


@lru_cache(maxsize=4)
def panorama(name: str) -> Array:
    """(HEIGHT, WIDTH, 3) float32 linear radiance; column centre looks to +z, row 0 up. Mean near 0.6."""
    import numpy as np

    facts = catalogue.get("hdris").facts.get(name, {})
    rng = np.random.default_rng([83, zlib.crc32(name.encode())])
    if facts.get("setting") == "indoor":
        image = _indoor(rng)
    else:
        kind = next((k for k, words in KINDS if any(w in name for w in words)), "open")
        image = _outdoor(rng, kind)
    image = np.clip(image, 0.003, 60.0)
    return np.asarray(image * (FACE_LIGHT / _light_in_front(image)) ** 0.85, np.float32)


def _light_in_front(image: Array) -> float:
    """Mean brightness that a matt white surface facing +z and a little up would have."""
    import numpy as np

    azimuth, elevation = _grid()
    facing = np.cos(elevation) * np.cos(azimuth) * 0.95 + np.sin(elevation) * 0.31
    weight = np.clip(facing, 0, None) * np.cos(elevation)
    return float((image.mean(-1) * weight).sum() / weight.sum())


def _grid() -> tuple[Array, Array]:
    """Azimuth (0 at +z, rising to the left of the picture's subject) and elevation, radians."""
    import numpy as np

    u = (np.arange(WIDTH) + 0.5) / WIDTH
    v = (np.arange(HEIGHT) + 0.5) / HEIGHT
    azimuth, elevation = np.meshgrid((0.5 - u) * 2 * np.pi, (0.5 - v) * np.pi)
    return azimuth, elevation


def _lump(
    azimuth: Array, elevation: Array, a: float, e: float, wide: float, tall: float, soft: float
) -> Array:
    """A soft-edged rectangle around direction (a, e)."""
    import numpy as np

    da = np.abs((azimuth - a + np.pi) % (2 * np.pi) - np.pi)
    de = np.abs(elevation - e)
    return np.asarray(1 / (1 + np.exp((da - wide) / soft)) / (1 + np.exp((de - tall) / soft)))


def _texture(
    rng: np.random.Generator, azimuth: Array, elevation: Array, scale: float, octaves: int = 4
) -> Array:
    """Smooth seamless noise around 0."""
    import numpy as np

    x = np.stack(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], -1
    )
    x = x.astype(np.float32)
    total = np.zeros(azimuth.shape)
    for octave in range(octaves):
        for _ in range(4):
            k = (rng.normal(size=3) * scale * 2**octave).astype(np.float32)
            total += np.sin(x @ k + np.float32(rng.uniform(0, 6.28))) * (0.5 / 1.8**octave)
    return total


def _outdoor(rng: np.random.Generator, kind: str) -> Array:
    import numpy as np

    azimuth, elevation = _grid()
    e = elevation[..., None]
    overcast = rng.uniform(0.1, 0.9)
    zenith = np.array([0.22, 0.38, 0.72]) * (1 - overcast) + np.array([0.62, 0.66, 0.72]) * overcast
    horizon = np.array([0.85, 0.90, 0.95]) * rng.uniform(0.8, 1.15)
    ground = np.array([0.22, 0.20, 0.17])
    accent = [np.array(c) for c in ((0.20, 0.19, 0.17), (0.30, 0.27, 0.23), (0.13, 0.14, 0.15))]
    gain, tall = 1.0, 0.16
    if kind == "sunset":
        horizon, zenith, gain = np.array([1.25, 0.72, 0.36]), np.array([0.30, 0.36, 0.52]), 0.85
        ground = np.array([0.16, 0.12, 0.09])
    elif kind == "night":
        horizon, zenith, gain = np.array([0.05, 0.06, 0.10]), np.array([0.01, 0.016, 0.035]), 1.0
        ground = np.array([0.035, 0.032, 0.03])
    elif kind == "snow":
        ground = np.array([0.75, 0.79, 0.84])
        accent = [np.array([0.45, 0.48, 0.50]), np.array([0.16, 0.20, 0.18])]
    elif kind == "forest":
        ground = np.array([0.12, 0.17, 0.055]) * rng.uniform(0.7, 1.3)
        accent = [np.array([0.045, 0.085, 0.022]), np.array([0.10, 0.16, 0.04]), np.array([0.16, 0.19, 0.06]),
                  np.array([0.07, 0.055, 0.035])]  # fmt: skip
        tall = 0.42
    elif kind == "water":
        ground, tall = np.array([0.13, 0.20, 0.25]), 0.07
    elif kind == "desert":
        ground, tall = np.array([0.42, 0.31, 0.20]), 0.14
        accent = [np.array([0.30, 0.20, 0.13]), np.array([0.40, 0.29, 0.19])]
    elif kind == "city":
        ground, tall = np.array([0.21, 0.205, 0.20]), 0.42
    sky = horizon + (zenith - horizon) * np.clip(e / 0.9, 0, 1) ** 0.55
    cloud = np.clip(_texture(rng, azimuth, elevation * 2.5, 2.2) - 0.1, 0, 1)[..., None]
    sky = sky * (1 + 0.35 * cloud * (0.4 + overcast))
    land = (
        ground
        * (1 + 0.22 * _texture(rng, azimuth, elevation * 3, 5.0)[..., None])
        * (0.75 + 0.4 * np.exp(e * 2.2))
    )
    image = np.where(e > 0, sky, land)
    edge = 1 / (1 + np.exp(-elevation / 0.012))[..., None]
    image = land * (1 - edge) + sky * edge
    leaves = [
        1 + (0.35 if kind == "forest" else 0.15) * _texture(rng, azimuth, elevation, 14, 3)[..., None]
        for _ in "ab"
    ]
    for number in range(34):
        a, height = rng.uniform(-np.pi, np.pi), tall * rng.uniform(0.25, 1.0)
        wide = rng.uniform(0.04, 0.24)
        body = accent[rng.integers(len(accent))] * rng.uniform(0.6, 1.5)
        soft = 0.012 if kind == "city" else 0.028
        mask = _lump(azimuth, elevation, a, height / 2 - 0.03, wide, height / 2 + 0.03, soft)[..., None]
        image = image * (1 - mask) + body * np.clip(leaves[number % 2], 0.3, 2) * mask
    if kind == "night":
        for _ in range(40):
            a, up = rng.uniform(-np.pi, np.pi), rng.uniform(-0.05, 0.4)
            glow = np.array(
                [(1.0, 0.62, 0.28), (1.0, 0.85, 0.6), (0.5, 0.7, 1.0), (1.0, 0.3, 0.3)][rng.integers(4)]
            )
            size = rng.uniform(0.012, 0.035)
            image = image + _lump(azimuth, elevation, a, up, size, size, 0.006)[
                ..., None
            ] * glow * rng.uniform(1.5, 7)
        image = image + _key(azimuth, elevation, rng, np.array([1.0, 0.86, 0.70]), 3.0, 0.5)
        return np.asarray(image)
    warm = np.array([1.0, 0.70, 0.40]) if kind == "sunset" else np.array([1.0, 0.93, 0.82])
    image = image + _key(azimuth, elevation, rng, warm, 9.0 * (1 - 0.6 * overcast), 0.30 + 0.25 * overcast)
    return np.asarray(image * gain)


def _indoor(rng: np.random.Generator) -> Array:
    import numpy as np

    azimuth, elevation = _grid()
    hue = rng.uniform(0, 1)
    walls = np.array(
        [(0.42, 0.37, 0.31), (0.36, 0.38, 0.40), (0.45, 0.43, 0.38), (0.28, 0.23, 0.19), (0.33, 0.37, 0.36)][
            int(hue * 5)
        ]
    )
    walls = walls * rng.uniform(0.6, 1.1)
    ceiling, floor = walls * 1.25 + 0.1, walls * np.array([0.55, 0.48, 0.42])
    up = (1 / (1 + np.exp(-(elevation - 0.55) / 0.03)))[..., None]
    down = (1 / (1 + np.exp((elevation + 0.42) / 0.03)))[..., None]
    shade = (
        1
        + 0.28 * np.sin(azimuth + rng.uniform(0, 6.28))[..., None]
        + 0.10 * _texture(rng, azimuth, elevation, 2.0)[..., None]
    )
    image = (walls * (1 - up - down) + ceiling * up + floor * down) * shade
    for _ in range(26):
        a, e = rng.uniform(-np.pi, np.pi), rng.uniform(-0.5, 0.3)
        tint = walls * rng.uniform(0.25, 1.5) * rng.uniform(0.75, 1.25, 3)
        if rng.random() < 0.3:
            tint = np.array(
                [(0.30, 0.12, 0.07), (0.07, 0.13, 0.22), (0.10, 0.18, 0.11), (0.40, 0.30, 0.14)][
                    rng.integers(4)
                ]
            )
        mask = _lump(azimuth, elevation, a, e, rng.uniform(0.05, 0.3), rng.uniform(0.06, 0.3), 0.014)[
            ..., None
        ]
        image = image * (1 - 0.9 * mask) + tint * 0.9 * mask
    sun = rng.uniform(0, 6.28)
    for k in range(rng.integers(2, 5)):
        a = sun + 0.62 * k + rng.uniform(-0.1, 0.1)
        pane = _lump(azimuth, elevation, a, 0.16, 0.20, 0.27, 0.010)[..., None]
        view = np.array([1.0, 1.04, 1.1]) * rng.uniform(1.6, 3.2)
        image = image * (1 - pane) + view * pane
    for _ in range(rng.integers(3, 9)):
        lamp = _lump(
            azimuth, elevation, rng.uniform(-np.pi, np.pi), rng.uniform(0.25, 1.0), 0.05, 0.04, 0.012
        )[..., None]
        image = image + lamp * np.array([1.0, 0.82, 0.58]) * rng.uniform(2, 9)
    image = image + _key(azimuth, elevation, rng, np.array([1.0, 0.92, 0.82]), 4.5, 0.45)
    return np.asarray(image)


def _key(
    azimuth: Array, elevation: Array, rng: np.random.Generator, tint: Array, power: float, size: float
) -> Array:
    """The brightest light of the place, high and to one side of the front, so that faces are lit well."""
    import numpy as np

    a = rng.choice([-1.0, 1.0]) * rng.uniform(0.45, 1.15)
    e = rng.uniform(0.55, 0.95)
    x = np.cos(elevation) * np.cos(e) * np.cos(azimuth - a) + np.sin(elevation) * np.sin(e)
    return np.exp((x - 1) / (0.5 * size * size))[..., None] * tint * power


def rotated(image: Array, degrees: float) -> Array:
    """The panorama turned about the vertical, positive to the subject's left."""
    import numpy as np

    return np.roll(image, -round(degrees / 360 * image.shape[1]), axis=1)


def background(image: Array, camera: ResolvedCamera) -> Array:
    """(H, W, 3) what the pixels of a camera see of a panorama where nothing is in front of it."""
    import numpy as np

    k, lens = camera.intrinsics, camera.camera
    x = (np.arange(lens.resolution_w) + 0.5 - k[0, 2]) / k[0, 0]
    y = (k[1, 2] - np.arange(lens.resolution_h) - 0.5) / k[1, 1]
    right, up = np.meshgrid(x, y)
    way = np.stack([right, up, np.full_like(right, -1.0)], -1) @ camera.cam2world[:3, :3].T
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    height, width = image.shape[:2]
    column = np.arctan2(way[..., 0], -way[..., 2]) / (2 * np.pi) % 1.0 * width - 0.5
    row = np.clip(np.arccos(np.clip(way[..., 1], -1, 1)) / np.pi * height - 0.5, 0, height - 1)
    left, top = np.floor(column).astype(int), np.minimum(row.astype(int), height - 2)
    across, down = (column - left)[..., None], (row - top)[..., None]
    above, below = (
        image[r, left % width] * (1 - across) + image[r, (left + 1) % width] * across for r in (top, top + 1)
    )
    return np.asarray(above * (1 - down) + below * down, np.float32)
