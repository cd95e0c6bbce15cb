from __future__ import annotations

import numpy as np

from synthesis.humans.renderers import soften
from synthesis.humans.renderers.labelled import Seen


def test_folds_whose_normals_cancel_keep_their_light():
    size, samples = 8, 9
    shape = (samples, size, size)
    position = np.zeros((*shape, 3), np.float32)
    position[..., :2] = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) * 0.001
    normal = np.zeros((*shape, 3), np.float32)
    normal[..., 2] = np.where(np.arange(samples) % 2, -1.0, 1.0)[:, None, None]
    grey = np.full((*shape, 3), 0.5, np.float32)
    seen = Seen((0, 0, size, size), np.ones(shape, np.int32), position, normal, grey, samples // 2)
    colour = np.full((size, size, 3), 0.25, np.float32)
    kinds = np.full(shape, soften.KINDS["cloth"])
    assert np.allclose(soften.soften(colour, seen, kinds), colour, atol=1e-4)
