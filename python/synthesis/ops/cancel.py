"""The token by which another thread stops a long call."""

from __future__ import annotations

from synthesis._core import CancelToken

__all__ = ["CancelToken"]
