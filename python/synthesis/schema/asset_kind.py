"""The kinds of files of a job. The one table of flags, suffixes and media types; it loads nothing."""

from __future__ import annotations

from typing import NamedTuple


class AssetKind(NamedTuple):
    """One kind of file (`formats.md` section 1.2)."""

    flag: str
    """Its name on the command line and on the wire."""
    suffix: str
    """The end of its file names: `0.cam_default.f_1.{suffix}`; job-wide: the entire name."""
    media_type: str
    about: str
    """What it is, for people."""
    job_wide: bool = False


KINDS: tuple[AssetKind, ...] = (
    AssetKind(
        "metadata", "metadata.jsonl", "application/jsonl", "settings of every image, one line each", True
    ),
    AssetKind("exr", "exr", "image/x-exr", "the render: every channel, float"),
    AssetKind("info", "info.json", "application/json", "labels: camera, landmarks, person, clothes"),
    AssetKind("rgb", "rgb.png", "image/png", "picture, 8 bit sRGB"),
    AssetKind("alpha", "alpha.tif", "image/tiff", "coverage of the person, 8 bit"),
    AssetKind("depth", "depth.tif", "image/tiff", "metres along the view ray, float16"),
    AssetKind("normals", "normals.tif", "image/tiff", "surface normals towards the camera, float16"),
    AssetKind("segments", "segments.png", "image/png", "body parts, 16 bit ids"),
    AssetKind("clothing_segments", "clothing_segments.png", "image/png", "garments, 16 bit ids"),
    AssetKind("uv", "UV.png", "image/png", "texture coordinates, 16 bit"),
    AssetKind("mediapipe_dense", "mediapipe_dense.obj", "model/obj", "face mesh, 468 points"),
    AssetKind("sai_dense", "sai_dense.obj", "model/obj", "head mesh, 4,840 points"),
)

BY_FLAG: dict[str, AssetKind] = {kind.flag: kind for kind in KINDS}
BY_SUFFIX: dict[str, AssetKind] = {kind.suffix: kind for kind in KINDS}
