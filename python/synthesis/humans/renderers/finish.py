"""From samples to channels: averages, labels, depth and normals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.renderers import cryptomatte, soften

if TYPE_CHECKING:
    import numpy as np

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure import Figure, Mesh, Strands
    from synthesis.humans.renderers.labelled import Seen

    Array = np.ndarray

BRIGHTEST = 8.0  # a pass's pixel above this is a firefly


def finish(
    light: Array, seen: Seen, camera: ResolvedCamera, figure: Figure
) -> tuple[dict[str, Array], dict[str, str]]:
    """EXR channels and attributes of `formats.md` §5.5, from passes (P, H, W, 3) of light and the labels."""
    import numpy as np

    segments, garments, kinds = _tables(figure)
    hit = seen.part > 0
    for k, strands in enumerate(figure.strands, len(figure.meshes) + 1):
        seen.albedo[seen.part == k] = strands.surface.colour
    rgb = soften.soften(np.clip(np.nan_to_num(light), 0, BRIGHTEST).mean(0), seen, kinds[seen.part])
    channels: dict[str, Array] = {}
    for name, plane in zip("RGB", np.moveaxis(rgb, -1, 0), strict=True):
        channels[name] = plane.astype(np.float16)
    channels["A"] = hit.mean(0).astype(np.float16)
    depth = np.linalg.norm(seen.position[seen.centre] - camera.cam2world[:3, 3], axis=-1)
    channels["Z"] = np.where(hit[seen.centre], depth, 0.0).astype(np.float32)
    for name, plane in zip("XYZ", _view_normals(seen, hit, camera), strict=True):
        channels[f"normals.{name}"] = plane.astype(np.float16)
    attributes: dict[str, str] = {}
    for name, names, table in (
        ("segmentation", figure.segment_names, segments),
        ("clothing", figure.garment_names, garments),
    ):
        planes, more = cryptomatte.channels(name, names, table[seen.part])
        channels |= planes
        attributes |= more
    return channels, attributes


def _tables(figure: Figure) -> tuple[Array, Array, Array]:
    """Part number -> segment label, garment label, kind of surface (`soften.KINDS`)."""
    import numpy as np

    parts: list[Mesh | Strands] = [*figure.meshes, *figure.strands]
    segments, garments, kinds = np.zeros((3, len(parts) + 1), np.int32)
    for k, part in enumerate(parts, 1):
        garment = getattr(part, "garment", None)
        segments[k] = figure.segment_names.index(part.segment) + 1
        garments[k] = figure.garment_names.index(garment) + 1 if garment else 0
        kinds[k] = soften.KINDS.get(part.surface.kind, 0)
    return segments, garments, kinds


def _view_normals(seen: Seen, hit: Array, camera: ResolvedCamera) -> list[Array]:
    """Mean normals in the frame of each view ray (`formats.md` §1.3), x negated; (0, 0, 1) behind."""
    import numpy as np

    rotation = camera.cam2world[:3, :3].astype(np.float32)
    z = (camera.cam2world[:3, 3].astype(np.float32) - seen.position) @ rotation
    z /= np.maximum(np.sqrt(np.einsum("...i,...i", z, z)), 1e-9)[..., None]
    wide = np.maximum(np.hypot(z[..., 0], z[..., 2]), 1e-9)
    n = seen.normal @ rotation
    n /= np.maximum(np.sqrt(np.einsum("...i,...i", n, n)), 1e-9)[..., None]
    toward = np.einsum("...i,...i", n, z)
    n = np.where(toward[..., None] < 0, -n, n)
    across = (n[..., 0] * z[..., 2] - n[..., 2] * z[..., 0]) / wide
    along = np.abs(toward)
    # y' = z' x x', written out: x' = (z_z, 0, -z_x) / wide.
    upward = (
        -n[..., 0] * z[..., 1] * z[..., 0] + n[..., 1] * wide**2 - n[..., 2] * z[..., 1] * z[..., 2]
    ) / wide
    planes = []
    for value, empty in ((-across, 0.0), (upward, 0.0), (along, 1.0)):
        planes.append(np.where(hit, value, empty).mean(0) + 0.0)
    return planes
