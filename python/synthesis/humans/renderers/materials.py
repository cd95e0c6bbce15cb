"""Mitsuba descriptions of what the figure's surfaces are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthesis.humans.figure import Surface


def material(surface: Surface, painted: bool) -> dict[str, Any]:  # noqa: FBT001
    """A BSDF description; `painted` takes the colour from the vertices."""
    colour: dict[str, Any] = {"type": "rgb", "value": list(surface.colour)}
    if painted:
        colour = {"type": "mesh_attribute", "name": "vertex_color"}
    if surface.kind == "skin":
        return {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.38,
                "sheen": 0.12, "clearcoat": 0.08, "clearcoat_gloss": 0.6}  # fmt: skip
    if surface.kind == "eye":
        return {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.75,
                "clearcoat": 1.0, "clearcoat_gloss": 0.98}  # fmt: skip
    if surface.kind == "hair":
        return {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.5}
    if surface.kind == "cloth":
        inner = {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.25,
                 "sheen": 0.6 if surface.roughness > 0.6 else 0.1}  # fmt: skip
        return {"type": "twosided", "bsdf": inner}
    inner = {"type": "principled", "base_color": colour, "roughness": surface.roughness, "specular": 0.6}
    return {"type": "twosided", "bsdf": inner}
