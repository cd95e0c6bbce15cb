"""What keeps the house in order: versions agree, files stay small, the README keeps its promises."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import synthesis

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows, or every file when this is no clone."""
    found = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("not a git clone")
    return [ROOT / line for line in found.stdout.splitlines() if (ROOT / line).is_file()]


def test_versions_agree() -> None:
    from synthesis import _core

    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
    assert synthesis.__version__ == cargo == _core.__version__


def test_every_public_name_resolves() -> None:
    assert all(hasattr(synthesis, name) for name in synthesis.__all__)
    with pytest.raises(AttributeError):
        _ = synthesis.nothing_of_the_kind


def test_files_stay_under_400_lines() -> None:
    long = {p.name: n for p in tracked("*.py", "*.rs") if (n := len(p.read_bytes().splitlines())) > 400}
    assert not long


def test_readme_is_short_and_has_its_two_commands() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) < 150
    assert "pip install '.[platform]' && synthesis quickstart" in lines
    assert "pip install '.[platform,test]' && pytest" in lines


def test_links_of_the_documents_lead_somewhere() -> None:
    dead = [
        f"{page.name}: {target}"
        for page in tracked("*.md")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not dead


def test_actions_are_pinned_by_hash() -> None:
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        uses = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
        assert all(u.startswith("./") or re.fullmatch(r"\S+@[0-9a-f]{40}", u) for u in uses), workflow.name
