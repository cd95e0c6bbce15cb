"""How long `synthesis` takes to start, against the bare interpreter; prints a Markdown table.

    python tests/bench/startup.py [RUNS]

CPU time of the child (user and system), median of RUNS (15), after one run to warm the disk.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SYNTHESIS = str(Path(sysconfig.get_path("scripts")) / "synthesis")
PROGRAMS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    "synthesis --version": [SYNTHESIS, "--version"],
    "synthesis --help": [SYNTHESIS, "--help"],
    "synthesis job --help": [SYNTHESIS, "job", "--help"],
    "a key pressed for completion": [
        "env",
        "_SYNTHESIS_COMPLETE=complete_zsh",
        "_TYPER_COMPLETE_ARGS=synthesis fetch --l",
        SYNTHESIS,
    ],
    "synthesis fetch, an empty list": [SYNTHESIS, "fetch", os.devnull, "-o", "nothing"],
    "synthesis exr info": [SYNTHESIS, "exr", "info", "nothing.exr"],
}


def cpu_milliseconds(command: list[str], folder: str) -> float:
    """CPU time of one run in a folder of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    sys.stdout.write("| command | CPU ms |\n| --- | --- |\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in PROGRAMS.items():
            cpu_milliseconds(command, folder)
            median = statistics.median(cpu_milliseconds(command, folder) for _ in range(runs))
            sys.stdout.write(f"| `{name}` | {median:.0f} |\n")


if __name__ == "__main__":
    main()
