"""The catalogues: which names a spec may use, and the facts about each.

One JSON file per catalogue in `catalogues/`: `source` (where the facts come from), `special` (words
allowed beside the names: "all", "none"), `legacy` (old name to new) and `entries` (a list of names,
or names with facts).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """One list of names.

    Attributes:
        kind: the file's stem, e.g. "hair_styles".
        names: in published order.
        facts: name -> its facts; an empty object for plain lists.
        special: words that are allowed beside the names.
        legacy: names of older specs -> today's.
    """

    kind: str
    names: tuple[str, ...]
    facts: dict[str, Any]
    special: tuple[str, ...]
    legacy: dict[str, str]


@cache
def get(kind: str) -> Catalogue:
    """Load the catalogue of that kind, once; a kind without a file is a `KeyError`."""
    file = resources.files("synthesis.humans").joinpath("catalogues", f"{kind}.json")
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise KeyError(kind) from None
    entries = data["entries"]
    facts = entries if isinstance(entries, dict) else {name: {} for name in entries}
    return Catalogue(
        kind=kind,
        names=tuple(facts),
        facts=facts,
        special=tuple(data["special"]),
        legacy=data.get("legacy", {}),
    )
