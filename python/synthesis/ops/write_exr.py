"""Write a multi-channel EXR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis import _core
from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray


def write_exr(
    path: str | PathLike[str],
    channels: Mapping[str, NDArray[np.float16] | NDArray[np.float32]],
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write a scanline EXR, ZIP per line; the same input gives the same bytes.

    Args:
        path: where; appears under this name only when it is whole. Its folder is made.
        channels: name to array of shape (H, W), float16 or float32, row 0 at the top; all of one
            shape. Every bit pattern is kept (cryptomatte ids are bits in float32 clothes).
        attributes: name to text, kept as `string` attributes of any length.

    Raises:
        UsageError: no channel, arrays of different shapes or of another type, a name given twice.
        DiskError: the file system refused.
    """
    import numpy as np

    kinds = {np.dtype("<f2"): "half", np.dtype("<f4"): "float"}
    shape: tuple[int, ...] | None = None
    packed = []
    for name, array in channels.items():
        values = np.asarray(array)
        kind = kinds.get(values.dtype.newbyteorder("<"))
        if kind is None or values.ndim != 2:
            raise UsageError(
                f"channel {name}: need float16 or float32 of shape (H, W),"
                f" not {values.dtype} of shape {values.shape}"
            )
        shape = shape or values.shape
        if values.shape != shape:
            raise UsageError(f"channel {name} has shape {values.shape}, the others {shape}")
        packed.append((name, kind, np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()))
    if shape is None:
        raise UsageError("an EXR needs at least one channel")
    _core.write_exr(path, shape[1], shape[0], packed, sorted((attributes or {}).items()))
