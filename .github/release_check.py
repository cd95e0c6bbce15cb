"""Fail unless a tag, the workspace's version and the newest changelog entry agree."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Compare the three and say what differs."""
    tag = sys.argv[1].removeprefix("refs/tags/").removeprefix("v")
    version = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
    entries = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    newest = entries[0] if entries else "none"
    if tag == version == newest:
        print(f"release {version}")
        return 0
    print(f"tag {tag}, Cargo.toml {version} and CHANGELOG.md {newest} differ", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
