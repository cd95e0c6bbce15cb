"""How near the number that ours finds by itself comes to the best fixed one: round trips x rates."""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING

from bench.transfer.cells import Cell, run_cell
from bench.transfer.checks import Check
from bench.transfer.peers import OURS

if TYPE_CHECKING:
    from bench.transfer.cells import Place

TRIPS = (1.0, 10.0, 40.0, 150.0)
RATES = (0, 500_000_000, 50_000_000)
ENOUGH = 0.85
"""Share of the best fixed number's goodput, after a ramp of a second that is not counted."""
RAMP = 1.0


def grid(place: Place, *, loss: float, runs: int) -> tuple[str, list[Check]]:
    """A table of wall times, and a check for each cell."""
    head = "| round trip | rate | files | ours, own number | best fixed | share |"
    lines, checks = [head, "| --- " * 6 + "|"], []
    for rate in RATES:
        for trip in TRIPS:
            # As many files as take some ten seconds: 20 KiB each.
            scale = 0.15 if rate == 50_000_000 else 1
            fixed = [16, 35, 128] if trip < 40 else [64, 256, 512, 1024]
            cell = Cell("A", trip, None, rate=rate, loss=loss)
            result = run_cell(cell, [OURS], place, runs=runs, scale=scale, sweep=fixed)
            found, share = "our own runs failed", 0.0
            if result.good(OURS.name) and result.sweep:
                own = statistics.median(run.wall for run in result.good(OURS.name))
                number, best = min(result.sweep.items(), key=lambda pair: pair[1])
                share = best / max(own - RAMP, 0.001)
                cells = [f"{trip:g} ms", f"{rate / 1e6:.0f} Mbit/s" if rate else "none", f"{result.files:,}"]
                cells += [f"{own:.2f} s", f"{best:.2f} s at -c {number}", f"{min(share, 1):.2f}"]
                lines.append(f"| {' | '.join(cells)} |")
                found = f"{min(share, 1):.2f}"
                print(lines[-1], file=sys.stderr, flush=True)
            where = f"{trip:g} ms, {f'{rate / 1e6:.0f} Mbit/s' if rate else 'no cap'}"
            what = f"goodput at {where}, loss {loss:.1%}: of the best fixed number's"
            checks.append(Check(what, f">= {ENOUGH}", found, share >= ENOUGH))
    return "\n".join(lines), checks
