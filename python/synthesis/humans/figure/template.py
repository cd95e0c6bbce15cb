"""The head's template: one fixed grid of vertices laid over the sculpture, with slits for eyes and mouth.

Rays leave a centre behind the eyes through every node of a grid (rows from crown to neck, columns around)
and stop at the skin. Eyes and mouth are slits of the grid: the row is doubled between the corners, so
lids and lips are real edges that open. The topology is the same for every identity: vertex numbers name
places of the face. Millimetres in the head's frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from synthesis.humans.figure import sculpture
from synthesis.humans.figure.implicit import bump, step

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

CENTRE_Z = -20.0
DROP = 46.0  # how far the rays' centre sinks towards the neck, so that the chin is seen from behind
SIDE, FRONT, BACK = 70.0, 68.0, 110.0
EYE_ROW, MOUTH_ROW = -5.5, -67.5
EYE_X = (19.8, 50.5)  # inner and outer corner in guide coordinates
MOUTH_X = 29.5


@dataclass(frozen=True, kw_only=True)
class Template:
    """The neutral head.

    Attributes:
        shut, open: (N, 3) vertices with lids closed and with lids at rest.
        guide: (N, 2) place in the plane the face is unrolled to: x to the left, y up.
        faces: (M, 3) triangles, counter-clockwise from outside.
        side: (N,) +1 above a slit's edge (upper lid, upper lip), -1 below, 0 elsewhere.
        lip: (N,) +1 at and above the row of the mouth, -1 below it.
        rings: vertex numbers of slit edges: `left_eye`, `right_eye`, `mouth` -> (upper, lower).
    """

    shut: Array
    open: Array
    guide: Array
    faces: Array
    side: Array
    lip: Array
    rings: dict[str, tuple[Array, Array]]


def _spread(density: Array, where: Array, count: int) -> Array:
    """`count` values whose spacing follows 1 / density, both ends kept."""
    import numpy as np

    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) * np.diff(where) / 2)])
    return np.interp(np.linspace(0, total[-1], count), total, where)


def _columns() -> Array:
    """Angles around the head, -pi at the back, 0 at the nose; symmetric, odd in number."""
    import numpy as np

    a = np.linspace(0, np.pi, 4000)
    half = _spread(0.2 + 1.0 / (1 + (a / 0.95) ** 8), a, 146)
    return np.concatenate([-half[:0:-1], half])


def _rows() -> Array:
    """Guide heights from crown to neck; the slit rows are among them."""
    import numpy as np

    e = np.linspace(np.radians(88.5), np.radians(-84.5), 8000)
    y = SIDE * np.tan(e)
    density = (
        0.30 + 1.0 * bump(y, -36, 52) + 1.1 * bump(y, -1, 9) + 0.9 * bump(y, -68, 11) + 0.5 * bump(y, -46, 10)
    )
    density[y < -120] = 0.40
    rows = np.interp(_spread(density, np.arange(8000.0), 270), np.arange(8000.0), y)
    for level in (EYE_ROW, MOUTH_ROW):
        rows[np.abs(rows - level).argmin()] = level
    return rows


def lid_opening(x: Array) -> tuple[Array, Array]:
    """Heights of the upper and lower lid's edge above the slit at guide place `x` (eye at rest)."""
    import numpy as np

    t = np.clip((np.abs(x) - EYE_X[0]) / (EYE_X[1] - EYE_X[0]), 0.0, 1.0)
    s = np.clip(4 * t * (1 - t), 0, 1)
    upper = 9.9 * s**0.58 * (1.06 - 0.14 * t)
    lower = -2.6 * s**0.8 * (0.82 + 0.36 * t)
    return upper, lower


def _guide(columns: Array, rows: Array, opened: bool) -> tuple[Array, Array, Array]:
    """Guide places of all nodes; the lower copy differs from the upper one only at the slits."""
    import numpy as np

    x = np.broadcast_to(SIDE * np.sin(columns), (len(rows), len(columns))).copy()
    x[:, np.abs(columns) > np.pi / 2] = np.sign(columns[np.abs(columns) > np.pi / 2]) * 200.0
    y = np.broadcast_to(rows[:, None], x.shape).copy()
    lift = -0.0095 * np.minimum(np.abs(x), 36.0) ** 2 * bump(y, MOUTH_ROW, 26.0)
    upper, lower = lid_opening(x)
    low = y.copy()
    if opened:
        reach_up, reach_down = 17.0, 14.0
        above, below = y - EYE_ROW, EYE_ROW - y
        y = np.where(above >= 0, y + upper * np.clip(1 - above / reach_up, 0, 1) ** 1.3, y)
        low = np.where(below >= 0, low + lower * np.clip(1 - below / reach_down, 0, 1) ** 1.3, y)
        y = np.where(below > 0, low, y)
    return x, y + lift, low + lift


