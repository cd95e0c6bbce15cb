"""The built web app, when there is one."""

from __future__ import annotations

from pathlib import Path

MISSING = "This installation has no web app."
"""What to tell people when `find` finds nothing."""


def find() -> Path | None:
    """The folder of the built web app; None when it was not built into this installation."""
    folder = Path(__file__).with_name("dist")
    return folder if (folder / "index.html").is_file() else None
