"""The identity table: 50,000 people made from a versioned seed, and requests for sets of their ids.

The original's table is not public beyond two records (ids 24 and 303, kept as published); the others
are drawn with plausible frequencies. `VERSION` is part of every draw: the table changes only with it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, chain, product
from typing import TYPE_CHECKING, Any

from synthesis.errors import UsageError
from synthesis.humans import catalogue, draw
from synthesis.humans.faults import Faults
from synthesis.humans.scene import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable

Cell = tuple[str, str, str]
"""Sex, ethnicity and age group."""

VERSION = 1
COUNT = 50_000
"""Ids run from 1 to COUNT."""
MOST_GROUPS = 1000
"""Percent groups of one request."""

SEXES = ("male", "female")
ETHNICITIES = {"arab": 0.13, "asian": 0.2, "black": 0.18, "hisp": 0.15, "indian": 0.13, "white": 0.21}
AGE_GROUPS = {"0-24": (18, 24), "25-34": (25, 34), "35-44": (35, 44), "45-54": (45, 54), "55-": (55, 79)}
"""Age group of an ids request -> youngest and oldest."""

_AGE_WEIGHTS = {"0-24": 0.2, "25-34": 0.27, "35-44": 0.21, "45-54": 0.16, "55-": 0.16}
_ETHNICITY_NAMES, _GROUP_NAMES = tuple(ETHNICITIES), tuple(AGE_GROUPS)
_ETHNICITY_ENDS = [int(total * 2**24) for total in accumulate(ETHNICITIES.values())][:-1]
_GROUP_ENDS = [int(total * 2**24) for total in accumulate(_AGE_WEIGHTS.values())][:-1]
_SKIN = {"white": 1.7, "asian": 2.3, "hisp": 2.9, "arab": 3.2, "indian": 4.1, "black": 5.0}
_HEIGHT = {"male": 176.0, "female": 163.0}
_SHORTER = {"asian": 3.0, "hisp": 3.0, "indian": 3.0}
_IRIS = {
    "white": {"brown": 0.3, "blue": 0.28, "green": 0.14, "hazel": 0.13, "grey": 0.1, "amber": 0.05},
    "arab": {"brown": 0.78, "hazel": 0.1, "green": 0.07, "amber": 0.05},
    "hisp": {"brown": 0.8, "hazel": 0.1, "green": 0.05, "amber": 0.05},
    "asian": {"brown": 1.0},
    "black": {"brown": 0.97, "hazel": 0.03},
    "indian": {"brown": 0.93, "hazel": 0.04, "amber": 0.03},
}
_LIGHT_HAIR = {
    "dark_brown": 0.17, "chocolate_brown": 0.17, "dark_golden_brown": 0.14, "light_brown": 0.16,
    "light_ash_blonde": 0.1, "medium_champagne": 0.08, "beeline_honey": 0.07, "reddish_blonde": 0.05,
    "copper_shimmer": 0.03, "darkest_brown": 0.03,
}  # fmt: skip
_DARK_HAIR = {"leather_black": 0.48, "darkest_brown": 0.32, "dark_brown": 0.14, "chocolate_brown": 0.06}
_DYED = ("ruby_fusion", "pure_diamond", "chocolate_cherry")
_GRAYING = {
    "light_ash_blonde": "blonde_graying", "medium_champagne": "blonde_graying",
    "beeline_honey": "blonde_graying", "light_brown": "brown_graying", "reddish_blonde": "red_graying",
    "copper_shimmer": "red_graying",
}  # fmt: skip


@lru_cache(maxsize=4096)
def identity(number: int) -> Identity:
    """Return the person with that id; always the same for the same table version.

    Raises `UsageError` when `number` is not in 1 .. COUNT.
    """
    if not 1 <= number <= COUNT:
        raise UsageError(f"there is no identity {number}", hint=f"ids run from 1 to {COUNT}")
    published = catalogue.get("identities").facts.get(str(number))
    if published is not None:
        return Identity(id=number, **published)
    return _make(number)


@cache
def demographics() -> dict[Cell, tuple[int, ...]]:
    """Return the ids of every cell, in a mixed order."""
    published = catalogue.get("identities").facts
    table: dict[Cell, list[tuple[int, int]]] = {
        (sex, ethnicity, group): [] for sex in SEXES for ethnicity in ETHNICITIES for group in AGE_GROUPS
    }
    for number in range(1, COUNT + 1):
        drawn = _drawn(number)
        sex, ethnicity, group, _ = _demographics(drawn)
        table[sex, ethnicity, group].append((drawn, number))
    for text, facts in published.items():
        for members in table.values():
            members[:] = [member for member in members if member[1] != int(text)]
        table[facts["sex"], facts["ethnicity"], age_group(facts["age"])].append((0, int(text)))
    return {key: tuple(number for _, number in sorted(members)) for key, members in table.items()}


def age_group(age: int) -> str:
    """Return the group of an age in years."""
    return next((group for group, (_, oldest) in AGE_GROUPS.items() if age <= oldest), "55-")


def height_label(cm: int) -> str:
    """Return the catalogue's label for a height; 188 cm, in the published gap, is `taller`."""
    return _label("heights", cm)


