"""Expressions: catalogue names become a few face actions, actions become displacements.

An action is a field over neutral space like those of `shape.py`; those of one side are gated at the
middle. Lids and jaw are angles and openings, applied where the geometry is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import bump, step
from synthesis.humans.figure.sculpture import mouth_line

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import Expression

    Array = np.ndarray

JAW_AXIS = (-22.0, -48.0)  # y, z of the hinge
JAW_DEGREES = 17.0  # at action 1

# Words of catalogue names -> actions at intensity 1. The longest matching word wins; `_left` and
# `_right` at the end of the name keep the action to that side.
WORDS: dict[str, dict[str, float]] = {
    "eyebrows_raised": {"brow_up": 1.0, "lid_up": 0.15},
    "eyebrows_lower": {"brow_down": 1.0},
    "eyebrows_frown": {"brow_down": 0.8, "brow_in": 1.0},
    "eyes_squint": {"lid_up": -0.35, "squint": 0.8},
    "eyes_closed_max": {"lid_up": -1.0, "squint": 0.8, "brow_down": 0.4},
    "eyes_closed": {"lid_up": -1.0},
    "eye_closed_max": {"lid_up": -1.0, "squint": 0.8},
    "eye_closed": {"lid_up": -1.0},
    "eyes_opened_max": {"lid_up": 0.4},
    "upper_eyelid_up": {"lid_up": 0.3},
    "upper_eyelid_dn": {"lid_up": -0.5},
    "lower_eyelid_up": {"squint": 0.6},
    "lower_eyelid_dn": {"squint": -0.4},
    "lower_eyelid_squint": {"squint": 1.0},
    "cheeks_raised": {"squint": 0.8, "cheek": 0.8},
    "cheeks_contracted": {"squint": 0.5, "smile": 0.3},
    "cheeks_inhaled": {"puff": -0.8},
    "cheeks_puffed": {"puff": 1.0},
    "nostrils_raised": {"sneer": 0.7},
    "nostrils_compressed": {"flare": -0.8},
    "nostrils_sneer": {"sneer": 1.0},
    "nostrils_dilated": {"flare": 1.0},
    "nostrils_lower": {"sneer": -0.4},
    "nostrils_corners": {"sneer": 0.5, "flare": 0.3},
    "opened_closedteeth": {"lip_up": 0.8, "lip_down": 0.8, "wide": 0.5},
    "opened_global": {"lip_up": 0.6, "lip_down": 0.7},
    "mouth_closed_corner_lower": {"frown": 0.8},
    "mouth_closed_move": {"wide": 0.3},
    "mouth_closed_jaw_move": {"jaw": 0.03},
    "kiss": {"pucker": 1.0},
    "frown": {"frown": 1.0},
    "lips_up_raised": {"lip_up": 0.8},
    "lips_up_in": {"press": 0.7},
    "lips_dn_in": {"press": 0.7},
    "lips_up_out": {"funnel": 0.6},
    "lips_dn_out": {"funnel": 0.7},
    "corner_tight": {"wide": -0.4, "press": 0.3},
    "corner_wide": {"wide": 0.9},
    "tighten": {"press": 0.8},
    "bite": {"press": 1.0, "jaw": 0.05},
    "dimple": {"wide": 0.6, "smile": 0.2},
    "funnel": {"funnel": 1.0, "jaw": 0.08},
    "lips_dn_lower": {"lip_down": 0.9},
    "lips_dn_raised": {"press": 0.4},
    "lips_up_lower": {"press": 0.3},
    "lips_inner": {"press": 1.0},
    "lips_closed_blown": {"puff": 0.8, "pucker": 0.4},
    "lips_push": {"funnel": 0.5},
    "chin_raised": {"chin": 1.0, "frown": 0.3},
    "smile_lips_closed": {"smile": 1.0, "squint": 0.35},
    "mouth_little_opened": {"jaw": 0.35},
    "mouth_large_opened": {"jaw": 0.8},
    "mouth_wide_opened": {"jaw": 1.0, "wide": 0.3},
    "jaw_out": {"jaw_out": 1.0},
    "jaw_back": {"jaw_out": -0.7},
    "jaw_lower": {"jaw": 0.5},
    "jaw_dn": {"jaw": 0.5},
    "chew": {"jaw": 0.2, "press": 0.2},
    "ae_ax_ah": {"jaw": 0.5},
    "aa_": {"jaw": 0.7},
    "ao_": {"jaw": 0.5, "funnel": 0.6},
    "ey_eh_uh": {"jaw": 0.35, "wide": 0.3},
    "er_": {"jaw": 0.25, "funnel": 0.4},
    "y_iy_ih_ix": {"jaw": 0.2, "wide": 0.6},
    "w_uw": {"pucker": 0.9, "jaw": 0.1},
    "ow_": {"pucker": 0.6, "jaw": 0.35},
    "aw_": {"jaw": 0.6, "funnel": 0.3},
    "oy_": {"jaw": 0.4, "funnel": 0.5},
    "ay_": {"jaw": 0.5, "wide": 0.2},
    "h_": {"jaw": 0.3},
    "r_": {"jaw": 0.2, "funnel": 0.5},
    "l_": {"jaw": 0.3},
    "s_z": {"jaw": 0.08, "lip_up": 0.3, "lip_down": 0.4, "wide": 0.3},
    "sh_ch_jh": {"jaw": 0.1, "funnel": 0.7},
    "th_dh": {"jaw": 0.2},
    "f_v": {"jaw": 0.1, "lip_up": 0.3},
    "d_t_n": {"jaw": 0.2},
    "k_g_ng": {"jaw": 0.25},
    "p_b_m": {"press": 0.5},
    "uncompressed": {"brow_up": 0.5, "jaw": 0.5, "lid_up": 0.25},
    "compressed": {"brow_down": 0.7, "lid_up": -0.7, "squint": 0.7, "press": 0.7, "sneer": 0.4},
    "happy": {"smile": 1.0, "squint": 0.5, "jaw": 0.14, "lip_up": 0.35, "cheek": 0.5},
    "angry": {"brow_down": 1.0, "brow_in": 0.8, "squint": 0.3, "press": 0.6, "sneer": 0.3},
    "sad": {"brow_sad": 1.0, "frown": 0.8, "lid_up": -0.2, "chin": 0.4},
    "disgusted": {"sneer": 1.0, "brow_down": 0.5, "lip_up": 0.5, "squint": 0.5},
    "scared": {"brow_up": 0.8, "brow_sad": 0.6, "lid_up": 0.35, "jaw": 0.3, "wide": 0.4},
    "circumspect": {"brow_down": 0.4, "squint": 0.4, "press": 0.3},
    "revulsion": {"sneer": 1.0, "jaw": 0.3, "brow_down": 0.6, "squint": 0.6},
    "thinking": {"brow_in": 0.5, "press": 0.4, "wide": -0.3},
    "oops": {"brow_up": 0.6, "wide": 0.7, "lip_down": 0.5, "jaw": 0.1},
    "see_a_spider": {"brow_up": 0.9, "lid_up": 0.4, "jaw": 0.6, "wide": 0.3},
}


def actions(expression: Expression) -> dict[str, tuple[float, float]]:
    """Action -> (left, right) strengths of an expression at its intensity; unknown names do nothing."""
    name, gain = expression.name, expression.intensity
    sides = (0.0 if name.endswith("_right") else gain, 0.0 if name.endswith("_left") else gain)
    words = [w for w in WORDS if name.startswith(w)] or [w for w in WORDS if len(w) > 3 and w in name]
    if not words:
        return {}
    chosen = WORDS[max(words, key=len)]
    return {action: (value * sides[0], value * sides[1]) for action, value in chosen.items()}


def displace(p: Array, side: Array, acts: dict[str, tuple[float, float]]) -> Array:
    """Displacement (N, 3) of neutral points; `side` is +1 above the mouth, -1 below, 0 unknown."""
    import numpy as np

    p = np.asarray(p, float)
    x, y, z = p.T
    q = np.abs(x)
    sign = np.tanh(x / 5.0)
    left = step(x, -8, 8)
    front = step(z, -12, 10)
    dx, dy, dz = np.zeros_like(p).T

    def strength(name: str) -> Array:
        a, b = acts.get(name, (0.0, 0.0))
        return a * left + b * (1 - left)

    line = mouth_line(x)
    brow = bump(y, 20, 13) * bump(q, 30, 26) * front
    above = step(y, 9, 16)
    dy += strength("brow_up") * 5.5 * bump(y, 24, 17) * above * front * bump(q, 28, 34)
    dy += strength("brow_down") * -4.0 * brow * above * bump(q, 18, 22)
    dx += strength("brow_in") * -2.6 * sign * bump(q, 16, 9) * bump(y, 17, 12) * front
    dz += strength("brow_down") * 1.0 * bump(y, 14, 9) * bump(q, 20, 16) * front
    dy += (
        strength("brow_sad")
        * (5.0 * bump(q, 13, 10) - 2.0 * bump(q, 44, 12))
        * bump(y, 19, 13)
        * above
        * front
    )
    lower_lid = bump(q, 31, 16) * bump(y, -8, 7) * step(y, 0, -3) * step(z, 5, 15)
    dy += strength("squint") * 2.2 * lower_lid
    cheek = bump(q, 36, 16) * bump(y, -26, 15) * front
    rise = strength("smile") + strength("cheek") * 0.5 + strength("squint") * 0.3
    dy += rise * 3.6 * cheek
    dz += rise * 2.6 * cheek
    corner = bump(q, 27, 15) * bump(y, -67, 17) * front
    dx += strength("smile") * 6.5 * sign * corner
    dy += strength("smile") * 6.0 * corner * step(q, 4, 24)
    dz += strength("smile") * -3.0 * corner
    crease = 18.0 + (-40.0 - y) * 0.5
    dz += strength("smile") * -1.3 * bump(q, crease + 1, 3.5) * step(y, -72, -60) * step(y, -36, -46) * front
    dy += strength("frown") * -5.0 * corner * step(q, 6, 24)
    dx += strength("wide") * 5.0 * sign * corner
    lips = bump(y, -68, 15) * bump(q, 0, 32) * front
    dx += strength("pucker") * -0.42 * x * lips
    dz += strength("pucker") * 5.0 * lips * bump(q, 0, 20)
    dz += strength("funnel") * 4.0 * lips * bump(q, 0, 22)
    dx += strength("funnel") * -0.2 * x * lips
    top = np.where((side > 0) | ((side == 0) & (y > line)), 1.0, 0.0)
    upper = bump(y - line, 2, 11) * bump(q, 0, 22) * front * top
    lower = bump(y - line, -2, 12) * bump(q, 0, 22) * front * (1 - top)
    dy += strength("lip_up") * 5.0 * upper
    dy += strength("lip_down") * -5.5 * lower
    dz += strength("press") * -2.6 * bump(y - line, 0, 7) * bump(q, 0, 24) * front
    dy += strength("press") * -0.35 * (y - line) * bump(y - line, 0, 9) * bump(q, 0, 26) * front
    wing = bump(q, 13, 8) * bump(y, -41, 9) * step(z, 32, 42)
    dy += strength("sneer") * 3.0 * (wing + 0.6 * bump(q, 14, 9) * bump(y, -55, 10) * front)
    dx += strength("flare") * 1.8 * sign * wing
    soft = bump(q, 42, 20) * bump(y, -58, 20) * step(z, -40, -10)
    dx += strength("puff") * 8.0 * sign * soft
    dz += strength("puff") * 4.0 * soft
    dy += strength("chin") * 3.0 * bump(y, -96, 12) * bump(q, 0, 20) * front
    moved = p + np.stack([dx, dy, dz], -1)
    return _jaw(p, moved, line, top, acts) - p


def _jaw(p: Array, moved: Array, line: Array, top: Array, acts: dict[str, tuple[float, float]]) -> Array:
    """Turn the lower jaw about its hinge; the lips part exactly at the slit."""
    import numpy as np

    opened = sum(acts.get("jaw", (0.0, 0.0))) / 2
    out = sum(acts.get("jaw_out", (0.0, 0.0))) / 2
    if not opened and not out:
        return moved
    x, y, z = p.T
    beyond = step(np.abs(x), 7, 32)
    soft = step(y - line, 16, -22)
    weight = ((1 - beyond) * (1 - top) + beyond * soft) * step(z, -55, -15) * step(y, -160, -112)
    angle = -np.radians(JAW_DEGREES) * opened * weight
    dy, dz = moved[:, 1] - JAW_AXIS[0], moved[:, 2] - JAW_AXIS[1]
    turned = moved.copy()
    turned[:, 1] = JAW_AXIS[0] + dy * np.cos(angle) + dz * np.sin(angle)
    turned[:, 2] = JAW_AXIS[1] - dy * np.sin(angle) + dz * np.cos(angle) + 4.0 * out * weight
    turned[:, 0] = moved[:, 0] * (1 - 0.10 * opened * weight * bump(y, -68, 20))
    return turned
