"""`python -m synthesis.cli` is the `synthesis` command."""

from __future__ import annotations

from synthesis.cli import main

main()
