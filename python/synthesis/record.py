"""Frozen values with named fields, for what every command loads.

They are what `@dataclass(frozen=True, kw_only=True)` makes. The module `dataclasses` itself loads
`inspect`, and with it a tenth of the time that a command takes to start.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, dataclass_transform

R = TypeVar("R", bound="Record")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of such values: a field is a name with a type in the class body, and maybe a default."""

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields += tuple(cls.__annotations__)

    def __init__(self, **values: Any) -> None:
        fields, kind = self._fields, type(self).__name__
        if unknown := values.keys() - set(fields):
            raise TypeError(f"{kind} has no field {min(unknown)!r}")
        if missing := [name for name in fields if name not in values and not hasattr(self, name)]:
            raise TypeError(f"{kind} lacks {', '.join(missing)}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot change {name}: a {type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot remove {name}: a {type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), *self._values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({values})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)


def names(of: Record | type[Record]) -> tuple[str, ...]:
    """Return the names of the fields, in their order."""
    return of._fields


def replace(record: R, **changes: Any) -> R:
    """Return `record` with other values in some fields."""
    return type(record)(**{name: getattr(record, name) for name in names(record)} | changes)


def asdict(record: Record) -> dict[str, Any]:
    """Return the fields as a dictionary, and so the records within."""
    return {name: _plain(getattr(record, name)) for name in names(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return tuple(_plain(one) for one in value) if isinstance(value, tuple) else value
