"""What the base installation leaves out."""

from __future__ import annotations

from importlib.util import find_spec

from synthesis.errors import UsageError

PLATFORM = ("mitsuba", "numpy", "sqlalchemy", "starlette", "uvicorn")


def need_platform() -> None:
    """Raise an error that says what to install when the platform's libraries are not there."""
    missing = [name for name in PLATFORM if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the platform is not installed: {', '.join(missing)} missing",
            hint="run: pip install 'synthesis-cli[platform]'",
            fields={"missing": missing},
        )
