"""`--assets rgb,info`: flags to a list, or an error that helps; and what the shell completes."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def parse_flags(text: str, known: Sequence[str], *, owner: str) -> list[str] | None:
    """Return the flags asked for, each once, in their order; None stands for `all`.

    Args:
        text: comma separated; blanks and case do not matter.
        known: the flags that there are.
        owner: whose they are, for the error: `job 12`, `an EXR`.

    Raises:
        UsageError: kind `unknown-asset`: lists the known flags and names the nearest.
    """
    flags = list(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    choices = ["all", *known]
    for flag in flags:
        if flag in choices:
            continue
        what = f"{owner} has no asset {flag!r}" if flag else f"--assets {text!r} has an empty item"
        near = difflib.get_close_matches(flag, choices, n=1, cutoff=0.6)
        raise UsageError(
            f"{what}; known are: {', '.join(choices)}",
            kind="unknown-asset",
            hint=f"did you mean {near[0]}?" if near else "name one or more of these, or all",
            fields={"asset": flag, "known": choices},
        )
    return None if "all" in flags else flags


def complete_flags(incomplete: str) -> list[str]:
    """Complete the last flag of a list of a job's assets: `rgb,de` to `rgb,depth`."""
    from synthesis.schema.asset_kind import BY_FLAG

    return _complete_last(incomplete, BY_FLAG)


def complete_exr_flags(incomplete: str) -> list[str]:
    """Complete the last flag of a list of what EXRs give."""
    from synthesis.ops.extract import ASSETS

    return _complete_last(incomplete, ASSETS)


def complete_from(*choices: str) -> Callable[[str], list[str]]:
    """Return a completion of one of `choices`."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def _complete_last(incomplete: str, known: Iterable[str]) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return [
        f"{before}{comma}{flag}" for flag in ("all", *known) if flag.startswith(last) and flag not in given
    ]
