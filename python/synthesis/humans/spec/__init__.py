"""Specs: the input JSON of a job, checked, completed and counted (`formats.md` §8).

`load` reads the bytes as they were submitted. Everything wrong is reported in one pass, by dotted path;
what is merely odd (unknown keys, older names) becomes a warning.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from synthesis.errors import UsageError
from synthesis.humans import catalogue, draw
from synthesis.humans.faults import Faults, SpecError
from synthesis.humans.identities import COUNT
from synthesis.humans.spec import check, undrawn
from synthesis.humans.spec.parameters import ANIMATION_FRAMES, HDRI, LOCATION_TYPES, PARAMETERS
from synthesis.humans.spec.rigs import rigs
from synthesis.humans.spec.values import Choice, Group

__all__ = ["Spec", "SpecError", "load"]

MAX_RENDERS = 100_000_000
SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A checked spec.

    Attributes:
        groups: the entries of `humans`.
        warnings: what was tolerated, one line each.
    """

    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(group.renders for group in self.groups))

    @property
    def renders_total(self) -> int:
        """Number of scenes: sum over groups of identities x renders per identity."""
        return self._ends[-1]

    @cached_property
    def images_total(self) -> int:
        """Number of images: renders x cameras x frames, without resolving any scene."""
        return sum(
            group.cameras * sum(count * frames(name, choice) for name, choice, count in gestures(group))
            for group in self.groups
        )

    def locate(self, render_id: int) -> tuple[int, int]:
        """Return (group, index in the group) of a render; ids run through the groups in order.

        Raises `UsageError` when the job has no such render.
        """
        if not 0 <= render_id < self.renders_total:
            raise UsageError(
                f"the job has no render {render_id}",
                kind="invalid-range",
                hint=f"render ids run from 0 to {self.renders_total - 1}",
            )
        group = bisect_right(self._ends, render_id)
        return group, render_id - (self._ends[group] - self.groups[group].renders)


def gestures(group: Group) -> list[tuple[str, Choice, int]]:
    """Share a group's scenes out to the gestures: (name, percent group, number of scenes).

    Unlike other names, which are drawn, gestures get equal shares within their percent group: their
    frames decide how many images a job has, and that must be known before anything is resolved.
    """
    shares = []
    choices = group.parameters["gesture"]
    counts = draw.apportion(group.renders, [choice.percent for choice in choices])
    for choice, count in zip(choices, counts, strict=True):
        named = choice.values["name"]
        each = draw.apportion(count, [1] * len(named))
        shares += [(name, choice, part) for name, part in zip(named, each, strict=True)]
    return shares


def frames(gesture: str, choice: Choice) -> int:
    """Return how many frames a gesture gives: one, or up to 12 when it is asked for as an animation."""
    count: int = catalogue.get("gestures").facts[gesture]["frames"]
    return 1 if choice.values["keyframe_only"] else min(count, ANIMATION_FRAMES)


def load(data: bytes) -> Spec:
    """Check and complete a spec.

    Args:
        data: the JSON text as submitted, UTF-8.

    Raises:
        UsageError: kind `invalid-json`, with line and column.
        SpecError: kind `invalid-spec`; `fields["errors"]` lists every fault as {field, message}.
    """
    faults = Faults()
    document = _parse(data, faults)
    if faults.typed(document, "object", ""):
        if "faces" in document and "humans" not in document:
            faults.warn("faces", "now called humans")
            document["humans"] = document.pop("faces")
        faults.unknown(document, ("humans", "version"), "")
        if document.get("version", 1) != 1:
            faults.add("version", "Must be 1")
    groups: tuple[Group, ...] = ()
    if not faults.errors:
        if "humans" not in document:
            faults.add("", "humans is required")
        elif check.filled(document["humans"], "humans", faults):
            groups = tuple(
                _group(value, f"humans.{index}", faults)
                for index, value in enumerate(document["humans"])
                if faults.typed(value, "object", f"humans.{index}")
            )
    if sum(group.renders for group in groups) > MAX_RENDERS:
        faults.add("humans", f"a job has at most {MAX_RENDERS} renders")
    faults.check("the spec")
    for index, group in enumerate(groups):
        undrawn.warn(group, f"humans.{index}", faults)
    return Spec(groups=groups, warnings=tuple(faults.warnings))


