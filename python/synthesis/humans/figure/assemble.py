"""Put the figure together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans import catalogue
from synthesis.humans.figure import (
    actions,
    body,
    clothes,
    ears,
    eyes,
    face_hair,
    hair,
    hair_styles,
    head,
    landmarks,
    shape,
    skin,
    teeth,
)  # fmt: skip
from synthesis.humans.figure.implicit import step
from synthesis.humans.figure.model import Figure, Mesh, Strands, Surface, split, vertex_normals
from synthesis.humans.figure.pose import FACE_CENTRE, Pose
from synthesis.humans.figure.sculpture import EYE_RADIUS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from synthesis.humans.scene import Scene

    Array = np.ndarray

SKIN = Surface(kind="skin", roughness=0.42)


def build(scene: Scene, frame: int) -> Figure:  # noqa: ARG001 - frames differ when gestures move
    """The figure of one frame of a scene, in world metres; deterministic."""
    import numpy as np

    form = shape.shape(scene.identity)
    pose = Pose(scene.facial.head_turn)
    skull = head.build(scene, form)
    meshes = _skin(scene, skull, pose)
    rims = {}
    pupils, gaze = {}, {}
    looks = eyes.gaze_vectors(scene.facial.gaze.horizontal_angle, scene.facial.gaze.vertical_angle)
    for side, look in looks.items():
        iris = catalogue.get("iris_colors").facts[scene.facial.eyes.iris_color]
        ball = eyes.eyeball(
            side, skull.eyes[side], look, form.scale, (str(iris["color"]), int(iris["lightness"])),
            scene.facial.eyes.pupil_dilation, scene.facial.eyes.redness, scene.identity.id,
        )  # fmt: skip
        meshes += [_to_world(mesh, pose.head) for mesh in ball]
        centre = skull.eyes[side] + look * (EYE_RADIUS + 1.0) * form.scale
        pupils[side] = pose.head(centre)
        gaze[side] = pose.rotation @ look
        right = np.cross([0.0, 1.0, 0.0], look)
        right /= np.linalg.norm(right)
        up = np.cross(look, right)
        r = eyes.IRIS_RADIUS * form.scale
        rim = skull.eyes[side] + look * 10.9 * form.scale
        rims[side] = pose.head(
            np.stack([centre, rim + r * right, rim + r * up, rim - r * right, rim - r * up])
        )
    ear_meshes, ear_points = _ears(scene, form, pose)
    meshes += ear_meshes
    figure_body = body.body(scene.identity, scene.body.fat_content)
    meshes += _teeth(skull, form, pose)
    low = _lowest(scene, pose)
    if scene.body.enabled:
        meshes += _body(scene, figure_body, pose, low)
    garments = [_to_world(m, pose.body) for m in clothes.dress(scene.clothing, figure_body, low)]
    strands = _hairs(scene, skull, form, pose)
    world_skin = pose.skin(skull.vertices)
    everything = (*meshes, *garments)
    names = {m.segment for m in everything} | {s.segment for s in strands} | set(body.NAMES)
    worn = {
        str(catalogue.get("garments").facts.get(g, "short sleeve shirt")) for g, _ in scene.clothing.garments
    }
    return Figure(
        meshes=everything,
        strands=tuple(strands),
        landmarks=landmarks.sets(world_skin, ear_points, pupils, rims, figure_body, pose),
        pupils=pupils,
        gaze=gaze,
        head2world=pose.head2world,
        face_centre=np.array(FACE_CENTRE),
        segment_names=tuple(sorted(names)),
        garment_names=tuple(sorted(worn)),
    )


def _lowest(scene: Scene, pose: Pose) -> float:
    """Height (mm, head's frame) below which no camera of the scene sees the body; that part is not built."""
    import numpy as np

    from synthesis.humans.cameras import resolve_cameras

    heights = np.arange(0.0, 1.5, 0.05)
    spots = np.array([[x, y, z] for y in heights for x in (-0.4, -0.2, 0, 0.2, 0.4) for z in (-0.12, 0.12)])
    lowest = 1.25
    for camera in resolve_cameras(scene, np.array(FACE_CENTRE), pose.head2world):
        seen = np.asarray(camera.view(spots))
        ahead = seen[:, 2] < -0.02
        at = np.asarray(camera.project(spots))
        inside = ahead & (at > -0.1).all(1) & (at < 1.1).all(1)
        if inside.any():
            lowest = min(lowest, float(spots[inside, 1].min()))
    return (lowest - 0.08 - FACE_CENTRE[1]) * 1000


def _to_world(mesh: Mesh, place: Callable[[Array], Array]) -> Mesh:
    """The mesh moved rigidly by `place`."""
    from dataclasses import replace

    import numpy as np

    origin = place(np.zeros(3))
    normals = (place(mesh.normals) - origin) * 1000
    return replace(mesh, vertices=place(mesh.vertices), normals=normals)


def _skin(scene: Scene, skull: head.Head, pose: Pose) -> list[Mesh]:
    """Head and neck, one mesh per region."""
    import numpy as np

    colours = skull.colours.copy()
    style = hair_styles.style(scene.facial.hair.style)
    template = skull.template
    count = len(template.shut)
    if style is not None:
        tint, _ = hair.colour(scene.facial.hair.color, scene.facial.hair.color_seed)
        dense = hair.cover(template.shut, style)[:, None] * 0.78
        colours[:count] = colours[:count] * (1 - dense) + tint * 0.7 * dense
    brow, _ = hair.colour(scene.facial.eyebrows.color, scene.facial.eyebrows.color_seed)
    x, y, z = template.shut.T
    middle, half = face_hair.brow_curve(np.abs(x), scene.facial.eyebrows.style)
    near = np.where(half > 0, np.abs(y - middle) / np.maximum(half, 1e-6), 9.0)
    dense = (0.5 * step(near, 1.4, 0.4) * step(z, -12, 0))[:, None]
    colours[:count] = colours[:count] * (1 - dense) + brow * dense
    if scene.identity.sex == "male":
        shadow = sum(face_hair.beard_areas(template.shut).values())
        beard, _ = hair.colour(scene.facial.facial_hair.color, scene.facial.facial_hair.color_seed)
        fair = 1 - min(float(beard.mean()) * 2.5, 0.8)
        dense = (0.17 * fair * np.clip(shadow, 0, 1))[:, None]
        colours[:count] = colours[:count] * (1 - dense) + beard * dense
    world = pose.skin(skull.vertices)
    whole = Mesh(
        name="skin", segment="head", vertices=world, normals=vertex_normals(world, skull.faces),
        faces=skull.faces,
        surface=SKIN, colours=colours, uv=skull.neutral[:, :2] / 64.0,
    )  # fmt: skip
    return split(whole, skull.labels, list(skin.REGIONS))


def _ears(scene: Scene, form: shape.Shape, pose: Pose) -> tuple[list[Mesh], dict[str, Array]]:
    import numpy as np

    points, faces = ears.ear(1 + 0.05 * form.traits["ears"])
    meshes, named = [], {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        neutral = points * [sign, 1, 1]
        cells = faces if sign > 0 else faces[:, ::-1]
        world = pose.head(form.apply(neutral))
        colours = skin.paint(neutral, scene.identity)
        meshes.append(
            Mesh(name=f"ear_{side}", segment=f"ear_{side}", vertices=world, normals=vertex_normals(world,
            cells),
                 faces=cells, surface=SKIN, colours=colours, uv=neutral[:, 1:] / 64.0)
        )  # fmt: skip
        for name, place in landmarks.EARS.items():
            at = ((neutral - np.array(place) * [sign, 1, 1]) ** 2).sum(1).argmin()
            named[f"ear_{name}.{side[0]}"] = world[at]
    return meshes, named


def _teeth(skull: head.Head, form: shape.Shape, pose: Pose) -> list[Mesh]:
    """Both rows; the lower one moves with the jaw."""
    import numpy as np

    rows = []
    for name, upper in (("upper", True), ("lower", False)):
        neutral, faces, colours = teeth.arch(upper)
        acts = {k: v for k, v in skull.acts.items() if k in ("jaw", "jaw_out") and not upper}
        moved = neutral + actions.displace(neutral, np.full(len(neutral), -1.0), acts)
        world = pose.head(form.apply(moved))
        rows.append(
            Mesh(
                name=f"teeth_{name}",
                segment="teeth",
                vertices=world,
                normals=vertex_normals(world, faces),
                faces=faces,
                surface=Surface(kind="gloss", roughness=0.25),
                colours=colours,
            )
        )
    return rows


def _body(scene: Scene, form: body.Body, pose: Pose, low: float) -> list[Mesh]:
    """Bare skin below the neck."""
    import numpy as np

    from synthesis.humans.figure.surface_nets import surface_nets

    reach = 330 * form.wide + 40 + form.thick
    parts = []
    for number, (bottom, top, cell) in enumerate(((max(-470.0, low), -105.0, 8.0), (low, -470.0, 16.0))):
        vertices, faces = surface_nets(
            form.skin, (-reach, bottom, -270 - form.thick), (reach, top, 100 + form.thick), cell
        )
        world = pose.body(vertices)
        colours = np.ones((len(vertices), 1)) * skin.base_colour(scene.identity.skin_tone)
        colours *= 1 + 0.04 * skin.noise(vertices, scene.identity.id, 30.0)[:, None]
        mesh = Mesh(name=f"body{number}", segment="torso", vertices=world, normals=vertex_normals(world,
        faces),
                    faces=faces, surface=SKIN, colours=colours)  # fmt: skip
        names = body.segments(vertices[faces].mean(1), form)
        known, labels = np.unique(names.astype(str), return_inverse=True)
        parts += split(mesh, labels, known.tolist())
    return parts


def _hairs(scene: Scene, skull: head.Head, form: shape.Shape, pose: Pose) -> list[Strands]:
    import numpy as np

    found: list[Strands] = []
    facial = scene.facial
    acts = skull.acts

    def place(points: Array) -> Array:
        flat = points.reshape(-1, 3)
        moved = flat + actions.displace(flat, np.zeros(len(flat)), acts) if acts else flat
        return pose.head(form.apply(moved)).reshape(points.shape)

    def add(
        name: str, segment: str, points: Array, shade: Array, radius: float, look: tuple[str, float]
    ) -> None:
        tint, white = hair.colour(*look)
        long = float(np.linalg.norm(points[:, -1] - points[:, 0], axis=1).mean())
        # Curves whose segments are about as short as thick are hit in the wrong places: use fewer points.
        count = int(np.clip(long / (8 * radius / 1000), 2, points.shape[1] - 1)) + 1
        points = points[:, np.linspace(0, points.shape[1] - 1, count).round().astype(int)]
        roughness = 0.42 if long > 0.012 else 0.95  # stubble shows its tips, not its sheen
        rng = np.random.default_rng([71, scene.identity.id, len(points)])
        grey = rng.random(len(points)) < white
        level = np.where(grey, 9, np.clip(np.round(1.5 + 1.5 * np.clip(shade, -1, 1)), 0, 3)).astype(int)
        for value in np.unique(level):
            chosen = level == value
            colour = np.array([0.5, 0.49, 0.47]) if value == 9 else tint * (0.72, 0.9, 1.08, 1.3)[value]
            shape_ = np.linspace(1.0, 0.35, points.shape[1]) * radius / 1000 * form.scale
            surface = Surface(
                kind="hair", roughness=roughness, colour=tuple(np.clip(colour, 0, 0.85).tolist())
            )
            bundle = points[chosen]
            radii = np.broadcast_to(shape_, bundle.shape[:2])
            found.append(
                Strands(name=f"{name}.{value}", segment=segment, points=bundle, radii=radii, surface=surface)
            )

    style = hair_styles.style(facial.hair.style)
    if style is not None:
        points, shade = hair.grow(
            skull.template,
            style,
            facial.hair.relative_length,
            facial.hair.relative_density,
            scene.identity.id,
        )
        add("hair", "hair", place(points), shade, style.radius, (facial.hair.color, facial.hair.color_seed))
    for side, (points, shade) in face_hair.brows(skull.template, facial.eyebrows, scene.identity.id).items():
        look = (facial.eyebrows.color, facial.eyebrows.color_seed)
        add(f"brow_{side}", f"eyebrow_{side}", place(points), shade, 0.085, look)
    for side in ("left", "right"):
        points = pose.head(
            face_hair.lashes(skull, side, scene.identity.id, float(scene.identity.sex == "female"))
        )
        add(
            f"lashes_{side}",
            f"eyelashes_{side}",
            points,
            np.zeros(len(points)),
            0.055,
            ("leather_black", 0.5),
        )
    if scene.identity.sex == "male" or facial.facial_hair.style != "none":
        for segment, (points, shade) in face_hair.beard(
            skull.template, facial.facial_hair, scene.identity.id
        ).items():
            look = (facial.facial_hair.color, facial.facial_hair.color_seed)
            add(segment, segment, place(points), shade, 0.1, look)
    return found
