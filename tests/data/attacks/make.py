"""Write the attacks that once broke something; run after adding a line to `FOUND`.

python tests/data/attacks/make.py
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from exr_attacks import family  # noqa: E402

FOUND = {
    # Their names went to the terminal as they are, in the words of an error.
    "lies": ["cryptomatte_b818ccc_name-long"],
    "words": ["dwaa-820"],
    "channel_lists": ["zips-not-text"],
}


def main() -> None:
    """Write them."""
    for sort, names in FOUND.items():
        for name, data in family(sort):
            if name in names:
                (HERE / f"{sort}-{name}.exr").write_bytes(data)


if __name__ == "__main__":
    main()
