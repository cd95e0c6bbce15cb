"""Meshes, strands and cameras in Mitsuba's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Mesh, Strands

    Array = np.ndarray

COLUMNS = ("x", "y", "z", "nx", "ny", "nz", "u", "v", "r", "g", "b")
"""Of a vertex in a PLY file."""


def vertex_colours(mesh: Mesh) -> Array:
    """Albedo (N, 3) of a mesh's vertices."""
    import numpy as np

    if mesh.colours is not None:
        return mesh.colours
    return np.broadcast_to(mesh.surface.colour, mesh.vertices.shape)


def mesh(meshes: Sequence[Mesh], file: Path, bsdf: dict[str, Any]) -> dict[str, Any]:
    """One shape of several meshes, coloured by their vertices; `file` gets it as binary PLY.

    A file rather than `mi.Mesh`: tracing is twice as slow with shapes that Python owns.
    """
    import numpy as np

    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    uv = [m.uv if m.uv is not None else np.zeros((len(m.vertices), 2)) for m in meshes]
    columns = [
        [m.vertices for m in meshes],
        [m.normals for m in meshes],
        uv,
        list(map(vertex_colours, meshes)),
    ]
    vertices = np.concatenate([np.concatenate(c).astype("<f4") for c in columns], axis=1)
    corners = np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=False)])
    faces = np.empty(len(corners), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, corners
    fields = "".join(f"property float {name}\n" for name in COLUMNS)
    head = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n{fields}"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    file.write_bytes(head.encode() + vertices.tobytes() + faces.tobytes())
    return {"type": "ply", "filename": str(file), "bsdf": bsdf}


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
