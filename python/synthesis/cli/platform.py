"""`synthesis platform`: accounts, orgs, members and keys of a data folder on this machine."""

from __future__ import annotations

from synthesis.cli.command import group

app = group("Administer a platform's data folder on this machine.")
