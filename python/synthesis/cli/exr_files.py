"""The EXRs that a command line names: files, folders, patterns."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from synthesis.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable


def expand(named: Iterable[Path]) -> list[Path]:
    """Return the EXRs named, each once.

    A folder stands for the EXRs in it. A pattern that no shell expanded (`*`, `?`, `[a-z]`, `**` for
    folders at any depth) stands for what it matches, by name; a file of just that name comes first.
    """
    paths: list[Path] = []
    for name in named:
        path = name.expanduser()
        paths += _inside(path) if path.exists() or not glob.has_magic(str(path)) else _matches(path)
    return list(dict.fromkeys(paths))


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(entry for entry in path.iterdir() if entry.suffix.lower() == ".exr")
    if not found:
        raise NotFoundError(f"{path} has no EXR in it", hint="name another folder, or the files")
    return found


def _matches(pattern: Path) -> list[Path]:
    found = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207 - Path.glob takes no absolute pattern
    exrs = [path for path in found if path.suffix.lower() == ".exr" and path.is_file()]
    if not exrs:
        raise NotFoundError(f"no EXR matches {pattern}", hint="look at the folder, and quote the pattern")
    return exrs
