"""What is demanded of our own tool, as checks that pass or fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.transfer.peers import OURS, OURS_CHECKED

if TYPE_CHECKING:
    from bench.transfer.cells import Result

PERMIT = 300 * 1024
MOST_MEMORY = 64 * 2**20
NAMED = ("curl -Z", "wget2", "rclone", "aria2", "s5cmd", "obstore", "aiohttp")
"""Whom the row of many small files names."""
VERDICTS = {True: "pass", False: "**fail**", None: ""}


@dataclass(frozen=True)
class Check:
    """One demand: what of what, how much it must be, what it was, and whether that is enough."""

    what: str
    must: str
    found: str
    passed: bool | None
    """None where nothing is demanded: the figure is told beside one that is."""


def table(checks: list[Check]) -> str:
    """The checks as Markdown."""
    lines = ["| demand | must | found | |", "| --- | --- | --- | --- |"]
    rows = (f"| {c.what} | {c.must} | {' '.join(c.found.split())} | {VERDICTS[c.passed]} |" for c in checks)
    return "\n".join([*lines, *rows])


def of_cell(result: Result) -> list[Check]:
    """The demands that a cell's runs answer; none where ours did not run."""
    title, cell = result.cell.brief, result.cell
    if result.wall(OURS_CHECKED.name) is None or result.wall(OURS.name) is None:
        return [Check(title, "all files right", "our own runs failed", passed=False)]
    checks = [_memory(result)]
    if cell.corpus == "A" and cell.in_flight == 35 and not cell.rtt_ms:
        checks += _small(result)
    elif cell.corpus == "A" and cell.in_flight is None and cell.rtt_ms:
        checks += _own_number(result)
    elif cell.corpus in "CD":
        checks += _large(result)
    return checks


def _large(result: Result) -> list[Check]:
    """As soon as the best of those who check nothing either; and, beside it, with all checks on."""
    best = result.best_peer(result.wall)
    demand = _at_most(f"{result.cell.brief}: wall, what the others do", result.wall(OURS.name), best, 1.0)
    checked = _at_most("the same, checked", result.wall(OURS_CHECKED.name), best, 1.0)
    return [demand, replace(checked, must="", passed=None)]


def _small(result: Result) -> list[Check]:
    """As many files a second as the best and a tenth more, for no more CPU."""
    names = [name for name in result.peers() if name.startswith(NAMED)]
    title = result.cell.brief

    def best(figures: dict[str, float | None]) -> tuple[str, float] | None:
        known = [(name, figure) for name, figure in figures.items() if figure is not None]
        return min(known, key=lambda pair: pair[1], default=None)

    walls = best({name: result.wall(name) for name in names})
    cpus = best({name: result.cpu(name) for name in names})
    checks = [
        _at_most(f"{title}: wall, all checks on", result.wall(OURS_CHECKED.name), walls, 1 / 1.1),
        _at_most(f"{title}: CPU, all checks on", result.cpu(OURS_CHECKED.name), cpus, 1.0),
    ]
    if OURS_CHECKED.name in result.calls:
        calls = result.calls[OURS_CHECKED.name]
        checks.append(Check("system calls a small file", "<= 8.1", f"{calls:.1f}", calls <= 8.1))
    return checks


def _own_number(result: Result) -> list[Check]:
    """Five times as fast as each at its default, and near our own best fixed number."""
    wall = result.wall(OURS.name) or 0
    best = result.best_peer(result.wall)
    checks = [_at_most(f"{result.cell.brief}, cold: wall", wall, best, 1 / 5)]
    if result.sweep:
        number, fixed = min(result.sweep.items(), key=lambda pair: pair[1])
        most = 1.5 * fixed + 1
        what = "the same against our own best fixed number"
        found = f"{wall:.2f} s; {fixed:.2f} s at -c {number}"
        checks.append(Check(what, f"<= 1.5 x + 1 s = {most:.2f} s", found, wall <= most))
    return checks


def _memory(result: Result) -> Check:
    most = max(result.memory(OURS.name), result.memory(OURS_CHECKED.name))
    # Where ours finds its number itself we do not know it here; 512 is what a long way needs.
    permits = result.cell.flight_of(OURS) or (512 if result.cell.rtt_ms else 64)
    limit = MOST_MEMORY + permits * PERMIT
    found = f"{most / 2**20:.0f} MiB"
    return Check(f"{result.cell.brief}: memory", f"<= {limit / 2**20:.0f} MiB", found, most <= limit)


def _at_most(what: str, ours: float | None, best: tuple[str, float] | None, share: float) -> Check:
    """Ours is at most `share` of the best other's seconds."""
    if ours is None or best is None:
        return Check(what, f"<= {share:.2f} of the best other", "nothing to compare", passed=False)
    name, other = best
    found = f"{ours / other:.2f} ({ours:.2f} s; {name} {other:.2f} s)"
    return Check(what, f"<= {share:.2f} of the best other", found, ours <= share * other)
