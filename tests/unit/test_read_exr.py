"""`synthesis.exr`: EXRs as numpy arrays."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import sys
from typing import TYPE_CHECKING

import pytest

import synthesis.exr
from exr_files import ZIP, Part, build
from exr_person import ATTRIBUTES, channels, expected
from synthesis.errors import FailedError, NotFoundError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

np = pytest.importorskip("numpy")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.exr"
    path.write_bytes(build(Part(channels(), ZIP, attributes=ATTRIBUTES)))
    return path


def test_channels_have_their_types_and_order(path: Path) -> None:
    file, made = synthesis.exr.open(path), channels()
    assert file.size == made["R"].shape[::-1]
    assert file.channels["R"] == "half"
    assert set(file.channels) == set(made)
    rgb = file.read(["R", "G", "B"])
    assert (rgb.dtype, rgb.shape) == (np.float16, (*made["R"].shape, 3))
    np.testing.assert_array_equal(rgb, np.stack([made[name] for name in "RGB"], 2))
    z = file.read("Z")
    assert (z.dtype, z.ndim) == (np.float32, 2)
    np.testing.assert_array_equal(z, made["Z"])
    both = file.read(["Z", "A"])
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both, np.stack([made["Z"], made["A"].astype(np.float32)], 2))
    assert repr(file).endswith(f"{len(made)} channels>")


def test_memory_is_writable_and_outlives_the_file(path: Path) -> None:
    array = synthesis.exr.open(path).read("Z")
    copy = array.copy()
    path.unlink()
    gc.collect()
    np.testing.assert_array_equal(array, copy)
    array += 1
    assert array.flags.writeable
    assert not array.flags.owndata


def test_whole_numbers_stand_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    ids = np.arange(12, dtype="<u4").reshape(3, 4)
    path.write_bytes(build(Part({"id": ids, "Z": ids.astype("<f4")})))
    file = synthesis.exr.open(path)
    assert file.read("id").dtype == np.uint32
    np.testing.assert_array_equal(file.read(["id", "id"])[..., 1], ids)
    with pytest.raises(UsageError, match="whole numbers and floats"):
        file.read(["id", "Z"])
    with pytest.raises(UsageError, match="no channel is named"):
        file.read([])
    with pytest.raises(FailedError, match="no channel W"):
        file.read(["Z", "W"])


def test_assets_come_as_arrays(path: Path) -> None:
    wanted = expected(channels())
    made = synthesis.exr.extract(path, assets=list(wanted))
    assert list(made) == list(wanted)
    for asset, array in wanted.items():
        assert made[asset].dtype == array.dtype
        np.testing.assert_array_equal(made[asset], array)
    with pytest.raises(UsageError):
        synthesis.exr.extract(path, assets=["rbg"])
    with pytest.raises(UsageError):
        synthesis.exr.extract(path, assets=[])


def test_assets_go_to_files(path: Path) -> None:
    done = synthesis.exr.open(path).extract(["rgb"], directory=path.parent / "images")
    assert [output.name for output in done.outputs] == ["a.rgb.png"]


def test_an_array_that_cannot_be_made_is_an_error(path: Path) -> None:
    path.write_bytes(build(Part({"Z": channels()["Z"]})))
    with pytest.raises(FailedError) as caught:
        synthesis.exr.extract(path, assets=["depth", "rgb"])
    assert caught.value.kind == "missing-channel"
    assert str(path) in str(caught.value)
    with pytest.raises(NotFoundError):
        synthesis.exr.open(path.parent / "nothing.exr")


def test_rows_of_an_interrupted_file(path: Path) -> None:
    made = channels()
    path.write_bytes(build(Part({"Z": made["Z"]}))[:-600])
    file = synthesis.exr.open(path)
    with pytest.raises(FailedError):
        file.read("Z")
    found = file.read("Z", partial=True)
    rows = int((found != 0).any(1).sum())
    assert 0 < rows < len(found)
    np.testing.assert_array_equal(found[:rows], made["Z"][:rows])


def total(file: synthesis.exr.Exr) -> float:
    """What a worker of a data loader does."""
    arrays = file.extract(["rgb", "depth"])
    return float(file.read(["R", "G", "B"]).astype(np.float64).sum() + arrays["rgb"].sum())


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_loaders_read(path: Path) -> None:
    file = synthesis.exr.open(path)
    here = total(file)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(total, [file] * 6) == [here] * 6
    assert total(pickle.loads(pickle.dumps(file))) == here
