"""From words of the command line to values, as typer does it, but without what it does not need.

Typer converts each value through pydantic, which costs more to import than all else that a command
needs to start. Text and paths are what they are, so they skip it; everything else goes typer's way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def simplify(parameters: list[Any]) -> list[Any]:
    """Let parameters convert simple values by themselves, and return them."""
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)
        # A typer that keeps its conversion elsewhere converts as it likes.
        if described is not None and getattr(parameter, "_runtime_param", 0) is None:
            parameter._runtime_param = _Simple(described)  # noqa: SLF001
    return parameters


class _Simple:
    """Takes the place of typer's conversion of one parameter."""

    def __init__(self, described: Any) -> None:
        self._described = described

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of the words; defaults have their type already."""
        kind = self._described.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind in {int, float} and type(value) is kind:
            return value
        if kind in {str, Path} and isinstance(value, str):
            return kind(value)
        if kind == list[str]:
            return list(value)
        from typer import _coercion

        return _coercion.build_runtime_param(self._described).coerce(value, param=param, ctx=ctx)
