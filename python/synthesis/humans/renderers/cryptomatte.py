"""Cryptomattes from labelled sub-samples (Cryptomatte Specification 1.2; `formats.md` §5.3)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    Array = np.ndarray

RANKS = 6


def ranks(labels: Array, count: int) -> tuple[Array, Array]:
    """The commonest labels of each pixel.

    Args:
        labels: (S, H, W) int, one label per sub-sample, 0 is nothing.
        count: number of labels, nothing included.

    Returns:
        (RANKS, H, W) labels by falling coverage (0 where none) and their coverage in 0..1, float32.
    """
    import numpy as np

    samples, height, width = labels.shape
    flat = labels.reshape(samples, -1)
    order = np.zeros((RANKS, height * width), np.int32)
    share = np.zeros((RANKS, height * width), np.float32)
    pure = (flat == flat[0]).all(0)
    order[0, pure] = flat[0, pure]
    share[0, pure] = flat[0, pure] > 0
    mixed = np.flatnonzero(~pure)
    if len(mixed):
        tally = np.zeros((len(mixed), count), np.int32)
        for row in flat[:, mixed]:
            tally[np.arange(len(mixed)), row] += 1
        tally[:, 0] = 0
        top = np.argsort(-tally, axis=1, kind="stable")[:, :RANKS]
        amount = np.take_along_axis(tally, top, 1)
        ranks_found = top.shape[1]
        order[:ranks_found, mixed] = np.where(amount > 0, top, 0).T
        share[:ranks_found, mixed] = amount.T / samples
    return order.reshape(RANKS, height, width), share.reshape(RANKS, height, width)


def channels(name: str, names: Sequence[str], labels: Array) -> tuple[dict[str, Array], dict[str, str]]:
    """Channels and attributes of one cryptomatte.

    Args:
        name: of the cryptomatte, e.g. `segmentation`.
        names: every name of the manifest; label k + 1 is `names[k]`.
        labels: (S, H, W) as for `ranks`.
    """
    import numpy as np

    order, share = ranks(labels, len(names) + 1)
    ids = np.array([0] + [object_id(n) for n in names], np.uint32).view(np.float32)
    planes = {}
    for rank in range(RANKS):
        layer = f"{name}{rank // 2:02d}"
        first, second = ("R", "G") if rank % 2 == 0 else ("B", "A")
        planes[f"{layer}.{first}"] = ids[order[rank]]
        planes[f"{layer}.{second}"] = share[rank]
    key = f"cryptomatte/{object_id(name):08x}"[: len("cryptomatte/") + 7]
    manifest = {n: f"{object_id(n):08x}" for n in names}
    attributes = {
        f"{key}/name": name,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": json.dumps(manifest, separators=(",", ":")),
    }
    return planes, attributes
