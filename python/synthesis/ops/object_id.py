"""Cryptomatte ids of object names."""

from __future__ import annotations

from synthesis import _core


def object_id(name: str) -> int:
    """The 32-bit id of an object's name: its bits, seen as float32, go into the id channels.

    MurmurHash3_32 of the UTF-8 name, seed 0; where the exponent bits are all 0 or all 1, bit 23 is
    flipped, so that the float is never zero, denormal, infinite or NaN (Cryptomatte Specification
    1.2.0). The first 7 hex digits of the id of a layer's name are the key of its attributes.
    """
    return _core.object_id(name)
