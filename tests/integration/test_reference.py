"""docs/reference/cli.md says what the help texts say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "generate.py"


def test_the_command_reference_is_current() -> None:
    ran = subprocess.run([sys.executable, str(SCRIPT), "--check"], check=False)
    assert ran.returncode == 0, "run: just docs"