def _project(columns: Array, y: Array) -> Array:
    """Points where the rays through guide heights `y` (R, C) leave the sculpture; both halves are alike."""
    import numpy as np

    middle = len(columns) // 2
    left = _project_half(columns[middle:], y[:, middle:])
    right = left[:, :0:-1] * [-1, 1, 1]
    return np.concatenate([right, left], axis=1)


def _project_half(columns: Array, y: Array) -> Array:
    import numpy as np

    depth = np.where(np.abs(columns) < np.pi / 2, FRONT, BACK)
    lean = -0.2 * np.maximum(-y - 100.0, 0.0)  # the neck slants backwards
    sunk = -DROP * step(y, -15.0, -95.0)
    ray = np.stack(np.broadcast_arrays(SIDE * np.sin(columns), y - sunk, depth * np.cos(columns) + lean), -1)
    ray = (ray / np.linalg.norm(ray, axis=-1, keepdims=True)).reshape(-1, 3).astype(np.float32)
    centre = np.stack(np.broadcast_arrays(0.0, sunk, CENTRE_Z), -1).reshape(-1, 3).astype(np.float32)
    t = np.full(len(ray), 150.0, np.float32)
    steep = ray[:, 1] < -0.7
    t[steep] = 262.0
    live = np.arange(len(ray))
    for _ in range(90):
        d = sculpture.head(centre[live] + t[live, None] * ray[live])
        t[live] = np.maximum(t[live] - 0.7 * d, 20.0)
        live = live[np.abs(d) > 0.01]
        if not len(live):
            break
    return (centre + t[:, None] * ray).reshape(*y.shape, 3).astype(np.float64)


@lru_cache(maxsize=1)
def template() -> Template:
    """The neutral head; built once per process in about a second."""
    import numpy as np

    columns, rows = _columns(), _rows()
    x, y_shut, _ = _guide(columns, rows, opened=False)
    _, y_open, low_open = _guide(columns, rows, opened=True)
    shut = _project(columns, y_shut)
    opened, moved = shut.copy(), (y_open != y_shut).any(1)
    opened[moved] = _project(columns, y_open[moved])
    slit_rows = {
        name: int(np.abs(rows - at).argmin()) for name, at in (("eye", EYE_ROW), ("mouth", MOUTH_ROW))
    }
    low_row = _project(columns, low_open[[slit_rows["eye"]]])[0]

    height, width = x.shape
    number = np.arange(height * width).reshape(height, width)
    below = number.copy()  # what the quads under a row use
    front = np.abs(columns) < np.pi / 2
    spans = {
        "left_eye": ("eye", front & (x[0] > EYE_X[0]) & (x[0] < EYE_X[1])),
        "right_eye": ("eye", front & (-x[0] > EYE_X[0]) & (-x[0] < EYE_X[1])),
        "mouth": ("mouth", front & (np.abs(x[0]) < MOUTH_X)),
    }
    shut_list, open_list = [shut.reshape(-1, 3)], [opened.reshape(-1, 3)]
    guide_list = [np.stack([x, y_shut], -1).reshape(-1, 2)]
    side = [np.zeros(height * width)]
    lip = np.where(np.arange(height) <= slit_rows["mouth"], 1.0, -1.0).repeat(width)
    rings: dict[str, tuple[Array, Array]] = {}
    count = height * width
    for name, (row_name, inside) in spans.items():
        row = slit_rows[row_name]
        js = np.flatnonzero(inside)
        fresh = count + np.arange(len(js))
        count += len(js)
        below[row, js] = fresh
        shut_list.append(shut[row, js])
        open_list.append(low_row[js] if row_name == "eye" else opened[row, js])
        guide_list.append(np.stack([x[row, js], y_shut[row, js]], -1))
        side[0][number[row, js]] = 1.0
        side.append(np.full(len(js), -1.0))
        ends = [number[row, js[0] - 1]], [number[row, js[-1] + 1]]
        rings[name] = (
            np.concatenate([ends[0], number[row, js], ends[1]]),
            np.concatenate([ends[0], fresh, ends[1]]),
        )
    a, b = below[:-1, :-1], below[:-1, 1:]
    c, d = number[1:, :-1], number[1:, 1:]
    quads = np.stack([a, c, d, b], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Template(
        shut=np.concatenate(shut_list),
        open=np.concatenate(open_list),
        guide=np.concatenate(guide_list),
        faces=faces,
        side=np.concatenate(side),
        lip=np.concatenate([lip, *(np.abs(side[k]) for k in (1, 2)), side[3]]),
        rings=rings,
    )
