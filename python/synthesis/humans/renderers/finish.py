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
EMPTY_NORMAL = (-0.0, 0.0, 1.0)  # x is negated again when it is read


def finish(
    light: Array, behind: Array, seen: Seen, camera: ResolvedCamera, figure: Figure
) -> tuple[dict[str, Array], dict[str, str]]:
    """EXR channels and attributes of `formats.md` §5.5.

    Args:
        light: (P, h, w, 3) passes over the box of the labels.
        behind: (H, W, 3) the background of the whole image.
    """
    import numpy as np

    segments, garments, kinds = _tables(figure)
    left, top, width, height = seen.box
    inside = slice(top, top + height), slice(left, left + width)

    def whole(plane: Array, kind: type, empty: float = 0.0) -> Array:
        image: Array = np.full(behind.shape[:2], empty, kind)
        image[inside] = plane
        return image

    hit = seen.part > 0
    rgb = behind.copy()
    clear = np.clip(np.nan_to_num(light), 0, BRIGHTEST).mean(0)
    rgb[inside] = soften.soften(clear, seen, kinds[seen.part])
    channels: dict[str, Array] = {}
    for name, plane in zip("RGB", np.moveaxis(rgb, -1, 0), strict=True):
        channels[name] = plane.astype(np.float16)
    channels["A"] = whole(hit.mean(0), np.float16)
    depth = np.linalg.norm(seen.position[seen.centre] - camera.cam2world[:3, 3], axis=-1)
    channels["Z"] = whole(np.where(hit[seen.centre], depth, 0.0), np.float32)
    for name, plane, empty in zip("XYZ", _view_normals(seen, hit, camera), EMPTY_NORMAL, strict=True):
        channels[f"normals.{name}"] = whole(plane, np.float16, empty)
    attributes: dict[str, str] = {}
    for name, names, table in (
        ("segmentation", figure.segment_names, segments),
        ("clothing", figure.garment_names, garments),
    ):
        planes, more = cryptomatte.channels(name, names, table[seen.part])
        channels |= {key: whole(plane, np.float32) for key, plane in planes.items()}
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
        kind = "white" if part.segment.startswith("sclera") else part.surface.kind
        kinds[k] = soften.KINDS.get(kind, 0)
    return segments, garments, kinds


def _view_normals(seen: Seen, hit: Array, camera: ResolvedCamera) -> list[Array]:
    """Mean normals in the frame of each view ray (`formats.md` §1.3), x negated; (-0, 0, 1) behind."""
    import numpy as np

    rotation = camera.cam2world[:3, :3].astype(np.float32)
    z = (camera.cam2world[:3, 3].astype(np.float32) - seen.position[hit]) @ rotation
    z /= np.maximum(np.sqrt(np.einsum("ni,ni->n", z, z)), 1e-9)[:, None]
    n = seen.normal[hit] @ rotation
    n /= np.maximum(np.sqrt(np.einsum("ni,ni->n", n, n)), 1e-9)[:, None]
    toward = np.einsum("ni,ni->n", n, z)
    (nx, ny, nz), (zx, zy, zz) = (n * np.where(toward < 0, np.float32(-1), np.float32(1))[:, None]).T, z.T
    wide = np.maximum(np.hypot(zx, zz), 1e-9)
    across = (nx * zz - nz * zx) / wide
    # y' = z' x x', written out: x' = (z_z, 0, -z_x) / wide.
    upward = (-nx * zy * zx + ny * wide**2 - nz * zy * zz) / wide
    planes = []
    for value, empty in zip((-across, upward, np.abs(toward)), EMPTY_NORMAL, strict=True):
        samples = np.full(hit.shape, empty, np.float32)
        samples[hit] = value
        mean = samples.mean(0)
        planes.append(np.where(mean == 0, empty, mean) if not empty else mean)
    return planes
