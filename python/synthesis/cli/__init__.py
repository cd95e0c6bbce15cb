"""The `synthesis` command: one file per command group; parse, call, print."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    import os

    from synthesis.cli.app import run

    for name in ("stdin", "stdout", "stderr"):  # a stream that was closed (`>&-`) is None here
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115
    sys.exit(run(sys.argv[1:]))
