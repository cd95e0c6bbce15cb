"""Start-up stays light: what `--version` and `--help` import is looked at, not timed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import platformdirs
import pytest

import synthesis
from fakes.command import HEAVY, loaded_by
from synthesis.ops.transfer import memory_path

if TYPE_CHECKING:
    from pathlib import Path


def test_both_ways_to_the_version_say_the_same() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", "synthesis.cli", *options], capture_output=True, check=True
        ).stdout
        for options in (["--version"], ["--json", "--version"])
    ]
    assert said[0] == said[1] == f"synthesis {synthesis.__version__}\n".encode()


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_version_and_help_load_nothing_heavy(option: str) -> None:
    assert not loaded_by(option) & set(HEAVY)


@pytest.mark.parametrize("command", [["job", "--help"], ["job", "assets", "download", "--help"]])
def test_help_of_a_command_loads_nothing_heavy_and_no_other_command(command: list[str]) -> None:
    loaded = loaded_by(*command)
    assert "synthesis.cli.job" in loaded
    assert not loaded & {*HEAVY, "synthesis.cli.quickstart", "synthesis.cli.serve", "synthesis.client"}


def test_the_package_alone_loads_next_to_nothing() -> None:
    program = "import sys, synthesis; print(*(m for m in sys.modules if m.startswith('synthesis')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["synthesis"]


def test_a_plain_line_loads_no_parser_and_nothing_that_introspects(tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    loaded = loaded_by("fetch", str(tmp_path / "list.txt"), "-o", str(tmp_path / "out"))
    assert "synthesis.ops.fetch" in loaded
    assert not loaded & {*HEAVY, "typer", "inspect", "dataclasses", "platformdirs", "random", "orjson"}


def test_completion_loads_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SYNTHESIS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "synthesis fetch --limit")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert not loaded_by() & {*HEAVY, "typer", "inspect", "dataclasses", "synthesis.ops"}


def test_the_cache_folder_is_where_the_system_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (None, "", "/elsewhere", "relative"):
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        if given is not None:
            monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert memory_path().parent == platformdirs.user_cache_path("synthesis", appauthor=False), given
