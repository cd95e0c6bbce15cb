"""Body below the neck: an implicit surface around a standing skeleton, in the head's frame (mm, unturned)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import capsule, ellipsoid, mirror, union

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import Identity

    Array = np.ndarray


NAMES = (
    "neck", "shoulders",
    *(f"{part}_{side}" for part in ("torso_upper", "torso_mid", "torso_lower", "arm_upper", "arm_lower",
    "hand",
                                    "leg_upper", "leg_lower", "foot") for side in ("left", "right")),
)  # fmt: skip
"""Every segment of the body, seen or not."""


@dataclass(frozen=True)
class Body:
    """Measures of one body.

    Attributes:
        wide: factor on widths of trunk and shoulders. thick: millimetres of flesh added everywhere.
        female: 0 or 1.
    """

    wide: float
    thick: float
    female: float

    def joints(self) -> dict[str, tuple[float, float, float]]:
        """Skeleton points of the subject's left side and the middle."""
        w = self.wide
        return {
            "neck": (0, -203, -90),
            "chest": (0, -383, -88),
            "navel": (0, -560, -84),
            "pelvis": (0, -640, -100),
            "clavicle": (52 * w, -233, -93),
            "shoulder": (166 * w, -236, -112),
            "elbow": (226 * w, -520, -140),
            "wrist": (252 * w, -762, -92),
            "hand": (256 * w, -815, -78),
            "hand_tip": (258 * w, -935, -52),
            "thumb": (226 * w, -850, -42),
            "hip": (88 * w, -650, -98),
            "knee": (104, -1115, -96),
            "ankle": (112, -1525, -130),
            "foot": (128, -1580, 0),
            "heel": (110, -1588, -160),
        }

    def torso(self, p: Array) -> Array:
        """Distance to trunk and shoulders without arms."""
        q = mirror(p)
        w, f, t = self.wide, self.female, self.thick
        d = ellipsoid(q, (0, -360, -100), (148 * w, 165, 98 + 0.6 * t))
        d = union(d, ellipsoid(q, (0, -545, -96), ((122 - 12 * f) * w + t, 150, 84 + 1.2 * t)), 70)
        d = union(d, ellipsoid(q, (0, -670, -100), ((148 + 12 * f) * w + t, 110, 102 + t)), 70)
        d = union(
            d,
            ellipsoid(q, (70 * w, -345 - 25 * f, -38 + 10 * f), (66, 58 - 6 * f, 44 + 10 * f + 0.3 * t)),
            45,
        )
        d = union(d, capsule(q, (22, -165, -92), (128 * w, -226, -110), 34, 26), 46)
        d = union(d, capsule(q, (28, -226, -52), (150 * w, -215, -100), 13, 13), 26)
        d = union(d, ellipsoid(q, (166 * w, -248, -112), (50, 56, 52)), 48)
        d = union(d, ellipsoid(q, (60 * w, -320, -160), (80, 110, 46)), 50)
        return d - 0.12 * t

    def arm(self, p: Array) -> Array:
        """Distance to both arms down to the wrists."""
        q = mirror(p)
        j = self.joints()
        size = 1 - 0.16 * self.female
        t = 0.5 * self.thick
        d = capsule(q, j["shoulder"], j["elbow"], 50 * size + t, 39 * size + t)
        d = union(d, capsule(q, j["elbow"], j["wrist"], 39 * size + t, 27 * size), 20)
        return union(d, ellipsoid(q, (196 * self.wide, -380, -112), (36 * size + t, 90, 42 * size + t)), 30)

    def hands(self, p: Array) -> Array:
        """Distance to the hands."""
        q = mirror(p)
        j = self.joints()
        w = self.wide
        d = ellipsoid(q, (256 * w, -812, -76), (15, 52, 40))
        for k in range(4):
            z = -108 + 21 * k
            d = union(
                d, capsule(q, (256 * w, -850, z), (256 * w, -(905 + 22 * (k in (1, 2))), z + 10), 9, 7.5), 8
            )
        return union(d, capsule(q, (250 * w, -790, -50), j["thumb"], 11, 9), 12)

    def legs(self, p: Array) -> Array:
        """Distance to legs and feet."""
        q = mirror(p)
        j = self.joints()
        t = self.thick
        d = capsule(q, (86 * self.wide, -690, -100), j["knee"], 84 + t, 56)
        d = union(d, capsule(q, j["knee"], j["ankle"], 55, 40), 30)
        return union(d, capsule(q, j["heel"], j["foot"], 36, 30), 30)

    def skin(self, p: Array) -> Array:
        """Distance to the whole body below the neck, the neck's base included."""
        d = union(self.torso(p), self.neck(p), 42)
        d = union(d, self.arm(p), 26)
        d = union(d, self.hands(p), 20)
        return union(d, self.legs(p), 40)

    def neck(self, p: Array) -> Array:
        """Distance to the base of the neck: inside the head's own skin above, around it below."""
        r = 46 - 6.5 * self.female + 0.35 * self.thick
        return capsule(p, (0, -170, -80), (0, -250, -97), r - 6, r + 14)


def body(identity: Identity, fat_content: str) -> Body:
    """Measures from sex, weight and the scene's fat label."""
    import numpy as np

    bmi = identity.weight_kg / (identity.height_cm / 100) ** 2
    middle = {"lowest": 17.5, "lower": 21.5, "median": 25.5, "higher": 33.0, "highest": 42.0}.get(fat_content)
    if middle is not None and fat_content != identity.fat_content_label:
        bmi = middle
    female = float(identity.sex == "female")
    thick = float(np.clip((bmi - 23) * 4.0, -12, 70))
    wide = (0.99 - 0.115 * female) * (1 + 0.0012 * thick) * (1 + 0.001 * (identity.height_cm - 172))
    return Body(wide=float(wide), thick=thick, female=female)


def segments(p: Array, form: Body) -> Array:
    """Segment name (N,) of body points."""
    import numpy as np

    x, y, z = p.T
    q = np.abs(x)
    j = form.joints()
    name = np.full(len(p), "torso_upper", dtype=object)
    name[y < -420] = "torso_mid"
    name[y < -560] = "torso_lower"
    name[(y > -285) & (q > 55)] = "shoulders"
    name[y > -262 + 0.55 * q] = "neck"
    boundary = j["shoulder"][0] + 18 - 0.10 * (y + 236)
    arm = (
        (q > np.minimum(boundary - 22 + 0.35 * np.abs(y + 236), j["shoulder"][0] + 22))
        & (y > -800)
        & (y < -250)
    )
    name[arm & (y >= j["elbow"][1])] = "arm_upper"
    name[arm & (y < j["elbow"][1])] = "arm_lower"
    hand = (q > 205 * form.wide) & (y <= -762)
    name[(y < -735) & ~hand] = "leg_upper"
    name[hand] = "hand"
    name[y < j["knee"][1]] = "leg_lower"
    name[(y < -1530) | ((y < -1480) & (z > -60))] = "foot"
    whole = np.isin(name, ["shoulders", "neck"])
    sided = np.where(x >= 0, "_left", "_right").astype(object)
    return np.where(whole, name, name + sided)
