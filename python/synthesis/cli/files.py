"""Input files named on the command line, and where results are put."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from synthesis.errors import UsageError


def read_input(path: Path) -> bytes:
    """Return the bytes of an input file; `-` is stdin."""
    from synthesis.files import read_file

    return sys.stdin.buffer.read() if str(path) == "-" else read_file(path.expanduser())


def check_json(data: bytes, path: Path) -> object:
    """Return the parsed JSON; an error names the line and column at fault."""
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not JSON: byte {error.start} is not UTF-8",
            kind="invalid-json",
            hint="save it as UTF-8",
        ) from error
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{path} is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}",
            kind="invalid-json",
            hint="mend the file at that place",
            fields={"path": str(path), "line": error.lineno, "column": error.colno},
        ) from error
    except RecursionError as error:
        raise UsageError(
            f"{path} is nested too deeply",
            kind="invalid-json",
            hint="mend the file",
            fields={"path": str(path)},
        ) from error


def result_path(given: Path | None, default_name: str) -> Path:
    """Return the file that `-o` means.

    Nothing: `default_name` here. A folder that is there, a path that ends in a slash or a name
    without an extension: `default_name` in that folder. Anything else: that file.
    """
    if given is None:
        return Path(default_name)
    path = given.expanduser()
    if path.is_dir() or (not path.suffix and not path.is_file()):
        return path / default_name
    return path
