"""A few letters of our own for captions in pictures: five by five dots each, drawn large."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALE = 2
HEIGHT = 5 * SCALE
# Five rows of five bits, top row first, leftmost dot in the highest bit.
_DOTS = {
    "a": "01110 10001 11111 10001 10001",
    "b": "11110 10001 11110 10001 11110",
    "c": "01111 10000 10000 10000 01111",
    "d": "11110 10001 10001 10001 11110",
    "e": "11111 10000 11110 10000 11111",
    "f": "11111 10000 11110 10000 10000",
    "g": "01111 10000 10011 10001 01111",
    "h": "10001 10001 11111 10001 10001",
    "i": "01110 00100 00100 00100 01110",
    "k": "10001 10010 11100 10010 10001",
    "l": "10000 10000 10000 10000 11111",
    "m": "10001 11011 10101 10001 10001",
    "n": "10001 11001 10101 10011 10001",
    "o": "01110 10001 10001 10001 01110",
    "p": "11110 10001 11110 10000 10000",
    "r": "11110 10001 11110 10010 10001",
    "s": "01111 10000 01110 00001 11110",
    "t": "11111 00100 00100 00100 00100",
    "u": "10001 10001 10001 10001 01110",
    "0": "01110 10011 10101 11001 01110",
    "1": "00100 01100 00100 00100 01110",
    "2": "11110 00001 01110 10000 11111",
    "3": "11110 00001 01110 00001 11110",
    "4": "10010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 11110",
    "6": "01110 10000 11110 10001 01110",
    "7": "11111 00001 00010 00100 00100",
    "8": "01110 10001 01110 10001 01110",
    "9": "01110 10001 01111 00001 01110",
    "?": "11110 00001 00110 00000 00100",
}


def width(text: str) -> int:
    """Return how many pixels wide `text` is drawn."""
    return max(0, len(text) * 6 - 1) * SCALE


def draw(picture: NDArray[np.uint8], text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    """Draw `text` with its upper left corner at (x, y); a letter without dots is a blank.

    Args:
        picture: (H, W, 3); what would lie outside is left out.
        text: letters of either case, digits, blanks.
        x: pixels from the left.
        y: pixels from the top.
        colour: red, green, blue in 0..255.
    """
    for letter in text.lower():
        for row, bits in enumerate(_DOTS.get(letter, "").split()):
            for column, bit in enumerate(bits):
                if bit == "1":
                    top, left = y + row * SCALE, x + column * SCALE
                    picture[top : top + SCALE, left : left + SCALE] = colour
        x += 6 * SCALE
