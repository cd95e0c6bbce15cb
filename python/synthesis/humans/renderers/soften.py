"""Less noise, and light that has wandered under the skin: filters over shading, not over colour.

On skin and cloth the light (colour over albedo) is smoothed by an edge-avoiding wavelet (Dammertz et al.
2010) whose weights come from noise-free normals and positions. On skin the wider steps take more of red
than of green and blue: the look of light scattered below the surface (d'Eon & Luebke 2007). Hair and eyes
keep their detail: only the narrowest steps touch them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.renderers.labelled import Seen

    Array = np.ndarray

KINDS = {"skin": 1, "cloth": 2, "hair": 3, "eye": 4, "gloss": 5, "white": 6}
"""Kinds of surfaces, and the white of the eye: light of unlike kinds does not mix."""
STEPS = (1, 2, 4, 8)
SCATTER = (0.0032, 0.0014, 0.0009)  # metres that red, green and blue light wander
NOISE = (0.95, 0.8, 0.45, 0.15)  # how much of each step is taken against noise alone
TAPS = tuple((i, j, (2 - abs(i)) * (2 - abs(j)) / 4) for i in (-1, 0, 1) for j in (-1, 0, 1))


def soften(colour: Array, seen: Seen, kinds: Array) -> Array:
    """Filtered colour (H, W, 3); `kinds` (S, H, W) is what each sub-pixel sees."""
    import numpy as np

    kind = kinds[seen.centre]
    whole = np.asarray((kinds > 0).all(0))
    if not whole.any():
        return colour
    rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    kind, whole = np.where(whole, kind, 0)[box], whole[box]
    albedo = np.clip(seen.albedo[(slice(None), *box)].mean(0), 0.02, 1.0)
    light = (colour[box] / albedo).astype(np.float32)
    position, normal = seen.position[(seen.centre, *box)].copy(), seen.normal[(seen.centre, *box)].copy()
    tone = albedo.mean(-1)
    bare, thin = _thin_hair(kinds[(slice(None), *box)])
    kind[thin] = KINDS["skin"]
    share = (bare / np.maximum(bare.sum(0), 1))[:, thin].astype(np.float32)
    for plane, values in ((position, seen.position), (normal, seen.normal)):
        plane[thin] = np.einsum("sn,snk->nk", share, values[(slice(None), *box)][:, thin])
    tone[thin] = np.einsum("sn,snk->n", share, seen.albedo[(slice(None), *box)][:, thin]) / 3
    pixel = _pixel(position, kind == KINDS["skin"])
    skin = (kind == KINDS["skin"])[..., None]
    flat = np.isin(kind, [KINDS[k] for k in ("skin", "cloth", "white")])[..., None]
    for step, noise in zip(STEPS, NOISE, strict=True):
        smooth = _blur(light, tone, kind, position, normal, step, pixel)
        share = np.array([1 - np.exp(-((r / (step * pixel)) ** 2)) for r in SCATTER], np.float32)
        amount = np.where(
            flat, np.maximum(np.where(skin, share, 0.0), noise), 0.55 * (step == 1) + 0.2 * (step == 2)
        )
        light += amount.astype(np.float32) * (smooth - light)
    out = colour.copy()
    out[box] = np.where(whole[..., None], light * albedo, colour[box])
    return out


def _thin_hair(kinds: Array) -> tuple[Array, Array]:
    """Sub-pixels of bare skin, and pixels of skin under a few hairs: its light, dimmed by hair."""
    bare = kinds == KINDS["skin"]
    return bare, (kinds == KINDS["hair"]).any(0) & (bare.mean(0) > 0.3)


def _pixel(position: Array, where: Array) -> float:
    """Width of a pixel on the person, metres: the median distance of neighbours."""
    import numpy as np

    both = where[:, 1:] & where[:, :-1]
    if not both.any():
        return 1e-3
    step = np.linalg.norm(position[:, 1:] - position[:, :-1], axis=-1)[both]
    return float(max(np.median(step), 1e-5))


def _blur(
    light: Array, tone: Array, kind: Array, position: Array, normal: Array, step: int, pixel: float
) -> Array:
    """One level: 3 x 3 taps `step` pixels apart; surfaces of unlike brightness `tone` do not mix."""
    import numpy as np

    height, width = kind.shape
    # The pixel itself counts in full, whatever its normal: means of normals are short at folds.
    total, weights = light * TAPS[4][2], np.full((height, width, 1), TAPS[4][2], np.float32)
    reach = 1 / (2 * (2.2 * step * pixel) ** 2)
    for i, j, share in TAPS[:4] + TAPS[5:]:
        rows, columns = _overlap(i * step, height), _overlap(j * step, width)
        if rows is None or columns is None:
            continue
        here, there = (rows[0], columns[0]), (rows[1], columns[1])
        hair = (kind[here] == KINDS["hair"]).astype(np.float32)
        gap = position[here] - position[there]
        close = np.exp(-reach * (1 - 0.95 * hair) * np.einsum("...i,...i", gap, gap))
        facing = hair + (1 - hair) * np.clip(np.einsum("...i,...i", normal[here], normal[there]), 0, 1) ** 12
        alike = np.minimum(tone[here], tone[there]) / np.maximum(tone[here], tone[there])
        weight = (share * close * facing * alike**3 * (kind[here] == kind[there]))[..., None].astype(
            np.float32
        )
        total[here] += weight * light[there]
        weights[here] += weight
    return total / np.maximum(weights, 1e-6)


def _overlap(shift: int, size: int) -> tuple[slice, slice] | None:
    """Where an axis and its copy moved by `shift` overlap."""
    if abs(shift) >= size:
        return None
    return slice(max(0, -shift), size - max(0, shift)), slice(max(0, shift), size + min(0, shift))