def fat_content_label(bmi: float) -> str:
    """Return the catalogue's label for a body mass index; the lower one where the published ranges meet."""
    return _label("fat_contents", bmi)


def _label(kind: str, value: float) -> str:
    facts = catalogue.get(kind).facts
    return next(name for name, limits in facts.items() if limits["max"] is None or value <= limits["max"])


def _drawn(number: int) -> int:
    """Mix an id into 64 bits (SplitMix64): quicker than a hash, as a request reads the whole table."""
    value = (number + VERSION * 0x1_0000_0000) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    value = (value ^ value >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return value ^ value >> 31


def _demographics(drawn: int) -> tuple[str, str, str, int]:
    """Cut sex, ethnicity, age group and a draw from 0 .. 2^15 - 1 for the age out of 64 bits."""
    return (
        SEXES[drawn >> 63],
        _ETHNICITY_NAMES[bisect_right(_ETHNICITY_ENDS, drawn >> 39 & 0xFFFFFF)],
        _GROUP_NAMES[bisect_right(_GROUP_ENDS, drawn >> 15 & 0xFFFFFF)],
        drawn & 0x7FFF,
    )


def _make(number: int) -> Identity:
    key = ("identity", VERSION, number)
    sex, ethnicity, group, years = _demographics(_drawn(number))
    youngest, oldest = AGE_GROUPS[group]
    age = youngest + years * (oldest - youngest + 1) // 2**15
    height = round(_HEIGHT[sex] - _SHORTER.get(ethnicity, 0.0) + 6.6 * draw.normal(*key, "height"))
    bulk = draw.normal(*key, "bulk")
    bmi = min(max(23.5 + 3.6 * bulk + 1.1 * max(0.0, bulk) ** 2 + 0.04 * (age - 35), 17.5), 43.0)
    weight = round(bmi * (height / 100) ** 2)
    hair = _hair_color(key, sex, ethnicity, age)
    irises = catalogue.get("iris_colors").facts
    color = draw.weighted(_IRIS[ethnicity], *key, "iris")
    brows = [n for n in catalogue.get("eyebrow_styles").names if sex == "male" or not n.startswith("unibrow")]
    outfits = [n for n, f in catalogue.get("outfits").facts.items() if f["sex"] in (sex, "unisex")]
    fold = {"asian": 0.75, "hisp": 0.04}.get(ethnicity, 0.0)
    skin = min(max(_SKIN[ethnicity] + 0.38 * draw.normal(*key, "skin"), 0.75), 5.66)
    return Identity(
        id=number,
        age=age,
        sex=sex,
        outfit=draw.pick(outfits, *key, "outfit"),
        eye_fold=draw.unit(*key, "fold") < fold,
        ethnicity=ethnicity,
        height_cm=height,
        skin_tone=round(skin, 8),
        weight_kg=weight,
        hair_color=hair,
        hair_style=_hair_style(key, sex, ethnicity, age),
        iris_color=draw.pick([n for n, f in irises.items() if f["color"] == color], *key, "iris.id"),
        height_label=height_label(height),
        eyebrow_style=draw.pick(brows, *key, "brows"),
        eyebrow_length=round(draw.between(0.8, 1.0, *key, "brows.length"), 2),
        eyebrow_density=round(draw.between(0.7, 1.0, *key, "brows.density"), 2),
        facial_hair_color=hair,
        facial_hair_style=_facial_hair_style(key, sex, age),
        fat_content_label=fat_content_label(weight / (height / 100) ** 2),
    )


def _hair_color(key: tuple[Any, ...], sex: str, ethnicity: str, age: int) -> str:
    natural = draw.weighted(_LIGHT_HAIR if ethnicity == "white" else _DARK_HAIR, *key, "hair")
    if sex == "female" and age < 45 and draw.unit(*key, "dye") < 0.05:
        return draw.pick(_DYED, *key, "dye.color")
    # How grey: none at 34, wholly at about 75, with a spread of decades between people.
    grey = (age - 34) / 42 + 0.17 * draw.normal(*key, "grey") if age >= 34 else 0.0
    if grey > 0.85:
        return draw.pick(("gray", "white_gray"), *key, "grey.color")
    if grey > 0.6:
        return "salt_and_pepper"
    if grey > 0.42:
        return _GRAYING.get(natural, "brown_graying" if "brown" in natural else "salt_and_pepper")
    return natural


def _hair_style(key: tuple[Any, ...], sex: str, ethnicity: str, age: int) -> str:
    if sex == "male" and age >= 30:
        loss = draw.unit(*key, "balding") * 100
        if loss < (age - 30) * 0.9:
            balding = [n for n in catalogue.get("hair_styles").names if n.startswith("balding")]
            return "none" if loss < 3 else draw.pick(balding, *key, "balding.style")
    fitting = [
        name
        for name, facts in catalogue.get("hair_styles").facts.items()
        if sex in facts["sexes"] and ethnicity in facts["ethnicities"] and not name.startswith("balding")
    ]
    return draw.pick(fitting, *key, "hair.style")


def _facial_hair_style(key: tuple[Any, ...], sex: str, age: int) -> str:
    if sex != "male" or draw.unit(*key, "beard") >= (0.25 if age < 25 else 0.45):
        return "none"
    return draw.pick(catalogue.get("facial_hair_styles").names, *key, "beard.style")


_KNOWN = {"sex": SEXES, "ethnicity": _ETHNICITY_NAMES, "age": _GROUP_NAMES}


@dataclass(frozen=True, kw_only=True)
class _Group:
    """One percent group: the (sex, ethnicity, age group) cells it draws from."""

    cells: tuple[Cell, ...]
    percent: float


def request(criteria: dict[str, Any]) -> dict[str, Any]:
    """Answer a request for identities with the object of `results.json`.

    Every percent group gets its share of `count` by largest remainder, spread evenly over its
    combinations of sex, ethnicity and age group. Where a combination has too few people and
    `prefer_full_count` is true, others of the same sex and ethnicity, then of the same sex, are added;
    `data.warnings` tells which. Ids are unique and sorted; an equal request gives equal ids.

    Args:
        criteria: `count`, `prefer_full_count` (default true) and `criteria`, a list of groups with
            `sex`, `ethnicity`, `age` (lists of names or "all") and `percent`.

    Raises:
        SpecError: with every fault of the request.
    """
    faults = Faults()
    if not faults.typed(criteria, "object", ""):
        faults.check("the request for identities")
    groups = _groups(criteria, faults)
    count = _count(criteria, faults)
    full = criteria.get("prefer_full_count", True)
    faults.typed(full, "boolean", "prefer_full_count")
    faults.check("the request for identities")
    key = str(draw.bits("request", count, full, *groups))

    wanted = _wanted(count, groups, key)
    used: set[int] = set()
    for cell, number in wanted.items():
        used.update(_take(number, _people(cell, key), used))
    for cell, number in wanted.items():
        missing = number - len(demographics()[cell])
        if missing > 0:
            faults.warnings.append(_fill(cell, number, missing if full else 0, used, key))
    return {
        "status": "success",
        "data": {"ids": sorted(used), "warnings": faults.warnings},
        "message": f"requested: {count}, returned: {len(used)}",
    }


def _wanted(count: int, groups: list[_Group], key: str) -> dict[Cell, int]:
    """Add up how many people every cell has to give, over all groups."""
    wanted: dict[Cell, int] = {}
    for index, share in enumerate(draw.apportion(count, [group.percent for group in groups])):
        # Mixed, so that a remainder does not always go to the first names of the lists.
        cells = sorted(groups[index].cells, key=lambda cell: draw.bits("request", key, index, *cell))
        for cell, number in zip(cells, draw.apportion(share, [1] * len(cells)), strict=True):
            wanted[cell] = wanted.get(cell, 0) + number
    return wanted


def _people(cell: Cell, key: str) -> Iterable[int]:
    """List the ids of a cell, starting somewhere that depends on the request."""
    ids = demographics()[cell]
    start = draw.below(max(1, len(ids)), "request", key, "start", *cell)
    return chain(ids[start:], ids[:start])


def _take(number: int, people: Iterable[int], used: set[int]) -> list[int]:
    taken: list[int] = []
    for person in people:
        if len(taken) == number:
            break
        if person not in used:
            taken.append(person)
    return taken


def _fill(cell: Cell, number: int, missing: int, used: set[int], key: str) -> str:
    """Add up to `missing` people that are like the cell and return the warning that tells it."""
    sex, ethnicity, age = cell
    text = f"{sex}, {ethnicity}, {age}: {number} requested, {len(demographics()[cell])} available"
    kin = [other for other in demographics() if other[:2] == (sex, ethnicity) and other != cell]
    rest = [other for other in demographics() if other[0] == sex and other[1] != ethnicity]
    for cells, words in ((kin, "sex and ethnicity"), (rest, "sex")):
        added = _take(missing, chain.from_iterable(_people(other, key) for other in cells), used)
        used.update(added)
        missing -= len(added)
        if added:
            text += f"; added of the same {words}: {', '.join(map(str, sorted(added)))}"
    return text


def _count(criteria: dict[str, Any], faults: Faults) -> int:
    if "count" not in criteria:
        faults.add("", "count is required")
        return 0
    count = criteria["count"]
    if faults.typed(count, "integer", "count") and not 1 <= count <= COUNT:
        faults.add("count", f"Must be from 1 to {COUNT}")
    return int(count) if not faults.errors else 0


def _groups(criteria: dict[str, Any], faults: Faults) -> list[_Group]:
    faults.unknown(criteria, ("count", "prefer_full_count", "criteria"), "")
    entries = criteria.get("criteria", [{}])
    if not faults.typed(entries, "array", "criteria"):
        return []
    if not entries:
        faults.add("criteria", "Must have at least 1 item")
    if len(entries) > MOST_GROUPS:
        faults.add("criteria", f"Must have at most {MOST_GROUPS} items")
        return []
    percents = faults.percents(entries, "criteria")
    groups = []
    for index, entry in enumerate(entries):
        field = f"criteria.{index}"
        if faults.typed(entry, "object", field):
            faults.unknown(entry, (*_KNOWN, "percent"), field)
            sexes, ethnicities, ages = (_names(entry, name, f"{field}.{name}", faults) for name in _KNOWN)
            groups.append(tuple(product(sexes, ethnicities, ages)))
    if faults.errors:
        return []
    return [_Group(cells=cells, percent=percent) for cells, percent in zip(groups, percents, strict=True)]


def _names(entry: dict[str, Any], name: str, field: str, faults: Faults) -> tuple[str, ...]:
    values, known = entry.get(name, ["all"]), _KNOWN[name]
    if not faults.typed(values, "array", field):
        return ()
    if not values:
        faults.add(field, "Must have at least 1 item")
    for index, value in enumerate(values):
        faults.member(value, ("all", *known), f"{field}.{index}")
    return known if "all" in values else tuple(value for value in known if value in values)
