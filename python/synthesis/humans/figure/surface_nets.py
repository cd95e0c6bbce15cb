"""Triangles from an implicit surface: naive surface nets (Gibson 1998) over a regular grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Array = np.ndarray
    Point = tuple[float, float, float]


STRIDE = 3
NEAR = 4.0  # cells; a node is at most 1.8 from the coarse node that speaks for it


def surface_nets(
    field: Callable[[Array], Array], low: Point, high: Point, cell: float
) -> tuple[Array, Array]:
    """Vertices (N, 3) and faces (M, 3), wound outwards, of `field` = 0 inside the box `low`..`high`.

    `field` takes (K, 3) float32 points and is negative inside. Vertices are pulled onto the surface.
    """
    import numpy as np

    origin = np.asarray(low, float)
    size = np.ceil((np.asarray(high, float) - origin) / cell).astype(int) + 1
    value = _sampled(field, origin, size, cell)
    inside = np.less(value, 0.0)
    corners = [inside[i : i + size[0] - 1, j : j + size[1] - 1, k : k + size[2] - 1]
               for i in (0, 1) for j in (0, 1) for k in (0, 1)]  # fmt: skip
    filled = sum(c.astype(np.int8) for c in corners)
    active = np.logical_and(filled > 0, filled < 8)
    number = np.full(active.shape, -1)
    cells = np.argwhere(active)
    number[tuple(cells.T)] = np.arange(len(cells))
    total, hits = np.zeros((len(cells), 3)), np.zeros(len(cells))
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for du in (0, 1):
            for dv in (0, 1):
                start = cells.copy()
                start[:, u] += du
                start[:, v] += dv
                end = start.copy()
                end[:, axis] += 1
                a, b = value[tuple(start.T)], value[tuple(end.T)]
                crossed = (a < 0) != (b < 0)
                t = np.where(crossed, a / np.where(crossed, a - b, 1), 0)
                at = start.astype(float)
                at[:, axis] += t
                total += np.where(crossed[:, None], at, 0)
                hits += crossed
    vertices = origin + cell * total / hits[:, None]
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        first, last = [slice(None)] * 3, [slice(None)] * 3
        first[axis], last[axis] = slice(0, -1), slice(1, None)
        edges = np.argwhere(inside[tuple(first)] != inside[tuple(last)])
        shape = np.array(active.shape)
        edges = edges[
            (edges[:, u] > 0) & (edges[:, v] > 0) & (edges[:, u] < shape[u]) & (edges[:, v] < shape[v])
        ]
        outward = inside[tuple(edges.T)]
        ring = []
        for du, dv in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            c = edges.copy()
            c[:, u] += du
            c[:, v] += dv
            ring.append(number[tuple(c.T)])
        quad = np.stack(ring, -1)
        quad = np.where(outward[:, None], quad, quad[:, ::-1])
        faces += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    return _settle(field, vertices, cell), np.concatenate(faces)


def _sampled(field: Callable[[Array], Array], origin: Array, size: Array, cell: float) -> Array:
    """The field at the nodes of a grid: its own value near the surface, a neighbour's (of like sign) afar."""
    import numpy as np

    def at(nodes: Array) -> Array:
        return field((origin + cell * nodes).astype(np.float32))

    coarse = -(-(size - 1) // STRIDE) + 1
    nodes = np.stack(np.meshgrid(*map(np.arange, coarse), indexing="ij"), -1).reshape(-1, 3)
    rough = at(nodes * STRIDE).reshape(coarse)
    nearest = [(np.arange(n) + STRIDE // 2) // STRIDE for n in size]
    value = rough[np.ix_(*nearest)]
    near = np.argwhere(np.abs(value) < NEAR * cell)
    value[tuple(near.T)] = at(near)
    return value


def _settle(field: Callable[[Array], Array], vertices: Array, cell: float) -> Array:
    """Two Newton steps onto the surface."""
    import numpy as np

    for _ in range(2):
        value, slope = gradient(field, vertices, cell * 0.2)
        length = np.maximum((slope * slope).sum(1, keepdims=True), 0.25)
        vertices = vertices - np.clip(value[:, None] * slope / length, -cell / 2, cell / 2)
    return vertices


def gradient(field: Callable[[Array], Array], p: Array, h: float) -> tuple[Array, Array]:
    """Value (N,) and central-difference gradient (N, 3) of `field` at `p`."""
    import numpy as np

    p32 = p.astype(np.float32)
    columns = []
    for axis in range(3):
        step = np.zeros(3, np.float32)
        step[axis] = h
        columns.append((field(p32 + step) - field(p32 - step)) / (2 * h))
    return field(p32).astype(float), np.stack(columns, -1).astype(float)
