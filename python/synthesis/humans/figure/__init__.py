"""The human figure: a scene becomes geometry in the world.

`template.py` lays a fixed grid over `sculpture.py`; `shape.py` gives it an identity, `actions.py` an
expression, `pose.py` a place. Skin, eyes, ears, hair, body and clothes are one file each. World frame
of `formats.md` §3.1: metres, y up, the subject faces +z, floor at y = 0, eyes near y = 1.6.
"""

from __future__ import annotations

from synthesis.humans.figure.assemble import build
from synthesis.humans.figure.model import Figure, Mesh, Strands, Surface

__all__ = ["Figure", "Mesh", "Strands", "Surface", "build"]
