"""Synthetic humans on your own machine: command line, platform and a fast core.

Public names are resolved on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to load than all of `synthesis --version`

if TYPE_CHECKING:
    from typing import Any

    from synthesis.client import Client
    from synthesis.errors import SynthesisError
    from synthesis.ops.fetch import fetch

__version__ = "0.1.0"

_LAZY = {
    "Client": "synthesis.client",
    "SynthesisError": "synthesis.errors",
    "fetch": "synthesis.ops.fetch",
}
__all__ = ["Client", "SynthesisError", "__version__", "fetch"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
