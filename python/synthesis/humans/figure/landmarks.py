"""The named points of every landmark set, from fixed places of the template and the skeleton.

Names and order come from `catalogues/landmarks.json`. Face points are vertices of the head's skin;
body points are joints of the standing skeleton.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from synthesis.humans import catalogue
from synthesis.humans.figure.sculpture import mouth_line
from synthesis.humans.figure.template import Template, template

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.figure.body import Body
    from synthesis.humans.figure.pose import Pose

    Array = np.ndarray

JAW = ((69, -3, -42), (67, -22, -40), (64, -42, -36), (59, -62, -30), (52, -80, -16), (42, -94, 0), (30,
-105, 14),
       (15, -112, 24), (0, -115, 29))  # fmt: skip
BROW = ((53, 15.5), (46, 20.5), (37, 22.5), (25, 20.5), (12, 16))
# Places of the face seen from the front (x, y), named after MPEG-4 feature points where they are unpaired.
FRONT = {
    "nose_27": (0, 1), "nose_28": (0, -10), "nose_29": (0, -21), "nose_tip": (0, -36), "nose_31": (13.5,
    -46.5),
    "nose_32": (7.0, -49.0), "nose_33": (0, -51.5), "chin_boss": (0, -99), "chin_corner": (15, -102),
    "wing": (17.0, -42), "bone_up": (9.5, -8), "bone_low": (11.5, -24), "bone_mid": (0, -24),
    "hairline": (0, 63),
}  # fmt: skip
EARS = {"top": (73, 8, -54), "back": (80, -12, -66), "lobe": (71, -51, -43), "low": (69, -46, -40),
"up": (70, 2, -47),
        "hole": (71, -24, -42)}  # fmt: skip


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    """Vertex number of every named place of the face; `.l` and `.r` for pairs."""
    import numpy as np

    t: Template = template()
    p = t.open
    skin = np.flatnonzero(t.side == 0)

    def nearest(point: tuple[float, float, float]) -> int:
        return int(skin[((p[skin] - np.array(point)) ** 2).sum(1).argmin()])

    facing = skin[p[skin, 2] > -15]

    def front(x: float, y: float) -> int:
        return int(facing[((p[facing, :2] - np.array([x, y])) ** 2).sum(1).argmin()])

    found: dict[str, int] = {}
    for k, (out, up, ahead) in enumerate(JAW):
        found[f"jaw_{k}.l"], found[f"jaw_{k}.r"] = nearest((out, up, ahead)), nearest((-out, up, ahead))
    for k, (away, height) in enumerate(BROW):
        found[f"brow_{k}.l"], found[f"brow_{k}.r"] = front(away, height), front(-away, height)
    for name, (x, y) in FRONT.items():
        found[f"{name}.l"], found[f"{name}.r"] = front(x, y), front(-x, y)
        found[name] = found[f"{name}.l"]
    found["chin"] = nearest(JAW[-1])
    found["skull_top"], found["skull_back"] = nearest((0, 110, -47)), nearest((0, 20, -138))
    for name, (x, share) in {"lip_17": (17, 1.0), "lip_7": (6.5, 1.0), "lip_0": (0, 1.0)}.items():
        corner = 1 - (x / 27) ** 2
        line = float(mouth_line(np.array(float(x))))
        top = line + share * (8.2 * corner**0.7 + (1.3 if x == 6.5 else -0.9 if x == 0 else 0))
        low = line - 11.0 * corner**0.6
        found[f"{name}.up.l"], found[f"{name}.up.r"] = front(x, top), front(-x, top)
        found[f"{name}.low.l"], found[f"{name}.low.r"] = front(x, low), front(-x, low)
    for side, key in (("l", "left_eye"), ("r", "right_eye")):
        for ring, lid in zip(t.rings[key], ("up", "low"), strict=True):
            order = ring if side == "l" else ring[::-1]
            for name, s in (
                ("inner", 0.0),
                ("third", 0.32),
                ("middle", 0.5),
                ("twothird", 0.68),
                ("outer", 1.0),
            ):
                found[f"eye_{name}.{lid}.{side}"] = int(order[round(s * (len(order) - 1))])
    for ring, lip in zip(t.rings["mouth"], ("up", "low"), strict=True):
        x = p[ring, 0]
        for name, goal in (("0", 0.0), ("11", 11.0), ("21", 21.5), ("corner", 40.0)):
            found[f"mouth_{name}.{lip}.l"] = int(ring[np.abs(x - goal).argmin()])
            found[f"mouth_{name}.{lip}.r"] = int(ring[np.abs(x + goal).argmin()])
    return found


def ibug68(skin: Array) -> Array:
    """The 68 points in id order from the skin's vertices (N, 3) in any space."""
    import numpy as np

    names = [f"jaw_{k}.r" for k in range(8)] + ["chin"] + [f"jaw_{k}.l" for k in reversed(range(8))]
    names += [f"brow_{k}.r" for k in range(5)] + [f"brow_{k}.l" for k in reversed(range(5))]
    names += [
        "nose_27",
        "nose_28",
        "nose_29",
        "nose_tip",
        "nose_31.r",
        "nose_32.r",
        "nose_33",
        "nose_32.l",
        "nose_31.l",
    ]
    names += [
        f"eye_{n}.r" for n in ("outer.up", "twothird.up", "third.up", "inner.up", "third.low", "twothird.low")
    ]
    names += [
        f"eye_{n}.l" for n in ("inner.up", "third.up", "twothird.up", "outer.up", "twothird.low", "third.low")
    ]
    names += [
        "mouth_corner.up.r",
        "lip_17.up.r",
        "lip_7.up.r",
        "lip_0.up.l",
        "lip_7.up.l",
        "lip_17.up.l",
        "mouth_corner.up.l",
    ]
    names += ["lip_17.low.l", "lip_7.low.l", "lip_0.low.l", "lip_7.low.r", "lip_17.low.r"]
    names += ["mouth_21.up.r", "mouth_11.up.r", "mouth_0.up.l", "mouth_11.up.l", "mouth_21.up.l"]
    names += ["mouth_11.low.l", "mouth_0.low.l", "mouth_11.low.r"]
    number = _numbers()
    return np.asarray(skin)[[number[n] for n in names]]


