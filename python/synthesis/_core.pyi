"""The compiled core of synthesis."""

from collections.abc import Sequence
from os import PathLike

__version__: str

class CancelToken:
    """Stops a long call from another thread: pass it as `cancel=`, then call `cancel()`."""

    def __new__(cls) -> CancelToken: ...
    def cancel(self) -> None:
        """Ask the call to end; it raises `CancelledError` within 100 ms."""
    @property
    def cancelled(self) -> bool:
        """True once `cancel()` was called."""

def error_kinds() -> list[str]:
    """Every kind that this extension can raise, sorted."""

def write_exr(
    path: str | PathLike[str],
    width: int,
    height: int,
    channels: Sequence[tuple[str, str, bytes]],
    attributes: Sequence[tuple[str, str]],
) -> None:
    """Write a scanline EXR; channels are (name, `"half"` or `"float"`, little-endian samples)."""
