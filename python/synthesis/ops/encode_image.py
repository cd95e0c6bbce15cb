"""One image in memory to the bytes of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from synthesis import _core
from synthesis.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMS = {
    "rgb": ("<u1", 3),
    "alpha": ("<u1", 1),
    "depth": ("<f2", 1),
    "normals": ("<f2", 3),
    "segments": ("<u2", 1),
    "clothing_segments": ("<u2", 1),
}


def encode_image(
    asset: str, image: NDArray[Any], *, mode: Literal["fast", "exact", "small"] = "fast"
) -> bytes:
    """The file of an asset: PNG for rgb and segments, TIFF for alpha, depth and normals.

    Args:
        asset: rgb (H, W, 3) uint8, alpha (H, W) uint8, depth (H, W) float16, normals (H, W, 3)
            float16, segments and clothing_segments (H, W) uint16.
        image: the samples, row 0 at the top.
        mode: `exact` gives the original service's bytes, `fast` the same pixels in less time,
            `small` in fewer bytes, slowly.

    Raises:
        UsageError: an unknown asset, or an array of another shape or type.
    """
    import numpy as np

    if asset not in _FORMS:
        raise UsageError(f"no asset of an EXR is called {asset!r}", kind="unknown-asset")
    form, channels = _FORMS[asset]
    if image.ndim != (3 if channels == 3 else 2) or (channels == 3 and image.shape[2] != 3):
        raise UsageError(f"{asset} cannot have the shape {image.shape}")
    if image.dtype != np.dtype(form):
        raise UsageError(f"{asset} needs {np.dtype(form)}, not {image.dtype}")
    samples = np.ascontiguousarray(image, form)  # the same array if it has no gaps
    height, width = image.shape[:2]
    return _core.encode(asset, width, height, samples.reshape(-1).view(np.uint8).data, mode)
