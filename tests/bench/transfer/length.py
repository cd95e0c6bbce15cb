"""What the length of a list costs: memory, a finished folder run again, the first file on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

from bench.transfer import corpora, measure
from bench.transfer.checks import Check
from bench.transfer.network import Network
from bench.transfer.peers import SYNTHESIS
from bench.transfer.server import serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.transfer.cells import Place

SELECTED = 20_000
LENGTHS = (20_000, 2_000_000, 10_000_000)
LINES = """
import sys
base, count = sys.argv[1], int(sys.argv[2])
for start in range(0, count, 10000):
    ends = range(start, min(start + 10000, count))
    lines = (f'{{"url":"{base}/byte/{n:08}","name":"{n:08}.json","size":1}}\\n' for n in ends)
    sys.stdout.write("".join(lines))
"""


def memory(place: Place, lengths: Sequence[int] = LENGTHS) -> list[Check]:
    """Peak memory of 20,000 one-byte files taken from lists of any length, by `--shard`, from stdin."""
    peaks = {}
    with place.alone(), Network(0, place.cache) as network:
        place.root.mkdir(parents=True, exist_ok=True)
        with serving(place.root, place.base / "nginx", network) as server:
            for length in lengths:
                out = fresh(place.base / "out")
                shard = ["--shard", f"1/{max(1, length // SELECTED)}"]
                lines = subprocess.Popen(
                    [sys.executable, "-c", LINES, server.http, str(length)], stdout=subprocess.PIPE
                )
                assert lines.stdout is not None
                line = [str(SYNTHESIS), "fetch", "-", "-o", str(out), "-c", "35", *shard]
                run = measure.run(line, cache=place.cache, stdin=lines.stdout.fileno(), timeout=1200)
                lines.stdout.close()
                lines.wait()
                count = sum(1 for entry in os.scandir(out) if entry.is_file())
                print(f"list of {length:,}: {run.wall:.1f} s, {run.memory >> 20} MiB, {count} files")
                if run.complaint or count < SELECTED * 0.9:
                    return [
                        Check("memory by length of list", "", run.complaint or f"{count} files", passed=False)
                    ]
                peaks[length] = run.memory / 2**20
    found = ", ".join(f"{peak:.0f} MiB at {length:,}" for length, peak in peaks.items())
    least, most = min(peaks.values()), max(peaks.values())
    limit = (64 * 2**20 + 35 * 300 * 1024) / 2**20
    return [
        Check("memory, whatever the list's length", "within 5 %", found, most <= least * 1.05),
        Check("memory at 35 permits", f"<= {limit:.0f} MiB", f"{most:.0f} MiB", most <= limit),
    ]


def noted(place: Place, length: int = LENGTHS[-1]) -> list[Check]:
    """Peak memory and CPU of a list of which every line is planned and told: `--verify` finds none there."""
    with place.alone():
        line = [str(SYNTHESIS), "fetch", "-", "-o", str(fresh(place.base / "out")), "--verify"]
        base = "http://127.0.0.1:9"
        lines = subprocess.Popen([sys.executable, "-c", LINES, base, str(length)], stdout=subprocess.PIPE)
        assert lines.stdout is not None
        run = measure.run(line, cache=place.cache, stdin=lines.stdout.fileno(), timeout=1200)
        lines.stdout.close()
        lines.wait()
    each = run.cpu / length * 1e6
    found = f"{run.memory >> 20} MiB, {each:.1f} us of CPU each"
    what = f"memory, {length:,} lines that are looked at and told"
    is_told = f"{length:,} of {length:,} files failed" in run.complaint
    return [Check(what, "<= 74 MiB", found if is_told else run.complaint, is_told and run.memory < 74 << 20)]


def again(place: Place, count: int = 1_000_000) -> list[Check]:
    """A manifest of files that are all there."""
    # Another bench has the same folder for its output: nothing is made before it is our turn.
    with place.alone():
        out = fresh(place.base / "out")
        names = [f"{at}.cam_default.f_1.rgb.png" for at in range(count)]
        for name in names:
            os.close(os.open(out / name, os.O_CREAT | os.O_WRONLY, 0o644))
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        files = tuple(corpora.File(name, 0, empty) for name in names)
        corpora.write_manifest(corpora.Corpus("N", place.root, files))
        with (
            Network(0, place.cache) as network,
            serving(place.root, place.base / "nginx", network) as server,
        ):
            before = requests(server.http)
            line = [str(SYNTHESIS), "fetch", f"{server.http}/api/v1/jobs/N/manifest", "-o", str(out)]
            run = measure.run(line, cache=place.cache)
            asked = requests(server.http) - before - 1
        there = sum(1 for entry in os.scandir(out) if entry.is_file())
        shutil.rmtree(out)
    what = f"{count:,} files that are there, run again"
    found = (
        f"{run.wall:.2f} s, {asked} requests, {run.memory >> 20} MiB, {there:,} files {run.complaint}".strip()
    )
    is_met = not run.complaint and run.wall <= 5 and asked == 1
    return [Check(what, "<= 5 s, no request but the manifest", found, is_met)]


def first_file(place: Place, count: int = 1_000_000, rtt: float = 200) -> list[Check]:
    """Round trips until the first file has its name: of a long list from a file and a URL, and a manifest."""
    seconds: dict[tuple[str, float], float] = {}
    for trip in (0.0, rtt):
        with place.alone(), Network(trip, place.cache) as network:
            place.root.mkdir(parents=True, exist_ok=True)
            with serving(place.root, place.base / "nginx", network) as server:
                listed = place.root / "long.ndjson"
                with listed.open("w") as lines:
                    for at in range(count):
                        entry = {"url": f"{server.http}/byte/{at}", "name": f"{at}.json", "size": 1}
                        lines.write(json.dumps(entry) + "\n")
                digest = hashlib.sha256(b"x").hexdigest()
                files = tuple(corpora.File(f"{at}.json", 1, digest) for at in range(count))
                corpora.write_manifest(corpora.Corpus("byte", place.root, files))
                manifest = f"{server.http}/api/v1/jobs/byte/manifest"
                sources = {"file": str(listed), "URL": f"{server.http}/long.ndjson", "manifest": manifest}
                for kind, source in sources.items():
                    out = fresh(place.base / "out")
                    line = [str(SYNTHESIS), "fetch", source, "-o", str(out)]
                    seconds[kind, trip] = until_first([*network.client, *line], out)
    checks = []
    for kind in ("file", "URL", "manifest"):
        trips = (seconds[kind, rtt] - seconds[kind, 0]) / rtt * 1000
        found = f"{trips:.1f} ({seconds[kind, rtt]:.2f} s at {rtt:g} ms, {seconds[kind, 0]:.2f} s at none)"
        what = f"round trips to the first file, list of {count:,}: {kind}"
        checks.append(Check(what, "<= 3", found, trips <= 3.2))
    return checks


def until_first(line: Sequence[str], out: Path, limit: float = 30) -> float:
    """Seconds until a file has its final name in `out`; the program is ended then."""
    started = time.monotonic()
    process = subprocess.Popen(
        line,
        env=measure.environment({"HOME": str(out.parent / "home")}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while time.monotonic() - started < limit:
            if any(entry.is_file() for entry in os.scandir(out)):
                return time.monotonic() - started
            if process.poll() is not None:
                break
            time.sleep(0.001)
        return float("inf")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def requests(base: str) -> int:
    """How many requests the server has had; asking is one."""
    with urllib.request.urlopen(f"{base}/status") as answer:
        found = re.search(rb"\d+ \d+ (\d+)", answer.read())
    return int(found[1]) if found else 0
