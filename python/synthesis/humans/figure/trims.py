"""What is sewn to a neckline: ribs, collars, stands, hoods and straps, as lofted bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.surface_nets import gradient

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from synthesis.humans.figure.body import Body
    from synthesis.humans.figure.cuts import Cut

    Array = np.ndarray
    Field = Callable[[Array], Array]


def _rim(cut: Cut, field: Field, angles: Array) -> Array:
    """The neckline: where the hole's ellipsoid meets the garment, per angle around the neck (0 front)."""
    import numpy as np

    rx, ry, rz, height = cut.neck
    rise = np.concatenate([np.linspace(90, 1, 60), np.zeros(60)])
    tilt = np.concatenate([np.zeros(60), np.linspace(0, 1.4, 60)])
    ct = np.cos(tilt) * np.ones((len(angles), 1))
    ring = np.stack(
        [
            rx * np.sin(angles)[:, None] * ct,
            (rise - ry * np.sin(tilt)) * np.ones_like(ct),
            rz * np.cos(angles)[:, None] * ct,
        ],
        -1,
    ) + np.array([0, height, -82.0])
    value = field(ring.reshape(-1, 3)).reshape(len(angles), -1)
    first = np.argmax(value < 0, axis=1)
    return ring[np.arange(len(angles)), first]


def trims(cut: Cut, form: Body, field: Field) -> list[tuple[Array, Array]]:
    """Vertices and faces of each piece at the neck of a garment whose cloth is `field` = 0."""
    import numpy as np

    n = 120
    angles = np.linspace(-np.pi, np.pi, n)
    if cut.trim == "strap":
        return [_strap(form, s, field) for s in (1, -1)]
    rim = _smooth(_rim(cut, field, angles))
    out = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], -1)
    if cut.trim == "rib":
        rows = [rim + 2 * out + [0, -3.0, 0], rim + 3.2 * out + [0, 1, 0], rim + 1.0 * out + [0, 5.0, 0],
                rim - 4.0 * out + [0, 9.5, 0], rim - 7.5 * out + [0, 9.0, 0], rim - 8 * out + [0, 4.0,
                0]]  # fmt: skip
        return [loft(rows)]
    if cut.trim in ("collar", "lapel"):
        return [_collar(rim, angles, out, cut.trim == "lapel")]
    if cut.trim == "stand":
        lift = 44.0 + 8 * np.cos(angles)[:, None] ** 2
        gap = (np.abs(angles) > 0.10)[:, None]
        up = np.array([0, 1.0, 0])
        rows = [rim, rim + 5 * out + 0.3 * lift * up, rim + 2 * out + 0.7 * lift * up,
        rim - 3 * out + lift * up,
                rim - 9 * out + lift * 0.97 * up, rim - 12 * out + 0.4 * lift * up]  # fmt: skip
        return [loft([r[gap[:, 0]] for r in rows], open_ring=True)]
    if cut.trim == "hood":
        return [_hood(rim, angles, out)]
    return []


def _collar(rim: Array, angles: Array, out: Array, flat: bool) -> tuple[Array, Array]:
    """A stand with a leaf folded over it; points at the front."""
    import numpy as np

    open_ = np.abs(angles) > (0.09 if not flat else 0.5)
    r, o, a = rim[open_], out[open_], np.abs(angles[open_])[:, None]
    up = np.array([0, 1.0, 0])
    front = np.exp(-((a / 0.55) ** 2))
    stand = 30.0 - 12 * front
    top = r + stand * up - o * (4 + 5 * front)
    point = np.exp(-(((a - 0.16) / 0.30) ** 2))
    drop = 34.0 + 34 * point
    rows = [r - 5 * o, r - 3 * o + 0.5 * stand * up, top, top + 3.0 * o + 2.0 * up, top + 6.5 * o - 2 * up]
    for share in (0.3, 0.55, 0.8, 1.0):
        out_by = 6.5 + 11.0 * share + 9 * share * point
        rows += [top + out_by * o - drop * share * up + 2 * share * point * np.array([0, 0, 4.0])]
    return loft(rows, open_ring=True)


def _hood(rim: Array, angles: Array, out: Array) -> tuple[Array, Array]:
    """A hood lying on the back: a thick roll that is high behind and thins to the front."""
    import numpy as np

    back = (0.5 - 0.5 * np.cos(angles))[:, None] ** 1.1
    up = np.array([0, 1.0, 0])
    size = 9 + 26 * back
    centre = rim + out * (4 + 16 * back) + up * (8 + 16 * back)
    turns = np.linspace(-2.2, 3.6, 16)
    return loft([centre + size * (np.cos(t) * out + np.sin(t) * 1.15 * up) for t in turns])


def _strap(form: Body, sign: int, field: Field) -> tuple[Array, Array]:
    import numpy as np

    t = np.linspace(-0.15, 1.15, 40)
    angle = t * np.pi
    path = np.stack(
        [
            np.full(40, 82.0 * form.wide),
            -250 - 130 * np.abs(np.cos(angle)) ** 1.3 * 0 - 0 * t,
            -100 + 130 * np.cos(angle),
        ],
        -1,
    )
    path[:, 1] = -330 + 150 * np.sin(np.clip(angle, 0, np.pi))
    for _ in range(6):
        v, slope = gradient(field, path, 2.0)
        path -= (v - 1.0)[:, None] * slope / np.maximum((slope * slope).sum(1, keepdims=True), 0.3)
    path[:, 0] *= sign
    side = np.array([6.0, 0, 0])
    rows = [path - side, path - side * 0.6 + [0, 1.5, 0], path + side * 0.6 + [0, 1.5, 0], path + side]
    vertices, faces = loft(rows, open_ring=True)
    return vertices, np.concatenate([faces, faces[:, ::-1]])


def _smooth(curve: Array, rounds: int = 6) -> Array:
    import numpy as np

    for _ in range(rounds):
        curve = 0.5 * curve + 0.25 * (np.roll(curve, 1, 0) + np.roll(curve, -1, 0))
    return curve


def loft(rows: list[Array], open_ring: bool = False) -> tuple[Array, Array]:
    """Faces between successive curves of equal length."""
    import numpy as np

    grid = np.stack(rows)
    count, width = grid.shape[:2]
    i, j = np.meshgrid(np.arange(count - 1), np.arange(width - 1 if open_ring else width), indexing="ij")
    k = (j + 1) % width
    quad = np.stack([i * width + j, i * width + k, (i + 1) * width + k, (i + 1) * width + j], -1).reshape(
        -1, 4
    )
    return grid.reshape(-1, 3), np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
