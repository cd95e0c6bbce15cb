"""A command line without a surprise, read by the declarations alone.

Most lines are such: known commands and options, each with a value that fits. For all others, those
with a mistake or a wish for help among them, `read` gives None and typer answers, which takes longer
to load than many a command takes to run. A test draws lines and holds that both read them alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthesis.cli.command import (
    COMMANDS,
    GLOBAL,
    Argument,
    Function,
    Group,
    Parameter,
    global_parameters,
    is_list,
    load,
    parameters,
)

Values = dict[str, Any]


class _Surprise(Exception):  # noqa: N818 - it is none
    """A line for typer."""


def read(words: list[str]) -> tuple[Values, Function, Values] | None:
    """Return the global options before the command, the command, and the values of all its parameters."""
    try:
        root: Values = {one.name: one.default for one in global_parameters()}
        rest = _options(words, global_parameters(), root)
        name = rest.pop(0) if rest else ""
        found = load(name) if name in COMMANDS else None
        while isinstance(found, Group):
            name = rest.pop(0) if rest else ""
            found = found.members.get(name)
        if found is None:
            return None
        return {name.removeprefix(GLOBAL): value for name, value in root.items()}, found, _values(rest, found)
    except _Surprise:
        return None


def _values(words: list[str], function: Function) -> Values:
    """The values of all parameters of a command."""
    wanted = parameters(function)
    values: Values = {}
    rest, loose = words, []
    while rest := _options(rest, wanted, values):
        loose.append(rest.pop(0))
    for one in wanted:
        if isinstance(one.how, Argument):
            if is_list(one):
                if loose:
                    values[one.name] = [_value(one.kind.__args__[0], one, word) for word in loose]
                loose = []
            elif loose:
                values[one.name] = _value(one.kind, one, loose.pop(0))
        if one.name not in values:
            if one.is_required:
                raise _Surprise
            values[one.name] = one.default
    if loose:
        raise _Surprise
    return values


def _options(words: list[str], known: tuple[Parameter, ...], values: Values) -> list[str]:
    """Take in the options that `words` begin with, and return the rest."""
    rest = list(words)
    by_name = {name: one for one in known for name in one.how.names}
    while rest and rest[0].startswith("-") and rest[0] != "-":
        name, equals, text = rest.pop(0).partition("=")
        one = by_name.get(name)
        if one is None or (equals and not name.startswith("--")):
            raise _Surprise
        if one.kind is bool:
            if equals:
                raise _Surprise
            values[one.name] = True
            continue
        if not equals:
            text = rest.pop(0) if rest else ""
        if text.startswith("-") and text != "-":
            raise _Surprise
        if is_list(one):
            values[one.name] = [*(values.get(one.name) or ()), _value(one.kind.__args__[0], one, text)]
        else:
            values[one.name] = _value(one.kind, one, text)
    if rest and not rest[0]:
        raise _Surprise
    return rest


def _value(kind: Any, one: Parameter, text: str) -> Any:
    """The value of one word."""
    if not text:
        raise _Surprise
    if kind is str or kind is Path:
        return kind(text)
    least, most = one.how.about.get("min"), one.how.about.get("max")
    digits = text.replace(".", "", 1) if kind is float else text
    if kind not in {int, float} or not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        raise _Surprise
    number = kind(text)
    if (least is not None and number < least) or (most is not None and number > most):
        raise _Surprise
    return number