def skeleton(form: Body, pose: Pose, face: dict[str, Array]) -> dict[str, Array]:
    """World points of the body: joints with `.l` and `.r`, hands as `hand_0.l` .. `hand_20.l`."""
    import numpy as np

    found = dict(face)
    joints = form.joints()
    for name, place in joints.items():
        for side, sign in ((".l", 1.0), (".r", -1.0)):
            found[name + side] = pose.body(np.array(place) * [sign, 1, 1])
    wrist = np.array(joints["wrist"])
    w = form.wide
    for side, sign in ((".l", 1.0), (".r", -1.0)):
        points = [wrist, (248 * w, -792, -56), (240 * w, -815, -46), (232 * w, -836, -43), joints["thumb"]]
        for k in range(4):  # index finger in front
            z = -45.0 - 21 * k
            end = -905.0 - 22 * (k in (1, 2))
            points += [(256 * w, -850 + (end + 850) * s, z + 10 * s) for s in (0.0, 0.45, 0.75, 1.0)]
        for k, spot in enumerate(points):
            found[f"hand_{k}{side}"] = pose.body(np.array(spot, float) * [sign, 1, 1])
    return found


KINECT = {
    "PELVIS": "pelvis.l", "SPINE_NAVAL": "navel.l", "SPINE_CHEST": "chest.l", "NECK": "neck.l",
    "CLAVICLE": "clavicle",
    "SHOULDER": "shoulder", "ELBOW": "elbow", "WRIST": "wrist", "HANDTIP": "hand_tip", "HAND": "hand",
    "THUMB": "thumb", "HIP": "hip", "KNEE": "knee", "ANKLE": "ankle", "FOOT": "foot", "HEAD": "head_joint",
    "NOSE": "nose", "EYE": "pupil", "EAR": "ear_hole",
}  # fmt: skip
BODY_33 = {
    "nose": "nose", "eye_inner": "eye_in", "eye": "pupil", "eye_outer": "eye_out", "ear": "ear_hole",
    "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist", "pinky": "hand_17", "index": "hand_5",
    "thumb": "hand_3", "hip": "hip", "knee": "knee", "ankle": "ankle", "heel": "heel", "foot_index": "foot",
}  # fmt: skip
MPEG4 = {
    "2.1": "chin", "2.2": "mouth_0.up.l", "2.3": "mouth_0.low.l", "2.10": "chin_boss",
    "2.11": "chin_corner.l",
    "2.12": "chin_corner.r", "2.13": "jaw_4.l", "2.14": "jaw_4.r", "3.1": "eye_middle.up.l",
    "3.2": "eye_middle.up.r",
    "3.3": "eye_middle.low.l", "3.4": "eye_middle.low.r", "3.5": "pupil.l", "3.6": "pupil.r",
    "3.7": "eye_outer.up.l",
    "3.8": "eye_inner.up.r", "3.9": "eye_middle.low.l", "3.10": "eye_middle.low.r", "3.11": "eye_inner.up.l",
    "3.12": "eye_outer.up.r", "3.13": "eye_middle.up.l", "3.14": "eye_middle.up.r", "4.1": "brow_4.l",
    "4.2": "brow_4.r", "4.3": "brow_2.l", "4.4": "brow_2.r", "4.5": "brow_0.l", "4.6": "brow_0.r",
    "8.1": "lip_0.up.l", "8.2": "lip_0.low.l", "8.3": "mouth_corner.up.l", "8.4": "mouth_corner.up.r",
    "9.1": "wing.l", "9.2": "wing.r", "9.3": "nose_tip", "9.6": "bone_up.r", "9.7": "bone_up.l",
    "9.12": "bone_mid",
    "9.13": "bone_low.r", "9.14": "bone_low.l", "9.15": "nose_33", "10.1": "ear_top.l", "10.2": "ear_top.r",
    "10.3": "ear_back.l", "10.4": "ear_back.r", "10.5": "ear_lobe.l", "10.6": "ear_lobe.r",
    "10.7": "ear_low.l",
    "10.8": "ear_low.r", "10.9": "ear_up.l", "10.10": "ear_up.r", "11.1": "hairline", "11.4": "skull_top",
    "11.5": "skull_back", "9.8": "teeth_0", "9.9": "teeth_1", "9.10": "teeth_2", "9.11": "teeth_3",
}  # fmt: skip


