"""Where the figure stands and how its head is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.figure.implicit import step

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.scene import HeadTurn

    Array = np.ndarray

FACE_CENTRE = (0.0, 1.6, 0.065)  # world metres, before the head turns
PIVOT = (0.0, -88.0, -58.0)  # millimetres of the head's frame: the top of the neck


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Rz(roll) . Rx(-pitch) . Ry(yaw), degrees (`formats.md` §3.2)."""
    import numpy as np

    a, b, c = np.radians([yaw, -pitch, roll])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(rz @ rx @ ry)


class Pose:
    """Maps points of the head's frame (millimetres, unturned) to the world (metres)."""

    def __init__(self, turn: HeadTurn) -> None:
        import numpy as np

        self.turn = turn
        self.rotation = rotation(turn.yaw, turn.pitch, turn.roll)
        pivot = np.array(PIVOT) / 1000
        self.head2world = np.eye(4)
        self.head2world[:3, :3] = self.rotation
        self.head2world[:3, 3] = np.array(FACE_CENTRE) + pivot - self.rotation @ pivot

    def head(self, p: Array) -> Array:
        """Points that move with the skull, (..., 3)."""
        import numpy as np

        return np.asarray(p) / 1000 @ self.rotation.T + self.head2world[:3, 3]

    def body(self, p: Array) -> Array:
        """Points that do not move with the head."""
        import numpy as np

        return np.asarray(p) / 1000 + np.array(FACE_CENTRE)

    def skin(self, p: Array) -> Array:
        """Points (N, 3) of head and neck: the turn fades out along the neck."""
        import numpy as np

        p = np.asarray(p, float)
        height = p[:, 1] - 0.45 * (p[:, 2] + 30).clip(-60, 60)
        weight = step(height, -215, -92)
        out = self.head(p)
        flexible = np.flatnonzero(weight < 1)
        pivot = np.array(PIVOT)
        levels = np.linspace(0, 1, 33)
        turned = np.stack(
            [rotation(self.turn.yaw * w, self.turn.pitch * w, self.turn.roll * w) for w in levels]
        )
        at = weight[flexible] * 32
        low = np.minimum(at.astype(int), 31)
        mix = (at - low)[:, None, None]
        matrix = turned[low] * (1 - mix) + turned[low + 1] * mix
        local = np.einsum("nij,nj->ni", matrix, p[flexible] - pivot) + pivot
        out[flexible] = self.body(local)
        return out
