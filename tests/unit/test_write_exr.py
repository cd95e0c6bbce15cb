"""Arrays to EXRs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from exr_files import ZIPS
from exr_reader import read_exr
from synthesis.errors import NotFoundError, SynthesisError, UsageError
from synthesis.ops.exr_info import exr_info
from synthesis.ops.object_id import object_id
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def made(height: int = 9, width: int = 14) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(3)
    every = rng.integers(0, 1 << 32, (height, width), np.uint32).view(np.float32)
    return {
        "Z": rng.random((height, width)).astype(np.float32),
        "R": rng.random((height, width)).astype(np.float16),
        "segmentation00.R": every,
        "A": np.zeros((height, width), np.float16),
    }


def test_every_bit_comes_back(tmp_path: Path) -> None:
    arrays = made()
    long = "{" + "x" * 100_000 + "}"
    write_exr(tmp_path / "new" / "a.exr", arrays, {"cryptomatte/b818ccc/manifest": long, "é": "ü"})
    channels, attributes = read_exr((tmp_path / "new" / "a.exr").read_bytes())
    assert list(channels) == sorted(arrays)
    for name, array in arrays.items():
        assert channels[name].dtype == array.dtype
        assert channels[name].tobytes() == array.tobytes()
    assert attributes["cryptomatte/b818ccc/manifest"] == ("string", long.encode())
    assert attributes["é"] == ("string", "ü".encode())
    assert attributes["compression"] == ("compression", bytes([ZIPS]))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.exr"]


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    arrays = made()
    write_exr(tmp_path / "a.exr", arrays, {"a": "1", "b": "2"})
    write_exr(tmp_path / "b.exr", dict(reversed(arrays.items())), {"b": "2", "a": "1"})
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()


def test_any_layout_of_memory_is_taken(tmp_path: Path) -> None:
    base = np.arange(48, dtype=np.float32).reshape(6, 8)
    write_exr(
        tmp_path / "a.exr", {"Z": base.T, "R": base.astype(">f4").T, "A": base[::-1].T.astype(np.float16)}
    )
    channels, _ = read_exr((tmp_path / "a.exr").read_bytes())
    assert np.array_equal(channels["Z"], base.T)
    assert np.array_equal(channels["R"], base.T)
    assert np.array_equal(channels["A"], base[::-1].T)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"R": np.zeros((2, 2), np.float64)},
        {"R": np.zeros(4, np.float16)},
        {"R": np.zeros((0, 2), np.float16)},
        {"R": np.zeros((2, 2), np.float16), "G": np.zeros((2, 3), np.float16)},
        {"": np.zeros((2, 2), np.float16)},
        {"a\0b": np.zeros((2, 2), np.float16)},
        {"x" * 256: np.zeros((2, 2), np.float16)},
    ],
)
def test_wrong_arrays_are_usage_errors(tmp_path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(UsageError):
        write_exr(tmp_path / "a.exr", arrays)
    assert list(tmp_path.iterdir()) == []


def test_own_attributes_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dataWindow is given twice"):
        write_exr(tmp_path / "a.exr", made(), {"dataWindow": "mine"})


def test_an_attribute_that_no_reader_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        write_exr(tmp_path / "a.exr", made(), {"manifest": "x" * ((32 << 20) + 1)})
    assert error.value.kind == "too-large"


def test_a_place_that_cannot_be_written_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(SynthesisError):
        write_exr(tmp_path / "file" / "a.exr", made())
    assert (tmp_path / "file").read_bytes() == b"mine"
    with pytest.raises(NotFoundError):
        exr_info(tmp_path / "absent.exr")


def test_object_ids() -> None:
    # Names and ids of public files.
    public = {"belts_2": 0xE9D45938, "walls_0": 0x932C97E6, "arm_lower_left": 0x6CE93CFE}
    assert {name: object_id(name) for name in public} == public
    for name in ("", "a", "straße", *(f"thing_{number}" for number in range(3000))):
        exponent = object_id(name) >> 23 & 0xFF
        assert 0 < exponent < 255
