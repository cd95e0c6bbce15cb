"""EXRs that lie: cut, damaged, or claiming what cannot be. Each gets one clear failure."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import exr_attacks
from exr_files import Part, build
from exr_person import ATTRIBUTES, channels, run
from synthesis.errors import KINDS

GOOD = build(Part(channels(), attributes=ATTRIBUTES))


def patched(name: str, value: bytes, *, data: bytes = GOOD) -> bytes:
    """`data` with the bytes of one attribute replaced."""
    place = data.index(b"\0", data.index(name.encode() + b"\0") + len(name) + 1) + 5
    return data[:place] + value + data[place + len(value) :]


def first_offset() -> int:
    """Where the offset table of `GOOD` starts: 21 lines before the first chunk."""
    for place in range(len(GOOD) - 8):
        (offset,) = struct.unpack_from("<Q", GOOD, place)
        if offset == place + 8 * 21 and GOOD[offset : offset + 4] == bytes(4):
            return place
    raise AssertionError


START = first_offset()
FIRST_CHUNK = START + 8 * 21
LIES = {
    "empty": b"",
    "not-an-exr": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "only-the-magic": GOOD[:4],
    "cut-in-the-header": GOOD[:100],
    "cut-in-the-table": GOOD[: START + 20],
    "cut-in-the-pixels": GOOD[:-1],
    "huge-window": patched("dataWindow", struct.pack("<4i", 0, 0, 65535, 65535)),
    "wide-window": patched("dataWindow", struct.pack("<4i", 0, 0, 65534, 4095)),
    "overflowing-window": patched("dataWindow", struct.pack("<4i", -(2**31), -(2**31), 2**31 - 1, 2**31 - 1)),
    "inverted-window": patched("dataWindow", struct.pack("<4i", 5, 5, 0, 0)),
    "huge-picture": patched("displayWindow", struct.pack("<4i", 0, 0, 16383, 16383)),
    "far-picture": patched("displayWindow", struct.pack("<4i", 2**31 - 9, 0, 2**31 - 1, 9)),
    "negative-attribute": GOOD.replace(b"chlist\0", b"chlist\0\xff\xff\xff\xff", 1),
    "endless-attribute": GOOD.replace(b"chlist\0", b"chlist\0\xff\xff\xff\x7f", 1),
    "unknown-type": GOOD.replace(b"A\0\x01\0\0\0", b"A\0\x07\0\0\0", 1),
    "channel-twice": GOOD.replace(b"B\0\x01\0\0\0", b"A\0\x01\0\0\0", 1),
    "missing-offset": GOOD[:START] + bytes(8) + GOOD[START + 8 :],
    "offset-in-the-header": GOOD[:START] + struct.pack("<Q", 8) + GOOD[START + 8 :],
    "offset-behind-the-end": GOOD[:START] + struct.pack("<Q", 2**63) + GOOD[START + 8 :],
    "offset-of-another-line": GOOD[:START] + GOOD[START + 8 : START + 16] + GOOD[START + 8 :],
    "wrong-line": GOOD[:FIRST_CHUNK] + struct.pack("<i", 7) + GOOD[FIRST_CHUNK + 4 :],
    "negative-size": GOOD[: FIRST_CHUNK + 4] + struct.pack("<i", -1) + GOOD[FIRST_CHUNK + 8 :],
    "huge-size": GOOD[: FIRST_CHUNK + 4] + struct.pack("<i", 2**31 - 1) + GOOD[FIRST_CHUNK + 8 :],
    "damaged-block": GOOD[: FIRST_CHUNK + 40] + bytes(32) + GOOD[FIRST_CHUNK + 72 :],
    "version-3": GOOD[:4] + struct.pack("<I", 3) + GOOD[8:],
    "deep": GOOD[:4] + struct.pack("<I", 2 | 0x800) + GOOD[8:],
    "unknown-flags": GOOD[:4] + struct.pack("<I", 2 | 0x10000) + GOOD[8:],
    "unknown-compression": patched("compression", b"\x63"),
    "subsampled": GOOD.replace(
        b"A\0" + struct.pack("<iiii", 1, 0, 1, 1), b"A\0" + struct.pack("<iiii", 1, 0, 2, 2), 1
    ),
}
UNSUPPORTED = {"version-3", "deep", "unknown-flags", "unknown-compression", "subsampled"}
TOO_LARGE = {"huge-window", "wide-window", "endless-attribute"}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_files_that_lie(tmp_path: Path, lie: str) -> None:
    result = run(tmp_path / "bad.exr", LIES[lie])
    (failure,) = result.failures
    assert result.outputs == ()
    wanted = "unsupported-exr" if lie in UNSUPPORTED else "too-large" if lie in TOO_LARGE else "invalid-exr"
    assert failure.kind == wanted, failure.message
    assert failure.kind in KINDS
    assert failure.message.startswith(str(tmp_path / "bad.exr") + ": ")
    assert "\n" not in failure.message


def test_errors_name_part_and_block(tmp_path: Path) -> None:
    (failure,) = run(tmp_path / "bad.exr", LIES["damaged-block"]).failures
    assert "part 0, block 0: " in failure.message


@pytest.mark.parametrize("name", ["piz-tiles", "dwa-names"])
def test_small_files_of_dear_blocks_are_given_up(tmp_path: Path, name: str) -> None:
    data = dict(exr_attacks.dear())[name]
    assert len(data) < 1 << 20
    (failure,) = run(tmp_path / "bad.exr", data, assets=["alpha"]).failures
    assert failure.kind == "too-large"
    assert re.search(r": part 0, block \d{3,}: ", failure.message), failure.message


BOMBS = {
    # 65,535 x 4,095 pixels in a file of a few KB, in compressions whose blocks may be tiny.
    f"bomb-{number}": LIES["wide-window"].replace(
        b"compression\0compression\0\x01\0\0\0\x02",
        b"compression\0compression\0\x01\0\0\0" + bytes([number]),
        1,
    )
    for number in (4, 5, 6, 7, 8, 9)
}


WITH_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from synthesis.ops.extract import ASSETS, extract

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
files = sorted(Path(sys.argv[1]).glob("*.exr"))
results = extract(files, assets=ASSETS, directory=Path(sys.argv[1]) / "out", workers=1)
assert all(result.failures and not result.outputs for result in results)
print(len(results))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's view of a process")
def test_files_that_lie_get_little_memory(tmp_path: Path) -> None:
    for name, data in (LIES | BOMBS).items():
        (tmp_path / f"{name}.exr").write_bytes(data)
    command = [sys.executable, "-c", WITH_LITTLE_MEMORY, str(tmp_path)]
    child = subprocess.run(command, capture_output=True, text=True)
    assert (child.returncode, child.stdout) == (0, f"{len(LIES | BOMBS)}\n"), child.stderr
