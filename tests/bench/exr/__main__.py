"""CPU time of EXR work beside OpenEXR, OpenImageIO, OpenCV and tifffile; `tests/bench/README.md` says how.

    python -m pip install -r tests/bench/requirements.txt
    python tests/bench/exr [--size 1024] [--runs 7] [--kinds noisy,plain] [--write]

Makes EXRs, compares both sides' pixels, then lets the sides take turns on one core. A figure is the least CPU
time of its runs, in this one process; files are in the page cache, outputs go to a memory file system.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.exr import corpora, peers
from bench.exr.tasks import ASSETS, Task, tasks

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"


def cpu(work: Callable[[], object]) -> float:
    """CPU milliseconds of all threads of this process."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


GROWTH = """
import sys
from synthesis.ops.extract import extract
def peak(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
before = peak()
(done,) = extract([sys.argv[1]], assets=sys.argv[3:], directory=sys.argv[2], workers=1)
assert not done.failures
print(peak() - before)
"""


def memory(folder: Path, size: int, most: float) -> tuple[str, bool]:
    """How much one worker takes for a noisy file: the line of it, and whether it keeps its promise."""
    path = folder / f"memory-{size}.exr"
    path.write_bytes(corpora.make("noisy", size, 0))
    command = [sys.executable, "-c", GROWTH, str(path), str(folder / "memory"), *ASSETS]
    found = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    path.unlink()
    return (
        f"| {size} x {size} | {found:.1f} | <= {most:g} | {'yes' if found <= most else '**no**'} |",
        found <= most,
    )


def row(task: Task, runs: int) -> tuple[str, bool]:
    """Measure a task; its line of the table, and whether it keeps what is promised."""
    ours, theirs = float("inf"), float("inf")
    for _ in range(runs):
        ours, theirs = min(ours, cpu(task.ours)), min(theirs, cpu(task.theirs))
    if task.must:
        must, kept = f">= {task.must:g}", theirs / ours >= task.must
        times = f"{theirs / ours:.1f}"
    else:
        must, kept = "<= 1 ms", ours - theirs <= 1
        times = f"{ours - theirs:+.1f} ms"
    size = ""
    if task.size is not None and task.largest is not None:
        share = task.size()
        size, kept = f"{share:.2f} (<= {task.largest:.2f})", kept and share <= task.largest
    figures = (f"{theirs:.1f}", f"{ours:.1f}", times, must, size, "yes" if kept else "**no**")
    words = (task.name, task.kind, task.peer, *figures)
    return "| " + " | ".join(words) + " |", kept


def main() -> int:
    """Run, print, write; 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="tests/bench/exr", description=__doc__)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--kinds", default=",".join(corpora.kinds()))
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    in_memory = Path("/dev/shm")
    parser.add_argument("--scratch", default=in_memory if in_memory.is_dir() else None)
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    peers.one_thread()
    libraries = ("OpenEXR", "OpenImageIO", "opencv-python-headless", "tifffile", "numpy", "synthesis-cli")
    lines = [
        f"{asked.size} x {asked.size}, least CPU time of {asked.runs} runs in turns on one core; "
        f"{platform.machine()}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in libraries),
        "",
        "| work | file | peer | peer ms | ours ms | times as fast | must | bytes of ours / peer's | kept |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    print("\n".join(lines), flush=True)
    all_kept = True
    with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
        for kind in asked.kinds.split(","):
            path = Path(folder) / f"{kind}.exr"
            path.write_bytes(corpora.make(kind, asked.size, 0))
            for task in tasks(kind, path, Path(folder)):
                line, kept = row(task, asked.runs)
                all_kept &= kept
                lines.append(line)
                print(line, flush=True)
        lines += ["", "| memory of one worker | MiB | must | kept |", "| --- | ---: | ---: | --- |"]
        for size, most in ((1024, 16), (4096, 64)):
            line, kept = memory(Path(folder), size, most)
            all_kept &= kept
            lines.append(line)
            print(line, flush=True)
    if asked.write:
        write(lines)
    return 0 if all_kept else 1


def write(lines: list[str]) -> None:
    """Put the lines between the marks of the page."""
    text = DOCS.read_text()
    before, _, rest = text.partition("<!-- exr -->\n")
    _, _, after = rest.partition("<!-- /exr -->")
    DOCS.write_text(before + "<!-- exr -->\n\n" + "\n".join(lines) + "\n\n<!-- /exr -->" + after)


if __name__ == "__main__":
    sys.exit(main())
