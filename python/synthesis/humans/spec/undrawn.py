"""What a spec may ask for and the pictures do not show yet: recorded in the labels, and warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.humans.spec.values import Distribution

if TYPE_CHECKING:
    from synthesis.humans.faults import Faults
    from synthesis.humans.spec.values import Group

NOT_DRAWN = "recorded in the metadata, not drawn yet"

_NEUTRAL = {
    "accessories.glasses": ("style", "none"),
    "accessories.headwear": ("style", "none"),
    "accessories.masks": ("style", "none"),
    "accessories.headphones": ("style", "none"),
    "gesture": ("name", "default"),
}
"""Parameters whose every other name changes no picture: (field, the name that is drawn as it says)."""


_OFF = (Distribution(values=(0.0,)), Distribution())


def warn(group: Group, path: str, faults: Faults) -> None:
    """Warn once for each parameter and rig of a group that the embedded renderer leaves out."""
    for parameter, (field, neutral) in _NEUTRAL.items():
        asked = (name for choice in group.parameters[parameter] for name in choice.values[field])
        if any(name != neutral for name in asked):
            faults.warn(f"{path}.{parameter}", NOT_DRAWN)
    if any(choice.values["height"] for choice in group.parameters["body"]):
        faults.warn(f"{path}.body.height", NOT_DRAWN)
    for number, rig in enumerate(group.rigs):
        at = f"{path}.camera_and_light_rigs.{number}"
        if any(light.intensity not in _OFF for light in rig.lights):
            faults.warn(f"{at}.lights", NOT_DRAWN)
        if any(camera.wavelength == "nir" for camera in rig.cameras):
            faults.warn(f"{at}.cameras", f"near infrared is {NOT_DRAWN}")