def sets(
    skin: Array,
    ears: dict[str, Array],
    pupils: dict[str, Array],
    iris: dict[str, Array],
    form: Body,
    pose: Pose,
) -> dict[str, Array]:
    """Every set in emission order; `skin` (N, 3), `ears`, `pupils` and `iris` rims (5, 3) in world metres."""
    import numpy as np

    number = _numbers()
    face = {name: skin[k] for name, k in number.items()}
    face |= ears
    face |= {"pupil.l": pupils["left"], "pupil.r": pupils["right"], "nose.l": skin[number["nose_tip"]]}
    face |= {"nose": face["nose.l"], "head_joint": pose.head(np.array([0.0, -72.0, -64.0]))}
    for k, height in enumerate((-59.0, -67.0, -68.0, -76.0)):
        face[f"teeth_{k}"] = pose.head(np.array([0.0, height, 40.0]))
    for side in "lr":
        face[f"eye_in.{side}"], face[f"eye_out.{side}"] = (
            face[f"eye_inner.up.{side}"],
            face[f"eye_outer.up.{side}"],
        )
        face[f"mouth.{side}"] = face[f"mouth_corner.up.{side}"]
    place = skeleton(form, pose, face)
    points68 = ibug68(skin)
    facts = catalogue.get("landmarks").facts

    def kinect(name: str) -> str:
        stem, _, side = name.rpartition("_")
        return f"{KINECT[stem]}.{side[0].lower()}" if side in ("LEFT", "RIGHT") else KINECT[name]

    def body33(name: str) -> str:
        if name.startswith("mouth_"):
            return f"mouth.{name[6]}"
        side, _, stem = name.partition("_")
        return f"{BODY_33[stem]}.{side[0]}" if stem else BODY_33[name]

    pairs = ("pupil", "ear_hole", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    coco = [place["nose"]] + [place[f"{n}.{s}"] for n in pairs for s in "lr"]
    for s in "lr":
        coco += [
            place[f"foot.{s}"],
            place[f"foot.{s}"] + [0.045 if s == "l" else -0.045, 0, -0.02],
            place[f"heel.{s}"],
        ]
    coco += list(points68) + [place[f"hand_{k}.{s}"] for s in "lr" for k in range(21)]
    hands = {s: [place[f"hand_{k}.{s}"] for k in range(21)] for s in "lr"}
    by_id = {
        "ibug68": list(points68), "coco.whole_body": coco, "mediapipe.left_hand": hands["l"],
        "mediapipe.right_hand": hands["r"],
    }  # fmt: skip
    found = {}
    for path, entries in facts.items():
        if path == "ibug68_contour":
            continue
        if path in by_id:
            rows = [by_id[path][i] for i, _ in entries]
        elif path == "kinect_v2":
            rows = [place[kinect(name)] for _, name in entries]
        elif path == "mediapipe.body":
            rows = [place[body33(name)] for _, name in entries]
        elif path.endswith("iris"):
            side = "left" if "left" in path else "right"
            rows = [
                iris[side][("center", "left", "top", "right", "bottom").index(name)] for _, name in entries
            ]
        else:
            rows = [place[MPEG4[name]] for _, name in entries]
        found[path] = np.asarray(rows, float)
    return found
