"""Renderers: a scene seen by one camera becomes a multi-channel EXR (`formats.md` §5.5).

An EXR holds A, R, G, B (half, scene-linear), Z (float, metres along the ray, 0 behind), `normals.X`,
`.Y`, `.Z` (half, view-ray frame, x negated) and the cryptomattes `segmentation` and `clothing`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from synthesis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure.model import Figure
    from synthesis.humans.scene import Scene


class Renderer(ABC):
    """Draws the images of a scene."""

    def figure(self, scene: Scene, frame: int) -> Figure:
        """Build the person of one frame; every camera of the frame and the labels share it."""
        from synthesis.humans.figure import build

        return build(scene, frame)

    @abstractmethod
    def render(self, scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure, path: Path) -> None:
        """Write the EXR at `path`; equal arguments give an equal file on the same machine."""


NAMES = ("mitsuba", "flat")


def get(name: str, threads: int | None = None) -> Renderer:
    """Return the renderer of that name: `mitsuba` for pictures, `flat` for tests and dry runs.

    `threads` is how many it may use, None for one per core; processes that share a machine take 1.
    Raises `UsageError` for any other name.
    """
    if name == "mitsuba":
        from synthesis.humans.renderers.mitsuba import MitsubaRenderer

        return MitsubaRenderer(threads=threads)
    if name == "flat":
        from synthesis.humans.renderers.flat import FlatRenderer

        return FlatRenderer()
    raise UsageError(f"no renderer is called {name!r}", hint=f"use one of {', '.join(NAMES)}")
