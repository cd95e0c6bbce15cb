"""Render ids as people write them: `0,3,50-100`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LARGEST = 2**63 - 1
"""The largest render id."""

_NUMBER = re.compile(r"[0-9]+")
_SPACE = re.compile(r"[ \t]*")


def parse(text: str) -> tuple[tuple[int, int], ...]:
    """Return the inclusive ranges of `text`, sorted and merged.

    Args:
        text: numbers and ranges with commas between them; spaces, overlaps and any order are fine.

    Raises:
        UsageError: kind `invalid-range`; `fields["position"]` is the offending character, from 0.
    """
    ranges: list[tuple[int, int]] = []
    at = 0
    while True:
        start_at = _skip(text, at)
        start, at = _number(text, start_at)
        end = start
        at = _skip(text, at)
        if text[at : at + 1] == "-":
            end_at = _skip(text, at + 1)
            end, at = _number(text, end_at)
            if end < start:
                _fail(text, start_at, f"{start}-{end} ends before it begins")
            at = _skip(text, at)
        ranges.append((start, end))
        if at == len(text):
            return merge(ranges)
        if text[at] != ",":
            _fail(text, at, f"{text[at]!r} is neither a digit, a comma nor a dash")
        at += 1


def checked(ranges: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Return inclusive ranges as they are; `UsageError` of kind `invalid-range` if one can be none."""
    pairs = tuple((start, end) for start, end in ranges)
    for start, end in pairs:
        if not 0 <= start <= end <= LARGEST:
            raise UsageError(f"({start}, {end}) is no range of render ids", kind="invalid-range")
    return pairs


def merge(ranges: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Return inclusive ranges sorted, with those that touch made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((start, end) for start, end in ranges):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def text(ranges: Iterable[Sequence[int]]) -> str:
    """Return ranges as `parse` reads them."""
    return ",".join(f"{start}" if start == end else f"{start}-{end}" for start, end in ranges)


def coarsen(ranges: Sequence[tuple[int, int]], most: int) -> tuple[tuple[int, int], ...]:
    """Return at most `most` ranges that hold all of the merged `ranges`, joined over the smallest gaps."""
    if len(ranges) <= most:
        return tuple(ranges)
    gaps = sorted(range(1, len(ranges)), key=lambda at: ranges[at][0] - ranges[at - 1][1], reverse=True)
    cuts = [0, *sorted(gaps[: most - 1]), len(ranges)]
    return tuple((ranges[first][0], ranges[last - 1][1]) for first, last in pairwise(cuts))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _number(text: str, at: int) -> tuple[int, int]:
    match = _NUMBER.match(text, at)
    if match is None:
        if at >= len(text):
            _fail(text, at, "a number is missing at the end")
        if text[at] == ",":
            _fail(text, at, "a number is missing before the comma")
        if text[at] == "-":
            _fail(text, at, "ids are not negative, and a range needs a number before its dash")
        _fail(text, at, f"{text[at]!r} is no digit")
    # Longer digits are too large anyway; Python refuses to read thousands of them.
    digits = match[0].lstrip("0") or "0"
    if len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
        _fail(text, at, "the number is too large")
    return int(digits), match.end()


def _fail(text: str, at: int, why: str) -> NoReturn:
    shown = text if len(text) <= 60 else text[max(0, at - 25) : at + 25]
    shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    raise UsageError(
        f'render ids "{shown}": {why} (character {at + 1})',
        kind="invalid-range",
        hint="write ids and ranges with commas, such as 0,3,50-100",
        fields={"position": at},
    )
