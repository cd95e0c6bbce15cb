"""Draws without state: a value depends on its key alone, not on what was drawn before it.

A key is any sequence of values with a stable `str`, such as (job seed, render id, dotted field). It is
hashed with BLAKE2b and only integer arithmetic and exact float steps follow, so that every machine and
Python version draws the same.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def bits(*key: object) -> int:
    """Hash a key to an integer of 128 bits."""
    text = "\x1f".join(map(str, key))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


def unit(*key: object) -> float:
    """Draw a float from [0, 1), on a grid of 2^-53."""
    return (bits(*key) >> 75) * 2.0**-53


def between(low: float, high: float, *key: object) -> float:
    """Draw a float uniformly from [low, high]."""
    return min(high, low + (high - low) * unit(*key))


def normal(*key: object) -> float:
    """Draw from a bell curve of mean 0 and deviation 1 that ends at +-3.46 (sum of four uniforms)."""
    drawn = bits(*key)
    total = sum((drawn >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96))
    return (total / 2.0**32 - 2.0) * 1.7320508075688772


def below(count: int, *key: object) -> int:
    """Draw an integer from 0 .. count - 1."""
    return bits(*key) * count >> 128


def pick(values: Sequence[T], *key: object) -> T:
    """Draw one of `values`; a repeated value weighs more."""
    return values[below(len(values), *key)]


def weighted(weights: dict[T, float], *key: object) -> T:
    """Draw a key of `weights` with a chance in proportion to its weight."""
    sums = list(accumulate(weights.values()))
    return list(weights)[min(bisect_right(sums, unit(*key) * sums[-1]), len(sums) - 1)]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` in proportion to `weights` by largest remainder; ties go to the earlier one."""
    whole = sum(weights)
    quotas = [total * weight / whole for weight in weights]
    shares = [int(quota) for quota in quotas]
    # Rounding of the remainders keeps equal quotas equal whatever the last bit of the division was.
    order = sorted(range(len(shares)), key=lambda i: (-round(quotas[i] - shares[i], 9), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares


def shuffled(index: int, count: int, *key: object) -> int:
    """Return where `index` of 0 .. count - 1 goes in a shuffle seeded by `key`, without making a table.

    A Feistel network of four rounds permutes the next even power of two; walking its cycle until the
    value is below `count` makes it a permutation of the range (Black and Rogaway, 2002).
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    value = index
    while True:
        left, right = value >> half, value & mask
        for step in range(4):
            left, right = right, left ^ (bits(*key, step, right) & mask)
        value = left << half | right
        if value < count:
            return value
