"""Write one small EXR of each compression that `tests/exr_files.py` cannot pack; needs `pip install OpenEXR`.

python tests/data/exr/make.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import OpenEXR

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from exr_seeds import ATTRIBUTES, picture  # noqa: E402

KINDS = ("PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")


def main() -> None:
    """Write them."""
    for kind in KINDS:
        header = {
            "compression": getattr(OpenEXR, f"{kind}_COMPRESSION"),
            "type": OpenEXR.scanlineimage,
            **ATTRIBUTES,
        }
        channels = {name: np.ascontiguousarray(plane) for name, plane in picture(16, 34).items()}
        OpenEXR.File(header, channels).write(str(HERE / f"{kind.lower()}.exr"))


if __name__ == "__main__":
    main()
