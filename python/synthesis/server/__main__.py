"""`python -m synthesis.server --data FOLDER`: the platform without the command line around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synthesis.errors import SynthesisError
from synthesis.server.serve import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_RENDERER, serve


def main() -> int:
    """Serve until a signal; the exit code of the error otherwise."""
    parser = argparse.ArgumentParser(prog="python -m synthesis.server")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--renderer", default=DEFAULT_RENDERER)
    try:
        serve(**vars(parser.parse_args()))
    except SynthesisError as error:
        sys.stderr.write(f"{error.message}\n")
        if error.hint:
            sys.stderr.write(f"{error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
