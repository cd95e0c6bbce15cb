"""Style families of hair: catalogue names to the numbers strands are grown from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

# Linear RGB of the 20 catalogue colours, and the share of white hairs.
COLOURS: dict[str, tuple[tuple[float, float, float], float]] = {
    "beeline_honey": ((0.42, 0.24, 0.09), 0.0),
    "light_brown": ((0.17, 0.095, 0.050), 0.0),
    "leather_black": ((0.010, 0.009, 0.009), 0.0),
    "light_ash_blonde": ((0.47, 0.36, 0.22), 0.0),
    "chocolate_brown": ((0.062, 0.032, 0.018), 0.0),
    "copper_shimmer": ((0.26, 0.085, 0.025), 0.0),
    "chocolate_cherry": ((0.065, 0.018, 0.017), 0.0),
    "reddish_blonde": ((0.38, 0.185, 0.075), 0.0),
    "pure_diamond": ((0.62, 0.54, 0.42), 0.0),
    "ruby_fusion": ((0.15, 0.018, 0.018), 0.0),
    "medium_champagne": ((0.36, 0.25, 0.14), 0.0),
    "dark_golden_brown": ((0.115, 0.062, 0.026), 0.0),
    "dark_brown": ((0.042, 0.024, 0.015), 0.0),
    "darkest_brown": ((0.018, 0.012, 0.009), 0.0),
    "brown_graying": ((0.085, 0.055, 0.036), 0.28),
    "blonde_graying": ((0.34, 0.25, 0.155), 0.35),
    "red_graying": ((0.22, 0.085, 0.035), 0.30),
    "salt_and_pepper": ((0.045, 0.040, 0.037), 0.48),
    "gray": ((0.25, 0.245, 0.235), 0.40),
    "white_gray": ((0.52, 0.515, 0.50), 0.50),
}


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a head of hair grows; lengths in millimetres.

    Attributes:
        top, sides: length at the crown and around ears and nape.
        lift: 0 lies on the scalp, 1 stands up at the root.
        comb: direction on the scalp: `whorl`, `back`, `forward`, `up`, `part`, `middle`, `down`.
        weight: pull of gravity along the strand. wave, curl: amplitude of waves and of coils.
        clump: how far strands gather to locks. part: place of the parting (x).
        fringe: length in front over the forehead, 0 none. recede: how far the hairline is drawn back.
        bald: 0 none, 1 crown bare. tie: where strands are gathered: `none`, `tail`, `puff`, `bun`.
        strands: how many at density 1. radius: of a strand at the root.
        mess: how far strands leave the combed direction. volume: how far hair stands off the scalp at most.
    """

    top: float = 40.0
    sides: float = 14.0
    lift: float = 0.35
    comb: str = "whorl"
    weight: float = 0.2
    wave: float = 0.0
    curl: float = 0.0
    clump: float = 0.35
    part: float = 22.0
    fringe: float = 0.0
    recede: float = 0.0
    bald: float = 0.0
    tie: str = "none"
    strands: int = 15000
    radius: float = 0.17
    mess: float = 0.08
    volume: float = 14.0


LONG = Style(
    top=330, sides=300, lift=0.30, comb="part", weight=0.75, wave=2.0, clump=0.5, strands=15000, radius=0.24
)
FAMILIES: dict[str, Style] = {
    "afro_ponytail": Style(
        top=70, sides=30, lift=0.05, comb="back", curl=5.0, tie="puff", strands=16000, radius=0.2
    ),
    "afro": Style(
        top=62,
        sides=50,
        lift=1.0,
        comb="up",
        curl=5.5,
        volume=200.0,
        weight=0.0,
        strands=20000,
        clump=0.6,
        radius=0.21,
    ),
    "balding": Style(top=14, sides=13, lift=0.3, bald=1.0, recede=22, strands=12000),
    "bob": replace(LONG, top=190, sides=130, wave=1.0, fringe=0.0),
    "buzzcut": Style(top=6, sides=4, lift=0.4, strands=30000, radius=0.13, clump=0.0, mess=0.2),
    "convertible": Style(
        top=95, sides=75, lift=0.25, volume=17.0, comb="part", weight=0.5, wave=2.0, strands=15000
    ),
    "curtain": Style(
        top=130, sides=60, lift=0.42, comb="middle", weight=0.45, wave=2.5, part=0.0, strands=15000
    ),
    "flattop": Style(
        volume=200.0, top=34, sides=7, lift=1.0, comb="up", weight=0.0, curl=1.0, strands=20000, clump=0.1
    ),
    "frenchcrop": Style(top=38, sides=9, lift=0.30, comb="forward", weight=0.2, fringe=26, strands=17000),
    "layered": replace(LONG, top=360, sides=330, wave=4.0, mess=0.2),
    "long_wavy": replace(LONG, top=360, sides=340, wave=8.0, clump=0.62),
    "messy": Style(
        top=58, sides=30, lift=0.5, volume=26.0, comb="whorl", weight=0.2, wave=3.0, mess=0.45, clump=0.6
    ),
    "mohawk": Style(
        volume=200.0, top=60, sides=4, lift=0.95, comb="up", weight=0.0, clump=0.4, strands=18000
    ),
    "pompadour": Style(
        top=80, sides=12, lift=0.6, volume=36.0, wave=1.5, comb="back", weight=0.10, clump=0.5, strands=17000
    ),
    "quiff": Style(
        top=68, sides=15, lift=0.70, comb="back", weight=0.15, clump=0.45, mess=0.2, strands=17000
    ),
    "simple": replace(LONG, top=340, sides=320, wave=1.0, comb="middle", part=0.0),
    "slicked": Style(
        top=85, sides=60, lift=0.08, volume=8.0, comb="back", weight=0.12, clump=0.55, strands=16000
    ),
    "short_wavy": Style(
        top=58, sides=28, lift=0.4, volume=22.0, comb="part", weight=0.25, wave=5.0, clump=0.6, mess=0.2
    ),
}


def style(name: str) -> Style | None:
    """Numbers of a catalogue style, varied a little by its number; None for `none`."""
    if name == "none":
        return None
    words = [w for w in FAMILIES if name.startswith(w)]
    found = FAMILIES[max(words, key=len)] if words else Style()
    number = int(name.rsplit("_", 1)[-1]) if name[-2:].isdigit() else 1
    roll = zlib.crc32(name.encode())
    a, b, c = ((roll >> shift & 255) / 255 for shift in (0, 8, 16))
    changed = replace(found, top=found.top * (0.82 + 0.36 * a), sides=found.sides * (0.85 + 0.3 * b))
    if found.part:
        changed = replace(changed, part=(24.0 if c < 0.5 else -24.0) * (0.6 + 0.6 * a))
    if found.bald:
        changed = replace(changed, bald=0.35 + 0.13 * number, recede=8 + 4.5 * number, top=10 + 10 * a)
    if name.startswith("bob"):
        fringe = 44.0 if number % 3 == 0 else 0.0
        changed = replace(
            changed, fringe=fringe, comb=("part", "middle")[number % 2], wave=(0.6, 3.5, 1.5)[number % 3]
        )
    if name.startswith("afro_") and found.tie == "none":
        changed = replace(
            changed, top=22 + 9.0 * (number % 8), sides=18 + 7.5 * (number % 8), curl=3.0 + 4.0 * b
        )
    return changed
