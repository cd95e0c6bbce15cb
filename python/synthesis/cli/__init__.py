"""The `synthesis` command: one file per command group; parse, call, print."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    for name in ("stdin", "stdout", "stderr"):  # a stream that was closed (`>&-`) is None here
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115
    if sys.argv[1:] == ["--version"]:  # what installers and scripts ask: answered before typer is loaded
        try:
            sys.stdout.write(version() + "\n")
            sys.stdout.flush()
            return
        except OSError:  # `run` tries again, and knows what to say
            pass
    try:
        from synthesis.cli.app import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


def version() -> str:
    """Return what `synthesis --version` prints."""
    from synthesis import __version__

    return f"synthesis {__version__}"
