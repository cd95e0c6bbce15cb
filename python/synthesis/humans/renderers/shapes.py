"""Meshes, strands and cameras in Mitsuba's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Mesh, Strands

PLAIN = {
    "type": "twosided",
    "bsdf": {"type": "diffuse", "reflectance": {"type": "mesh_attribute", "name": "vertex_color"}},
}


def mesh(mi: Any, name: str, meshes: Sequence[Mesh], bsdf: dict[str, Any]) -> Any:
    """One shape of several meshes, coloured by their vertices."""
    import numpy as np

    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    colours = [
        m.colours if m.colours is not None else np.broadcast_to(m.surface.colour, m.vertices.shape)
        for m in meshes
    ]
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(bsdf)
    made = mi.Mesh(name, int(starts[-1]), sum(len(m.faces) for m in meshes), has_vertex_normals=True,
                   has_vertex_texcoords=True, props=properties)  # fmt: skip
    made.add_attribute("vertex_color", 3, np.concatenate(colours).astype(np.float32).ravel())
    values = mi.traverse(made)
    values["vertex_positions"] = np.concatenate([m.vertices for m in meshes]).astype(np.float32).ravel()
    values["vertex_normals"] = np.concatenate([m.normals for m in meshes]).astype(np.float32).ravel()
    uv = [m.uv if m.uv is not None else np.zeros((len(m.vertices), 2)) for m in meshes]
    values["vertex_texcoords"] = np.concatenate(uv).astype(np.float32).ravel()
    faces = [m.faces + start for m, start in zip(meshes, starts, strict=False)]
    values["faces"] = np.concatenate(faces).astype(np.uint32).ravel()
    values.update()
    return made


def curves(bundles: Sequence[Strands], file: Path, bsdf: dict[str, Any]) -> dict[str, Any]:
    """A shape of strands; `file` gets the plugin's text: `x y z radius` rows, a blank line between curves."""
    import numpy as np

    texts = []
    for strands in bundles:
        rows = np.concatenate([strands.points, strands.radii[..., None]], -1)
        curve = "%.5f %.5f %.5f %.6f\n" * rows.shape[1] + "\n"
        texts.append((curve * len(rows)) % tuple(rows.ravel().tolist()))
    file.write_text("".join(texts))
    return {"type": "linearcurve", "filename": str(file), "bsdf": bsdf}


def sensor(
    mi: Any, camera: ResolvedCamera, grid: int, crop: tuple[int, int, int, int], sampler: dict[str, Any]
) -> dict[str, Any]:
    """A pinhole whose film has `grid` x `grid` cells per pixel; `crop`: left, top, width, height."""
    import numpy as np

    k, cam = camera.intrinsics, camera.camera
    to_world = camera.cam2world @ np.diag([-1.0, 1.0, -1.0, 1.0])
    return {
        "type": "perspective",
        "to_world": mi.ScalarTransform4f(to_world.tolist()),
        "fov": float(np.degrees(2 * np.arctan(cam.resolution_w / (2 * k[0, 0])))),
        "fov_axis": "x",
        "near_clip": 0.01,
        "far_clip": 100.0,
        "principal_point_offset_x": float((k[0, 2] - cam.resolution_w / 2) / cam.resolution_w),
        "principal_point_offset_y": float((k[1, 2] - cam.resolution_h / 2) / cam.resolution_h),
        "film": {
            "type": "hdrfilm", "width": cam.resolution_w * grid, "height": cam.resolution_h * grid,
            "crop_offset_x": crop[0] * grid, "crop_offset_y": crop[1] * grid, "crop_width": crop[2] * grid,
            "crop_height": crop[3] * grid, "component_format": "float32", "rfilter": {"type": "box"},
            "pixel_format": "rgb",
        },
        "sampler": sampler,
    }  # fmt: skip
