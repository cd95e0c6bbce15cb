"""What an EXR says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from exr_files import NONE, ZIP, Part, attribute, build, cryptomatte
from synthesis.errors import FailedError, NotFoundError
from synthesis.ops.exr_info import Cryptomatte, exr_info

if TYPE_CHECKING:
    from pathlib import Path

HALF, FLOAT = np.zeros((4, 6), "<f2"), np.zeros((4, 6), "<f4")


def test_a_person(tmp_path: Path) -> None:
    layers = {f"segmentation{number:02}.{end}": FLOAT for number in range(3) for end in "RGBA"}
    ids = {"hair": 1 << 24, "nose": 2 << 24, "default": 3 << 24}
    attributes = cryptomatte("segmentation", "b818ccc", ids) | {"software": "x" * 5000}
    data = build(
        Part({"R": HALF, "G": HALF, "B": HALF, "Z": FLOAT} | layers, corner=(1, 2), attributes=attributes)
    )
    (tmp_path / "a.exr").write_bytes(data)
    info = exr_info(tmp_path / "a.exr")
    (part,) = info.parts
    assert part.name == ""
    assert part.channels[:5] == (
        ("B", "half"),
        ("G", "half"),
        ("R", "half"),
        ("Z", "float"),
        ("segmentation00.A", "float"),
    )
    assert (part.compression, part.tile_size, part.unreadable) == ("zips", None, None)
    assert part.data_window == part.display_window == (1, 2, 6, 5)
    assert part.attributes["pixelAspectRatio"] == 1.0
    assert part.attributes["screenWindowCenter"] == [0.0, 0.0]
    assert len(part.attributes["software"]) == 1001
    assert info.cryptomattes == (Cryptomatte("segmentation", layers=3, objects=2, shadowed=0),)
    assert info.assets == ("rgb", "depth", "segments")


def test_several_parts(tmp_path: Path) -> None:
    data = build(Part({"A": HALF}, ZIP, name="rgba"), Part({"Z": FLOAT}, NONE, name="depth", tile=(2, 3)))
    (tmp_path / "a.exr").write_bytes(data)
    info = exr_info(tmp_path / "a.exr")
    assert [(part.name, part.compression, part.tile_size) for part in info.parts] == [
        ("rgba", "zip", None),
        ("depth", "none", (2, 3)),
    ]
    assert info.assets == ("alpha", "depth")


def test_numbers_of_every_type(tmp_path: Path) -> None:
    data = build(Part({"A": HALF}))
    extra = (
        attribute("fov", "float", np.float32(29.86).tobytes())
        + attribute("rate", "rational", np.array([24, 1], "<i4").tobytes())
        + attribute("wide", "double", np.float64(0.1).tobytes())
        + attribute("blob", "preview", bytes(1 << 20))
    )
    place = data.index(b"channels\0chlist")
    (tmp_path / "a.exr").write_bytes(data[:place] + extra + data[place:])
    found = exr_info(tmp_path / "a.exr").parts[0].attributes
    assert (found["fov"], found["rate"], found["wide"]) == (29.86, [24, 1], 0.1)
    assert found["blob"] == "1048576 bytes"


def test_what_is_not_read_is_still_described(samples: Path) -> None:
    info = exr_info(samples / "exr" / "tiny_64_htj2k32.exr")
    assert info.parts[0].unreadable == "htj2k32 compression (number 11) is not read"
    assert info.assets == ()
    assert [item.name for item in info.cryptomattes] == ["cryptomatte"]


def test_the_real_header(samples: Path) -> None:
    info = exr_info(samples / "synthesis" / "exr" / "vray_header_blank.exr")
    (part,) = info.parts
    assert part.attributes["vrayInfo/vraycore"] == "4.30.03"
    assert part.attributes["cameraFov"] == pytest.approx(29.61, abs=0.01)
    assert info.cryptomattes == (Cryptomatte("cryptomatte", layers=3, objects=3, shadowed=0),)
    assert info.assets == ("rgb", "alpha", "depth", "normals", "segments")


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        exr_info(tmp_path / "absent.exr")
    (tmp_path / "a.exr").write_bytes(b"text")
    with pytest.raises(FailedError, match="not an OpenEXR file") as error:
        exr_info(tmp_path / "a.exr")
    assert error.value.kind == "invalid-exr"
