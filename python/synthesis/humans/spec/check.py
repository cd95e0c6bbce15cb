"""Checks of the values that occur all over a spec: names, numbers, distributions, percent groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthesis.humans import catalogue
from synthesis.humans.faults import Faults, type_name
from synthesis.humans.spec.parameters import IGNORED, RENAMED, Field, Flag, Names, Number, constant
from synthesis.humans.spec.values import Choice, Distribution

if TYPE_CHECKING:
    from collections.abc import Mapping


def choices(value: Any, fields: Mapping[str, Field], path: str, faults: Faults) -> tuple[Choice, ...]:
    """Check a list of percent groups and fill in the defaults; an absent one is a single default group."""
    if value is None:
        return (Choice(100.0, record({}, fields, path, faults)),)
    if not filled(value, path, faults):
        return ()
    percents = faults.percents(value, path)
    found = []
    for index, entry in enumerate(value):
        if faults.typed(entry, "object", f"{path}.{index}"):
            known = {name: entry[name] for name in entry if name != "percent"}
            found.append(record(known, fields, f"{path}.{index}", faults))
    if len(percents) != len(found):
        return ()
    return tuple(Choice(percent, values) for percent, values in zip(percents, found, strict=True))


def record(value: dict[str, Any], fields: Mapping[str, Field], path: str, faults: Faults) -> dict[str, Any]:
    """Check the fields of one object and fill in the defaults."""
    given = {}
    for name, item in value.items():
        today = RENAMED.get(name, name)
        if name.startswith(IGNORED):
            faults.warn(f"{path}.{name}", "no longer used, ignored")
            continue
        if today != name:
            faults.warn(f"{path}.{name}", f"now called {today}")
        given[today] = item
    faults.unknown(given, fields, path)
    return {
        name: _field(given[name], field, f"{path}.{name}", faults) if name in given else default(field)
        for name, field in fields.items()
    }


def default(field: Field) -> Any:
    """Return what a field is when the spec leaves it out."""
    if isinstance(field, Number):
        return None if field.default is None else constant(field.default)
    return field.default


def _field(value: Any, field: Field, path: str, faults: Faults) -> Any:
    if isinstance(field, Flag):
        faults.typed(value, "boolean", path)
        return value
    if isinstance(field, Names):
        return names(value, field, path, faults)
    return distribution(value, field, path, faults)


def names(value: Any, field: Names, path: str, faults: Faults) -> tuple[str, ...]:
    """Check a list of catalogue names; "all" becomes the whole catalogue, older names today's."""
    known = catalogue.get(field.kind)
    if not filled(value, path, faults):
        return ()
    found: list[str] = []
    for index, name in enumerate(value):
        at = f"{path}.{index}"
        if isinstance(name, str) and name in known.legacy:
            faults.warn(at, f'"{name}" is now called "{known.legacy[name]}"')
            found.append(known.legacy[name])
        elif name == "all" and "all" in known.special:
            found.extend(known.names)
        elif faults.member(name, (*known.special, *known.names), at):
            found.append(name)
    return tuple(found)


def distribution(value: Any, field: Number, path: str, faults: Faults) -> Distribution:
    """Check `{"type": "list" | "range", "values": ...}` and its numbers."""
    if field.bare and type_name(value) in {"integer", "number"}:
        return constant(value) if _number(value, field, path, faults) else Distribution()
    if not faults.typed(value, "object", path):
        return Distribution()
    faults.unknown(value, ("type", "values"), path)
    missing = [name for name in ("type", "values") if name not in value]
    for name in missing:
        faults.add(path, f"{name} is required")
    if missing or not faults.member(value["type"], ("list", "range"), f"{path}.type"):
        return Distribution()
    values, at = value["values"], f"{path}.values"
    return _list(values, field, at, faults) if value["type"] == "list" else _range(values, field, at, faults)


def _list(values: Any, field: Number, path: str, faults: Faults) -> Distribution:
    if not filled(values, path, faults):
        return Distribution()
    good = [_number(value, field, f"{path}.{index}", faults) for index, value in enumerate(values)]
    return Distribution(values=tuple(map(float, values))) if all(good) else Distribution()


def _range(values: Any, field: Number, path: str, faults: Faults) -> Distribution:
    if not faults.typed(values, "object", path):
        return Distribution()
    faults.unknown(values, ("min", "max"), path)
    for name in ("min", "max"):
        if name not in values:
            faults.add(path, f"{name} is required")
        elif not _number(values[name], field, f"{path}.{name}", faults):
            return Distribution()
    if "min" not in values or "max" not in values:
        return Distribution()
    if values["min"] > values["max"]:
        faults.add(path, f"min must not be greater than max: {values['min']} > {values['max']}")
    return Distribution(low=float(values["min"]), high=float(values["max"]))


def _number(value: Any, field: Number, path: str, faults: Faults) -> bool:
    if not faults.typed(value, "number", path):
        return False
    if value < field.low:
        faults.add(path, f"Must be greater than or equal to {field.low:g}")
    elif value > field.high:
        faults.add(path, f"Must be less than or equal to {field.high:g}")
    else:
        return True
    return False


def filled(value: Any, path: str, faults: Faults) -> bool:
    """Say whether `value` is a list with something in it; record a fault when it is not."""
    if not faults.typed(value, "array", path):
        return False
    if not value:
        faults.add(path, "Must have at least 1 item")
    return bool(value)


def integer(value: Any, low: int, high: int, path: str, faults: Faults) -> int:
    """Check a whole number within [low, high]; a wrong one is recorded and `low` goes on in its place."""
    if not faults.typed(value, "integer", path):
        return low
    if not low <= value <= high:
        faults.add(path, f"Must be from {low} to {high}")
        return low
    return int(value)
