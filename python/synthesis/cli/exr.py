"""`synthesis exr`: look into EXRs and make assets of them, without any server."""

from __future__ import annotations

from synthesis.cli.command import group

app = group("Look into EXRs and make standalone images of them.")
