"""Measure `synthesis fetch` beside the other downloaders; `tests/bench/README.md` says how.

Without a selection, everything that is promised is measured and checked: the sets A, C and D over loopback
and over 40 ms, memory by the length of the list, a finished folder run again, the first file on disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.transfer import checks, length, network, own_number, peers, report
from bench.transfer.cells import Cell, Place, run_cell

PARTS = ("cells", "memory", "again", "first", "grid")
FIXED = (35, 64, 128, 256, 512, 1024)


def options() -> argparse.Namespace:
    """The command line."""
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "synthesis-bench"
    parser = argparse.ArgumentParser(prog="tests/bench/transfer", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute: small sets, one run, four peers")
    parser.add_argument("--only", default="", help=f"some of {', '.join(PARTS)}; grid only if it is named")
    parser.add_argument("--sets", default="", help="which of A, B, C, D; their cells alone")
    parser.add_argument("--rtt", default="0,40", help="round trips in ms; 0 is loopback")
    parser.add_argument("--flight", default="", help="numbers in flight, 0 for each tool's own")
    parser.add_argument("--peers", default="", help="beginnings of peers' names; all if not given")
    parser.add_argument("--sweep", default="", help="also run ours at these fixed numbers")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="a share of each set")
    parser.add_argument("--loss", type=float, default=0.001, help="share of packets lost in the grid")
    parser.add_argument("--tls", action="store_true", help="over https")
    parser.add_argument("--calls", action="store_true", help="count system calls by strace")
    parser.add_argument(
        "--folder", type=Path, default=memory / "synthesis-bench", help="for files in and out"
    )
    parser.add_argument("--cache", type=Path, default=cache, help="for peers and compiled helpers")
    parser.add_argument("--keep", action="store_true", help="leave the corpora for the next time")
    parser.add_argument("--no-install", action="store_true", help="take only peers that are there")
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    asked = parser.parse_args()
    if asked.quick:
        asked.runs, asked.scale = 1, min(asked.scale, 0.1)
        asked.peers = asked.peers or "curl,wget2,aria2,obstore"
    return asked


def cells(asked: argparse.Namespace, trips: list[float]) -> list[Cell]:
    """What is measured: what was asked for, or what is promised."""
    if asked.sets:
        flights = [int(number) or None for number in asked.flight.split(",") if number] or [None]
        sets = asked.sets.split(",")
        return [Cell(name, trip, n, asked.tls) for name in sets for trip in trips for n in flights]
    promised = []
    for trip in trips:
        promised.append(Cell("A", trip, None if trip else 35, asked.tls))
        promised.append(Cell("C", trip, 8, asked.tls, ours_free=True))
        promised.append(Cell("D", trip, 128 if trip else 35, asked.tls, ours_free=True))
    return promised


def parts(asked: argparse.Namespace) -> list[str]:
    """Which parts run."""
    if asked.only:
        return [name for name in PARTS if name in asked.only.split(",")]
    return ["cells"] if asked.sets else ["cells", "memory", "again", "first"]


def main() -> int:
    """Run, print, write; 1 if a demand is not met."""
    # Namespaces and servers outlive a process that does not take them down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options()
    if lacking := report.tools_there():
        print(lacking, file=sys.stderr)
        return 2
    place = Place(asked.folder, asked.cache)
    asked.cache.mkdir(parents=True, exist_ok=True)
    if not asked.no_install:
        peers.install(place.venv)
    trips = [float(number) for number in asked.rtt.split(",")]
    if any(trips) and (why := network.missing()):
        print(f"only loopback: {why}", file=sys.stderr)
        trips = [0.0]
    try:
        pages, found = measure_all(asked, place, trips)
    finally:
        if not asked.keep:
            with place.alone():
                shutil.rmtree(place.base, ignore_errors=True)
    verdicts = checks.table(found)
    if asked.quick:
        verdicts += "\n\nOf a quick look: with a tenth of the files, what start-up costs weighs ten times."
    print(f"\n{verdicts}")
    if asked.write:
        report.write_between(report.PAGE, "transfers", "\n\n".join([pages[0], verdicts, *pages[1:]]))
    return int(any(check.passed is False for check in found))


def measure_all(
    asked: argparse.Namespace, place: Place, trips: list[float]
) -> tuple[list[str], list[checks.Check]]:
    """The parts one after the other: their text and what they prove."""
    pages, found = [report.machine(place)], []
    print(pages[0], flush=True)
    wanted = parts(asked)
    tools = peers.named(asked.peers)
    for cell in cells(asked, trips) if "cells" in wanted else ():
        is_own = cell.corpus == "A" and cell.rtt_ms and not asked.sets
        sweep = [int(n) for n in asked.sweep.split(",") if n] or (FIXED if is_own else ())
        calls = asked.calls or (not asked.sets and not cell.rtt_ms and cell.corpus == "A")
        result = run_cell(cell, tools, place, runs=asked.runs, scale=asked.scale, sweep=sweep, calls=calls)
        pages.append(report.table(result))
        found += checks.of_cell(result)
        print(f"\n{pages[-1]}\n\n{result.traffic}", flush=True)
    if "memory" in wanted:
        lengths = length.LENGTHS[: 2 if asked.quick else 3]
        found += length.memory(place, lengths) + length.noted(place, lengths[-1])
    if "again" in wanted:
        found += length.again(place, 100_000 if asked.quick else 1_000_000)
    if "first" in wanted and any(trips):
        found += length.first_file(place, 100_000 if asked.quick else 1_000_000)
    if "grid" in wanted and any(trips):
        text, more = own_number.grid(place, loss=asked.loss, runs=asked.runs)
        pages.append(text)
        found += more
        print(f"\n{text}", flush=True)
    return pages, found


if __name__ == "__main__":
    sys.exit(main())