def _parse(data: bytes, faults: Faults) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = sorted(name for name, count in counts.items() if count > 1)
            more = ", ..." if len(twice) > SHOWN else ""
            faults.warn("", f"given twice, the last one counts: {', '.join(twice[:SHOWN])}{more}")
        return found

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    hint = "check the file with a JSON editor"
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"the spec is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            kind="invalid-json",
            hint=hint,
            fields={"line": error.lineno, "column": error.colno},
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the spec is not UTF-8 text: byte {error.start}", kind="invalid-json", hint=hint
        ) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"the spec is not JSON: {reason}", kind="invalid-json", hint=hint) from None


def _group(value: dict[str, Any], path: str, faults: Faults) -> Group:
    tops = {parameter.split(".")[0] for parameter in PARAMETERS}
    faults.unknown(value, (*tops, "identities", "environment", "3d_location", "camera_and_light_rigs"), path)
    parents: dict[str, dict[str, Any]] = {"": value}
    for parent in ("facial_attributes", "accessories", "environment"):
        item = value.get(parent, {})
        parents[parent] = item if faults.typed(item, "object", f"{path}.{parent}") else {}
        known = [name.partition(".")[2] for name in PARAMETERS if name.startswith(f"{parent}.")]
        faults.unknown(parents[parent], known or ("hdri",), f"{path}.{parent}")
    ids, repeats = _identities(value, path, faults)
    parameters = {}
    for parameter, fields in PARAMETERS.items():
        parent, _, name = parameter.rpartition(".")
        parameters[parameter] = check.choices(
            parents[parent].get(name), fields, f"{path}.{parameter}", faults
        )
    hdri = parents["environment"].get("hdri", {})
    if faults.typed(hdri, "object", f"{path}.environment.hdri"):
        values = check.record(hdri, HDRI, f"{path}.environment.hdri", faults)
        parameters["environment.hdri"] = (Choice(100.0, values),)
    parameters["3d_location"] = _locations(value.get("3d_location"), f"{path}.3d_location", faults)
    vehicle = all(choice.values["type"] == "vehicle" for choice in parameters["3d_location"])
    return Group(
        ids=ids,
        renders_per_identity=repeats,
        parameters=parameters,
        rigs=rigs(
            value.get("camera_and_light_rigs"),
            f"{path}.camera_and_light_rigs",
            vehicle=vehicle,
            faults=faults,
        ),
    )


def _identities(value: dict[str, Any], path: str, faults: Faults) -> tuple[tuple[int, ...], int]:
    if "identities" not in value:
        faults.add(path, "identities is required")
        return (), 1
    path = f"{path}.identities"
    identities = value["identities"]
    if not faults.typed(identities, "object", path):
        return (), 1
    faults.unknown(identities, ("ids", "renders_per_identity"), path)
    for name in ("ids", "renders_per_identity"):
        if name not in identities:
            faults.add(path, f"{name} is required")
    repeats = check.integer(
        identities.get("renders_per_identity", 1), 1, MAX_RENDERS, f"{path}.renders_per_identity", faults
    )
    ids = identities.get("ids", [0])
    if "ids" not in identities or not check.filled(ids, f"{path}.ids", faults):
        return (), repeats
    return tuple(check.integer(n, 1, COUNT, f"{path}.ids.{i}", faults) for i, n in enumerate(ids)), repeats


def _locations(value: Any, path: str, faults: Faults) -> tuple[Choice, ...]:
    if value is None:
        return (Choice(100.0, {"type": "open"}),)
    if not check.filled(value, path, faults):
        return ()
    percents = faults.percents(value, path)
    found = []
    for index, entry in enumerate(value):
        if not faults.typed(entry, "object", f"{path}.{index}"):
            continue
        faults.unknown(entry, ("specifications", "percent"), f"{path}.{index}")
        given = entry.get("specifications", {})
        at = f"{path}.{index}.specifications"
        if faults.typed(given, "object", at):
            kind = given.get("type", "open")
            faults.member(kind, LOCATION_TYPES, f"{at}.type")
            found.append({"type": kind})
    return tuple(Choice(percent, values) for percent, values in zip(percents, found, strict=False))
