"""Mitsuba descriptions of what the figure's surfaces are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthesis.humans.figure import Surface


def material(surface: Surface, painted: bool) -> dict[str, Any]:
    """A BSDF description; `painted` takes the colour from the vertices."""
    colour: dict[str, Any] = {"type": "rgb", "value": list(surface.colour)}
    if painted:
        colour = {"type": "mesh_attribute", "name": "vertex_color"}
    kinds: dict[str, dict[str, Any]] = {
        "skin": {"specular": 0.38, "sheen": 0.12, "clearcoat": 0.06, "clearcoat_gloss": 0.5},
        "eye": {"specular": 0.75, "clearcoat": 1.0, "clearcoat_gloss": 0.98},
        "hair": {"specular": 0.32},
        "cloth": {"specular": 0.25, "sheen": 0.5 if surface.roughness > 0.6 else 0.1},
    }
    inner = {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.6}
    inner |= kinds.get(surface.kind, {})
    return inner if surface.kind == "hair" else {"type": "twosided", "bsdf": inner}
