"""Extraction by rows: any channel, files with holes, disks with an end, memory with a bound."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exr_files import NONE, ZIPS, Part, build, cryptomatte
from exr_person import ATTRIBUTES, channels, check, expected, images, run
from readers import read_tiff
from synthesis.errors import UsageError
from synthesis.ops.extract import extract

if TYPE_CHECKING:
    from pathlib import Path


def test_channels_as_they_are(tmp_path: Path) -> None:
    made = {"Z": channels()["Z"], "A": channels()["A"], "id": np.arange(777, dtype="<u4").reshape(21, 37)}
    path = tmp_path / "x.exr"
    result = run(path, build(Part(made)), assets=[], channels=list(made))
    assert [output.name for output in result.outputs] == ["x.Z.tif", "x.A.tif", "x.id.tif"]
    for output, array in zip(result.outputs, made.values(), strict=True):
        np.testing.assert_array_equal(read_tiff(output.read_bytes()), array)
    (tmp_path / "y").mkdir()
    result = run(tmp_path / "y" / "y.exr", build(Part(made)), assets=[], channels=["id", "A"], format="npy")
    for output, name in zip(result.outputs, ["id", "A"], strict=True):
        found = np.load(output)
        assert found.dtype == made[name].dtype
        np.testing.assert_array_equal(found, made[name])


@pytest.mark.parametrize("name", ["", "a/b", "..\\a", "a:b", "*", "a\n", "x" * 201])
def test_names_that_are_no_names_of_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.exr").write_bytes(build(Part({"Z": channels()["Z"]})))
    with pytest.raises(UsageError, match="no file can be called"):
        extract([tmp_path / "a.exr"], channels=[name], directory=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_channel_may_not_hide_an_asset(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"X\.depth\.tif"):
        extract([tmp_path / "a.exr"], assets=["depth"], channels=["Depth"], directory=tmp_path / "out")
    with pytest.raises(UsageError, match="nothing to make"):
        extract([tmp_path / "a.exr"], directory=tmp_path / "out")


def test_a_thumbnail_beside_or_without_its_picture(tmp_path: Path) -> None:
    made = channels(300, 200)
    data = build(Part(made))
    both = run(tmp_path / "a.exr", data, assets=["rgb"], thumbnail=True)
    assert [output.name for output in both.outputs] == ["a.rgb.png", "a.thumbnail.jpg"]
    (tmp_path / "b").mkdir()
    alone = run(tmp_path / "b" / "b.exr", data, assets=[], thumbnail=True)
    (small,) = alone.outputs
    assert small.read_bytes() == both.outputs[1].read_bytes()
    # The size, as the frame header (SOF0) has it.
    at = small.read_bytes().index(b"\xff\xc0") + 5
    assert struct.unpack(">HH", small.read_bytes()[at : at + 4]) == (170, 256)
    (tmp_path / "c").mkdir()
    nothing = run(tmp_path / "c" / "c.exr", build(Part({"Z": made["Z"]})), assets=["depth"], thumbnail=True)
    assert [failure.name for failure in nothing.failures] == ["c.thumbnail.jpg"]


def test_rows_that_exist_are_made_on_request(tmp_path: Path) -> None:
    made = channels()
    data = bytearray(build(Part(made, NONE, attributes=ATTRIBUTES)))
    chunk = 8 + sum(array.dtype.itemsize for array in made.values()) * 37
    for row in (3, 4, 9):  # an interrupted render leaves no place of a block
        table = len(data) - 21 * (chunk + 8)
        data[table + 8 * row : table + 8 * row + 8] = bytes(8)
        at = len(data) - (21 - row) * chunk
        data[at : at + chunk] = b"\xff" * chunk
    assert run(tmp_path / "a.exr", bytes(data)).failures[0].kind == "invalid-exr"
    result = run(tmp_path / "b.exr", bytes(data), partial=True)
    assert result.failures == ()
    missing = {row for first, last in result.missing for row in range(first, last + 1)}
    assert {3, 4, 9} <= missing
    wanted = expected(made)
    for image in wanted.values():
        image[sorted(missing)] = 0
    check(images(result), wanted)


def test_a_whole_file_lacks_no_row(tmp_path: Path) -> None:
    result = run(
        tmp_path / "a.exr", build(Part(channels(), attributes=ATTRIBUTES)), partial=True, verify=True
    )
    assert (result.missing, result.failures) == ((), ())


PROBE = """
import json, resource, sys
from synthesis.ops.extract import extract
limit = int(sys.argv[3])
if limit:
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
(result,) = extract([sys.argv[1]], assets=["rgb", "alpha", "depth", "normals", "segments"],
                    directory=sys.argv[2], workers=1)
print(json.dumps({"made": [path.name for path in result.outputs],
                  "kinds": [failure.kind for failure in result.failures],
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def probe(path: Path, limit: int = 0) -> dict[str, object]:
    """Extract in a process of its own, which may write files of so many bytes."""
    command = [sys.executable, "-c", PROBE, str(path), str(path.parent / "out"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_for_one_image_is_the_others_chance(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    made = channels(200, 200)
    made["Z"] = np.ones_like(made["Z"])
    path.write_bytes(build(Part(made, attributes=ATTRIBUTES)))
    found = probe(path, 60_000)
    assert found["made"] == ["a.alpha.tif", "a.depth.tif", "a.segments.png"]
    assert found["kinds"] == ["disk", "disk"]
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == set(found["made"])


@pytest.mark.skipif(sys.platform == "win32", reason="asks the kernel of a POSIX system")
def test_memory_is_that_of_rows(tmp_path: Path) -> None:
    """4096 pixels a row, 72 bytes each: planes would need 150 MB for the 512 rows."""
    width, height = 4096, 512
    line = {name: np.resize(array[0], (1, width)) for name, array in channels().items()}
    line = {name: array for name, array in line.items() if not name.startswith("clothing")}
    line |= {f"effectsResult.{name}": line[name] for name in "RGB"}
    line |= {f"segmentation02.{end}": line["segmentation01.A"] for end in "RGBA"}
    attributes = cryptomatte("segmentation", "b818ccc", {"body": 1})
    attributes |= {name: text for name, text in ATTRIBUTES.items() if "b818ccc" in name}
    (chunk,) = Part(line, ZIPS).chunks()
    tall = {name: np.broadcast_to(array, (height, width)) for name, array in line.items()}
    head = struct.pack("<II", 20000630, 2 | 0x400)
    head += Part(tall, ZIPS, attributes=attributes).header(multi_part=False, chunks=height)
    begin = len(head) + 8 * height
    table = b"".join(struct.pack("<Q", begin + row * len(chunk)) for row in range(height))
    small, large = tmp_path / "small.exr", tmp_path / "large.exr"
    large.write_bytes(head + table + b"".join(struct.pack("<i", row) + chunk[4:] for row in range(height)))
    small.write_bytes(build(Part(line, attributes=attributes)))
    before, after = probe(small), probe(large)
    assert (after["kinds"], len(after["made"])) == ([], 5)
    kilobytes = 1 if sys.platform == "linux" else 1024
    assert (after["peak"] - before["peak"]) / kilobytes < 64 << 10
