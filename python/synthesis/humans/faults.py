"""Everything that is wrong with an input, gathered in one pass and reported together.

The words follow the original service's (`formats.md` §8): `humans.0.identities: ids is required`.
"""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


MOST = 1000
"""Faults and warnings that are told; further ones are counted or left out."""


class SpecError(UsageError):
    """A spec or request that does not hold together; `fields["errors"]` lists {field, message}."""

    default_kind = "invalid-spec"


class Faults:
    """Faults and warnings by dotted path, e.g. `humans.0.identities`; the top level is `(root)`."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self.warnings: list[str] = []
        self.count = 0

    def add(self, field: str, message: str) -> None:
        """Record that the value at `field` is wrong; past `MOST` they are only counted."""
        self.count += 1
        if self.count <= MOST:
            self.errors.append({"field": _text(field) or "(root)", "message": _text(message)})

    def warn(self, field: str, message: str) -> None:
        """Record something odd at `field` that is tolerated; past `MOST` it is left out."""
        if len(self.warnings) < MOST:
            self.warnings.append(_text(f"{field or '(root)'}: {message}"))

    def check(self, what: str) -> None:
        """Raise `SpecError` about `what` ("the spec") when any fault was added."""
        if not self.errors:
            return
        first = "{field}: {message}".format(**self.errors[0])
        more = self.count - 1
        tail = f" (and {more} more {'fault' if more == 1 else 'faults'})" if more else ""
        raise SpecError(
            f"{what} is not valid: {first}{tail}",
            hint="correct every listed field and send it again",
            fields={"errors": self.errors, "warnings": self.warnings},
        )

    def typed(self, value: Any, kind: str, field: str) -> bool:
        """Say whether `value` is of JSON type `kind`; record a fault when it is not."""
        given = type_name(value)
        if given == kind or (kind == "number" and given == "integer"):
            return True
        self.add(field, f"Invalid type. Expected: {kind}, given: {given}")
        return False

    def member(self, value: Any, known: Iterable[str], field: str) -> bool:
        """Say whether `value` is one of `known`; record a fault with the nearest match when it is not."""
        names = tuple(known)
        if isinstance(value, str) and value in names:
            return True
        if self.count >= MOST:  # looking for the nearest match takes long
            self.count += 1
            return False
        near = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
        shown = ", ".join(f'"{name}"' for name in names[:12]) + (", ..." if len(names) > 12 else "")
        guess = f' (did you mean "{near[0]}"?)' if near else ""
        self.add(field, f"{_shown(value)} must be one of the following: {shown}{guess}")
        return False

    def unknown(self, value: dict[str, Any], known: Collection[str], field: str) -> None:
        """Warn about the keys of an object that mean nothing here."""
        for name in value:
            if name not in known:
                self.warn(f"{field}.{name}" if field else name, "unknown key, ignored")

    def percents(self, groups: list[Any], field: str) -> list[float]:
        """Return the percents of a list of groups; one group may leave it out; the sum must be 100."""
        found: list[float] = []
        for index, group in enumerate(groups):
            if not isinstance(group, dict):
                continue
            if "percent" not in group:
                if len(groups) > 1:
                    self.add(f"{field}.{index}", "percent is required")
                    return []
                return [100.0]
            percent = group["percent"]
            if not self.typed(percent, "number", f"{field}.{index}.percent"):
                return []
            if not 0 < percent <= 100:
                self.add(f"{field}.{index}.percent", "Must be greater than 0 and at most 100")
                return []
            found.append(float(percent))
        if found and not math.isclose(sum(found), 100.0, abs_tol=1e-6):
            self.add(field, f"the percents must sum to 100, they sum to {sum(found):g}")
        return found


def type_name(value: Any) -> str:
    """Return the JSON name of a value's type; a whole number such as 5.0 is an integer."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _text(text: str) -> str:
    """Escape the lone surrogates that JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
