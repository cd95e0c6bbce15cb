"""The skin of head and neck: template, expression, identity, lids on their eyeballs, closed slits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.humans.figure import actions, skin
from synthesis.humans.figure.implicit import step
from synthesis.humans.figure.sculpture import EYE, EYE_RADIUS, LID
from synthesis.humans.figure.template import EYE_ROW, EYE_X, Template, template

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.figure.shape import Shape
    from synthesis.humans.scene import Scene

    Array = np.ndarray


@dataclass(frozen=True)
class Head:
    """Skin in millimetres of the head's frame, before the head turns.

    Attributes:
        vertices: (N, 3); the first `len(template.shut)` are the template's, then the slits' insides.
        neutral: (N, 3) the same vertices on the neutral head.
        faces: (M, 3); labels: (M,) indexes into `skin.REGIONS`; colours: (N, 3).
        eyes: centres of the eyeballs, `left` and `right`.
    """

    template: Template
    vertices: Array
    neutral: Array
    faces: Array
    labels: Array
    colours: Array
    eyes: dict[str, Array]
    acts: dict[str, tuple[float, float]]


def build(scene: Scene, form: Shape) -> Head:
    """The skin of a scene's head."""
    import numpy as np

    base = template()
    acts = actions.actions(scene.facial.expression)
    eyes = {"left": form.apply(np.array([EYE]))[0], "right": form.apply(np.array([EYE]) * [-1, 1, 1])[0]}
    neutral = _lids(base, acts, scene.facial.gaze.vertical_angle)
    moved = neutral + actions.displace(neutral, base.lip, acts)
    vertices = form.apply(moved)
    _seat(base, vertices, eyes, form.scale)
    colours = skin.paint(base.shut, scene.identity)
    labels = skin.regions(base, base.faces)
    return _close(base, vertices, colours, labels, eyes, form.scale, acts)


def _lids(base: Template, acts: dict[str, tuple[float, float]], vertical: float) -> Array:
    """Template vertices with lids as far open as expression and gaze want them."""
    import numpy as np

    left = base.guide[:, 0] > 0
    lift = np.where(left, *acts.get("lid_up", (0.0, 0.0)))
    squint = np.where(left, *acts.get("squint", (0.0, 0.0)))
    shutting, widening = 1 + np.minimum(lift, 0), np.maximum(lift, 0)
    upper = np.clip((1 + 0.017 * vertical - 0.12 * squint) * shutting + widening, 0.0, 1.4)
    lower = np.clip((1 - 0.03 * vertical - 0.3 * squint) * shutting, 0.0, 2.2)
    y = base.guide[:, 1]
    is_upper = np.where(base.side == 0, y > EYE_ROW, base.side > 0)
    amount = np.where(is_upper, upper, lower)
    eye_zone = (np.abs(y - EYE_ROW) < 40)[:, None]
    return np.where(eye_zone, base.shut + amount[:, None] * (base.open - base.shut), base.shut)


def _seat(base: Template, vertices: Array, eyes: dict[str, Array], scale: float) -> None:
    """Lay the lids on the eyeballs: never inside, and touching along the edge."""
    import numpy as np

    radius = (EYE_RADIUS + LID) * scale
    for side, sign in (("left", 1), ("right", -1)):
        x = np.abs(base.guide[:, 0] - 0)
        near = (np.sign(base.guide[:, 0]) == sign) & (np.abs(base.guide[:, 1] - EYE_ROW) < 26)
        near &= (x > EYE_X[0] - 6) & (x < EYE_X[1] + 8)
        index = np.flatnonzero(near)
        offset = vertices[index] - eyes[side]
        distance = np.linalg.norm(offset, axis=1)
        seated = np.maximum(distance, radius)
        t = (x[index] - EYE_X[0]) / (EYE_X[1] - EYE_X[0])
        inside = step(t, 0.10, 0.3) * step(t, 1.02, 0.86)
        edge = np.isin(index, np.concatenate(base.rings[f"{side}_eye"]))
        hold = np.where(edge, inside, 0.0)
        seated = seated + hold * (radius * 0.985 - seated)
        vertices[index] = eyes[side] + offset * (seated / distance)[:, None]


def _close(
    base: Template, vertices: Array, colours: Array, labels: Array, eyes: dict[str, Array], scale: float,
    acts: dict[str, tuple[float, float]],
) -> Head:  # fmt: skip
    """Give lids their thickness and the mouth its inside."""
    import numpy as np

    points, tints, cells, names = [vertices], [colours], [base.faces], [labels]
    neutral = [base.shut]
    count = len(vertices)
    bag = skin.REGIONS.index("mouthbag")

    def extrude(ring: Array, layers: list[Array], tint: Array, label: int, flip: bool) -> None:
        nonlocal count
        before = ring
        for layer in layers:
            fresh = count + np.arange(len(layer))
            count += len(layer)
            a, b, c, d = before[:-1], before[1:], fresh[1:], fresh[:-1]
            quad = np.stack([a, b, c, d] if flip else [a, d, c, b], -1)
            cells.append(np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]))
            names.append(np.full(2 * len(quad), label))
            points.append(layer)
            neutral.append(base.shut[ring])
            tints.append(np.broadcast_to(tint, (len(layer), 3)) * np.ones((len(layer), 1)))
            before = fresh

    for side in ("left", "right"):
        label = skin.REGIONS.index(f"eyelid_{side}")
        for ring, upper in zip(base.rings[f"{side}_eye"], (True, False), strict=True):
            edge = vertices[ring]
            out = edge - eyes[side]
            size = np.linalg.norm(out, axis=1, keepdims=True)
            middle = edge.mean(0)
            layers = []
            for depth in (0.45, 1.0, 2.2):
                goal = EYE_RADIUS * scale * (1.004 if depth <= 1 else 0.93)
                layer = eyes[side] + out / size * (size + (goal - size) * min(depth, 1.0))
                layers.append(layer + (middle - layer) * (0.02 * min(depth, 1.0)))
            wet = colours[ring].mean(0) * np.array([1.0, 0.84, 0.80])
            extrude(ring, layers, wet, label, flip=upper)
    opened = np.clip(sum(acts.get("jaw", (0, 0))) / 2, 0, 1)
    for ring, upper in zip(base.rings["mouth"], (True, False), strict=True):
        edge = vertices[ring]
        x = edge[:, :1]
        away = 1.0 if upper else -1.0
        fade = np.clip(1 - (x / 27) ** 2, 0, 1)
        layers = []
        for back, rise in ((1.5, -0.25), (5.0, 0.6), (9.0, 3.0 + 5 * opened), (26.0, 6.0 + 8 * opened)):
            layers.append(
                edge + np.concatenate([-0.02 * back * x, away * rise * fade, -back * (0.4 + 0.6 * fade)], 1)
            )
        dark = np.array([0.16, 0.045, 0.04])
        extrude(ring, layers, dark, bag, flip=upper)
    return Head(
        template=base,
        vertices=np.concatenate(points),
        neutral=np.concatenate(neutral),
        faces=np.concatenate(cells),
        labels=np.concatenate(names),
        colours=np.concatenate(tints),
        eyes=eyes,
        acts=acts,
    )
