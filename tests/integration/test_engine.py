"""The render engine leaves the home folder alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOK = "from synthesis.ops.engine import engine; print(engine(1).variant(), engine().variant())"


def test_loading_the_engine_makes_no_folder_in_the_home(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DRJIT_CACHE_DIR"}
    command = [sys.executable, "-c", LOOK]
    home = {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    ran = subprocess.run(command, env=environment | home, check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["scalar_rgb", "scalar_rgb"]
    assert list(tmp_path.iterdir()) == []
