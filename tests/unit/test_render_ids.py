"""Render ids as people write them."""

from __future__ import annotations

import pytest

from synthesis.errors import UsageError
from synthesis.ops import render_ids


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("0", ((0, 0),)),
        ("0,3,50-100", ((0, 0), (3, 3), (50, 100))),
        ("0,1,3-5", ((0, 1), (3, 5))),
        (" 7 , 3 - 5\t", ((3, 5), (7, 7))),
        ("5,4,3", ((3, 5),)),
        ("1-10,5-20,12", ((1, 20),)),
        ("007", ((7, 7),)),
        ("4-4", ((4, 4),)),
        (f"0-{2**63 - 1}", ((0, 2**63 - 1),)),
    ],
)
def test_what_is_meant(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert render_ids.parse(text) == ranges
    assert render_ids.parse(render_ids.text(ranges)) == ranges


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("  ", 2),
        ("5-3", 0),
        ("1,5-3", 2),
        ("a", 0),
        ("1,a", 2),
        ("1a", 1),
        ("-1", 0),
        ("1,,2", 2),
        ("1,", 2),
        (",1", 0),
        ("1-", 2),
        ("1--2", 2),
        ("1-2-3", 3),
        ("1 2", 2),
        ("1.5", 1),
        ("٣", 0),
        (f"3,{2**63}", 2),
        ("9" * 5000, 0),
    ],
)
def test_errors_point_at_the_character(text: str, position: int) -> None:
    with pytest.raises(UsageError) as caught:
        render_ids.parse(text)
    assert caught.value.kind == "invalid-range"
    assert caught.value.fields["position"] == position
    assert f"(character {position + 1})" in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 250


def test_coarser_ranges_hold_the_finer_ones() -> None:
    ranges = tuple((at * at * 10, at * at * 10 + 1) for at in range(1, 50))
    assert render_ids.coarsen(ranges, 100) == ranges
    coarse = render_ids.coarsen(ranges, 7)
    assert len(coarse) == 7
    assert render_ids.merge([*coarse, *ranges]) == coarse
    assert coarse[-1] == ranges[-1]
    assert render_ids.coarsen(ranges, 1) == ((10, ranges[-1][1]),)


def test_thousands_of_leading_zeros() -> None:
    assert render_ids.parse("0" * 5000) == ((0, 0),)
    assert render_ids.parse("0" * 5000 + "7") == ((7, 7),)
