"""The `synthesis` command: one file per command group; parse, call, print."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    from synthesis.cli.app import run

    sys.exit(run(sys.argv[1:]))
