"""The compiled core of synthesis."""

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
