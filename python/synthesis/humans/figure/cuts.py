"""How garments are cut and coloured, by catalogue name."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a garment is cut.

    Attributes:
        offset: millimetres off the skin. sleeve: share of the arm it covers (0 none).
        neck: radii (x, y, z) of the hole for the neck, and its centre's height.
        hem: height of its lower edge. top: height above which there is nothing (trousers, slings).
        trim: `rib`, `collar`, `hood`, `stand`, `lapel`, `strap` or `none`.
        folds: amplitude of the folds. rough: roughness of the cloth. flare: skirt width gained per metre.
    """

    offset: float
    sleeve: float = 0.0
    neck: tuple[float, float, float, float] = (80, 46, 80, -205)
    hem: float = -700.0
    top: float = 0.0
    trim: str = "none"
    folds: float = 2.0
    rough: float = 0.85
    flare: float = 0.0


CUTS = {
    "tee": Cut(offset=7, sleeve=0.52, neck=(76, 48, 80, -204), trim="rib", hem=-720),
    "polo": Cut(offset=7, sleeve=0.5, neck=(70, 40, 72, -200), trim="collar", hem=-720),
    "dressShirt": Cut(offset=8, sleeve=1.0, neck=(68, 38, 70, -196), trim="collar", hem=-740, folds=2.6),
    "vest": Cut(
        offset=17, sleeve=0.0, neck=(74, 60, 82, -200), trim="stand", hem=-700, folds=4.0, rough=0.45
    ),
    "hoodie": Cut(
        offset=15, sleeve=1.0, neck=(76, 42, 78, -200), trim="hood", hem=-730, folds=4.2, rough=0.95
    ),
    "suitJacket": Cut(
        offset=16, sleeve=1.0, neck=(72, 46, 78, -205), trim="lapel", hem=-800, folds=1.6, rough=0.8
    ),
    "longSleeveDress": Cut(offset=6, sleeve=1.0, neck=(84, 62, 92, -204), trim="none", hem=-1090, flare=0.22),
    "slingDress": Cut(
        offset=5, top=-292, neck=(1, 1, 1, 900), trim="strap", hem=-1000, flare=0.25, rough=0.5
    ),
    "flowerDress": Cut(offset=6, sleeve=0.35, neck=(88, 70, 96, -204), trim="none", hem=-1050, flare=0.25),
    "trousers": Cut(offset=9, top=-585, hem=-1520, folds=3.0),
    "shorts": Cut(offset=11, top=-585, hem=-1060, folds=3.0),
    "sneakers": Cut(offset=9, top=-1495, hem=-2000, folds=0.0, rough=0.5),
}
FAMILIES = {"khakis": "trousers", "chinos": "trousers", "suitTrousers": "trousers", "jeans": "trousers"}

COLOURS = {
    "red": (0.36, 0.035, 0.04), "yellow": (0.62, 0.42, 0.07), "brown": (0.14, 0.075, 0.042),
    "navy": (0.022, 0.034, 0.085), "black": (0.018, 0.018, 0.02), "tan": (0.48, 0.34, 0.22),
    "white": (0.70, 0.69, 0.66), "brightblue": (0.06, 0.19, 0.48), "deepblue": (0.03, 0.06, 0.22),
    "lightblue": (0.34, 0.46, 0.62), "blue": (0.07, 0.16, 0.36),
}  # fmt: skip
PALETTE = (
    (0.62, 0.61, 0.58), (0.05, 0.055, 0.065), (0.33, 0.44, 0.56), (0.10, 0.13, 0.20), (0.27, 0.28, 0.29),
    (0.42, 0.16, 0.13), (0.17, 0.24, 0.17), (0.52, 0.44, 0.34), (0.40, 0.28, 0.38), (0.12, 0.30, 0.33),
)  # fmt: skip
LOWER = {"khakis": (0.36, 0.27, 0.17), "jeans": (0.05, 0.075, 0.14), "chinos": (0.15, 0.14, 0.13),
         "suitTrousers": (0.03, 0.032, 0.04), "shorts": (0.25, 0.22, 0.17), "sneakers": (0.55, 0.55, 0.54),
         "vest": (0.028, 0.036, 0.062), "suitJacket": (0.030, 0.034, 0.046)}  # fmt: skip


def family(garment: str) -> str:
    """The cut of a catalogue garment: its name without the final letter and number."""
    stem = garment.rstrip("0123456789_")
    stem = stem[:-1] if stem[-1:].isupper() else stem
    stem = FAMILIES.get(stem, stem)
    return stem if stem in CUTS else "tee"


def colour(garment: str, material: str, outfit: str) -> tuple[float, float, float]:
    """Linear RGB of a garment in an outfit; outfits that name a colour have it on the upper part."""
    stem = garment.rstrip("0123456789_")
    stem = stem[:-1] if stem[-1:].isupper() else stem
    if stem in LOWER:
        return LOWER[stem]
    word = outfit.rsplit("_", 1)[-1]
    if word in COLOURS:
        return COLOURS[word]
    return PALETTE[zlib.crc32(f"{outfit}/{garment}/{material}".encode()) % len(PALETTE)]
