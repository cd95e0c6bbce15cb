"""The render engine, loaded when it is first needed."""

from __future__ import annotations

import os
import tempfile
from typing import Any


def engine(threads: int | None = None) -> Any:
    """Return Mitsuba with the one variant that runs everywhere, `scalar_rgb`.

    Args:
        threads: how many it may use from now on; None leaves that as it is (at first one per core).
    """
    with tempfile.TemporaryDirectory() as folder:
        # Dr.Jit makes a folder for kernels as it loads, by default in the home; this variant has no kernels.
        os.environ.setdefault("DRJIT_CACHE_DIR", folder)
        import mitsuba

        if mitsuba.variant() != "scalar_rgb":
            mitsuba.set_variant("scalar_rgb")
            mitsuba.set_log_level(mitsuba.LogLevel.Error)
        if os.environ["DRJIT_CACHE_DIR"] == folder:
            del os.environ["DRJIT_CACHE_DIR"]
    if threads is not None:
        import drjit

        drjit.set_thread_count(threads)
    return mitsuba
