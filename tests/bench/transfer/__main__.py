"""Measure `synthesis fetch` beside the other downloaders; see README.md of this folder's parent.

python tests/bench/transfer [--quick] [--sets A,C,D] [--rtt 0,40] [--peers curl,s5cmd] [--flight 35] ...
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.transfer import network, peers, report
from bench.transfer.cells import Cell, Place, run_cell


def options() -> argparse.Namespace:
    """The command line."""
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "synthesis-bench"
    parser = argparse.ArgumentParser(prog="tests/bench/transfer", description=__doc__)
    parser.add_argument("--sets", default="A,C,D", help="which of A, B, C, D")
    parser.add_argument("--rtt", default="0,40", help="round trips in ms; 0 is loopback")
    parser.add_argument(
        "--flight", default="", help="numbers in flight, 0 for each tool's own; default: by set"
    )
    parser.add_argument("--peers", default="", help="beginnings of peers' names; all if not given")
    parser.add_argument("--sweep", default="", help="also run ours at these fixed numbers")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="a share of each set")
    parser.add_argument("--tls", action="store_true", help="over https")
    parser.add_argument("--calls", action="store_true", help="count system calls by strace")
    parser.add_argument(
        "--folder", type=Path, default=memory / "synthesis-bench", help="for files in and out"
    )
    parser.add_argument("--cache", type=Path, default=cache, help="for peers and compiled helpers")
    parser.add_argument("--keep", action="store_true", help="leave the corpora for the next time")
    parser.add_argument("--no-install", action="store_true", help="take only peers that are there")
    return parser.parse_args()


def flights(asked: str, corpus: str, rtt: float) -> list[int | None]:
    """How many in flight for a set: what was asked, or what its row of the table says."""
    if asked:
        return [int(number) or None for number in asked.split(",")]
    if corpus == "C":
        return [8]
    return [35] if not rtt else [None] if corpus == "A" else [128]


def main() -> int:
    """Run the cells and print them."""
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
    tools = peers.named(asked.peers)
    sweep = [int(number) for number in asked.sweep.split(",") if number]
    print(report.machine(place), flush=True)
    try:
        for corpus in asked.sets.split(","):
            for rtt in trips:
                for flight in flights(asked.flight, corpus, rtt):
                    cell = Cell(corpus, rtt, flight, asked.tls)
                    result = run_cell(
                        cell, tools, place, runs=asked.runs, scale=asked.scale, sweep=sweep, calls=asked.calls
                    )
                    print(f"\n{report.table(result)}\n\n{result.traffic}", flush=True)
    finally:
        if not asked.keep:
            with place.alone():
                shutil.rmtree(place.base, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
