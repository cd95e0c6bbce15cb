"""The words at the end of a transfer: what bound it, and what to change."""

from __future__ import annotations

import pytest

from synthesis.cli.summary import advise
from synthesis.cli.transfer import How
from synthesis.errors import UsageError
from synthesis.ops.transfer import DEFAULTS, Bound, Options, settled


def bound(what: str, **more: float) -> Bound:
    numbers = {"share": 0.61, "permits": 35, "latency": 0.04, "try_permits": 0, **more}
    return Bound(what=what, **numbers)  # type: ignore[arg-type]


def test_the_last_line_names_the_bound_and_what_to_change() -> None:
    fixed = How(concurrency="35")
    slow = bound("latency", try_permits=300)
    assert advise(slow, fixed) == ("bound by latency at -c 35 (40 ms a request): try -c 300, or leave -c out")
    assert advise(slow, How()) == "bound by latency with 35 requests at once (40 ms a request): try -c 300"
    assert advise(bound("limit"), How(limit_rate="8M")).startswith("bound by --limit-rate (61 % of the time)")
    assert advise(bound("network"), How()).endswith("with 35 requests at once: more at once brought no more")
    assert advise(bound("network"), fixed).endswith(
        "at -c 35: leave -c out to see whether more at once bring more"
    )
    assert advise(bound("nothing"), How()) == ""


@pytest.mark.parametrize("what", ["throttling", "disk", "cpu", "network", "manifest"])
def test_every_bound_has_its_words(what: str) -> None:
    assert advise(bound(what), How()).startswith("bound by the ")


def test_every_option_has_a_default() -> None:
    assert set(DEFAULTS) == set(Options.__annotations__)


def test_options_are_typed_again_as_they_were() -> None:
    how = How(concurrency="50", update=True, shard="1/4", limit_rate="8M", proxy="http://me:secret@proxy:1")
    assert how.words() == ["-c", "50", "--update", "--shard", "1/4", "--limit-rate", "8M"]
    assert How().words() == []


@pytest.mark.parametrize(
    ("text", "count"), [("500", 500), ("8M", 8e6), ("1.5G", 1.5e9), ("64Ki", 65536), ("2 kB/s", 2000)]
)
def test_rates_are_read(text: str, count: float) -> None:
    assert How(limit_rate=text).options()["limit_rate"] == count


@pytest.mark.parametrize(
    "wrong",
    [
        {"shard": (0, 3)},
        {"shard": "1/3"},
        {"max_rps": 0},
        {"tar_renders": 0},
        {"limit_rate": "8M"},
        {"max_rps": "5"},
    ],
)
def test_options_out_of_range_are_refused(wrong: Options) -> None:
    with pytest.raises(UsageError):
        settled(wrong)
