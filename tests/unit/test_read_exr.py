"""`synthesis.exr`: EXRs as numpy arrays."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import sys
from typing import TYPE_CHECKING

import pytest

import synthesis.exr
from exr_files import NONE, ZIP, ZIPS, Part, build
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


def test_planes_have_a_type_each(path: Path) -> None:
    file, made = synthesis.exr.open(path), channels()
    every = file.planes()
    assert list(every) == list(file.channels)
    for name, plane in every.items():
        assert (plane.dtype, plane.shape) == (made[name].dtype, made[name].shape)
        np.testing.assert_array_equal(plane.view(f"u{plane.itemsize}"), made[name].view(f"u{plane.itemsize}"))
    some = file.planes(["Z", "A", "Z"], verify=True)
    assert list(some) == ["Z", "A"]
    np.testing.assert_array_equal(some["Z"], made["Z"])
    np.testing.assert_array_equal(file.planes("normals.X")["normals.X"], made["normals.X"])
    some["Z"] += 1
    assert all(plane.flags.writeable for plane in every.values())
    with pytest.raises(UsageError, match="no channel is named"):
        file.planes([])
    with pytest.raises(FailedError, match="no channel W") as caught:
        file.planes(["Z", "W"])
    assert caught.value.kind == "missing-channel"


def test_planes_of_real_files(samples: Path) -> None:
    for path in sorted((samples / "exr").glob("*.exr")):
        file = synthesis.exr.open(path)
        try:
            planes = file.planes()
        except FailedError as error:
            assert error.kind == "unsupported-exr"  # noqa: PT017 - the others must be read
            continue
        for name, plane in planes.items():
            np.testing.assert_array_equal(plane.view("u1"), file.read(name).view("u1"))


@pytest.mark.parametrize("compression", [NONE, ZIPS, ZIP])
def test_planes_of_many_rows_and_odd_windows(tmp_path: Path, compression: int) -> None:
    """Large enough for pages of their own, with rows of zeros that are not written."""
    path, rng = tmp_path / "a.exr", np.random.default_rng(4)
    stored = {
        "id": rng.integers(0, 1 << 32, (1100, 505), np.uint32),
        "R": rng.random((1100, 505)).astype("<f2"),
        "Z": rng.random((1100, 505), np.float32),
    }
    for plane in stored.values():
        plane[100:400], plane[::7] = 0, 0
    path.write_bytes(build(Part(stored, compression, corner=(-3, 20), shown=(0, 0, 520, 1119))))
    file = synthesis.exr.open(path)
    planes, stack = file.planes(), file.read(["Z", "R", "Z", "R"])
    for name, plane in stored.items():
        wanted = np.zeros((1120, 521), plane.dtype)
        wanted[20:, :502] = plane[:, 3:]
        np.testing.assert_array_equal(planes[name], wanted)
        if name != "id":
            np.testing.assert_array_equal(stack[..., "ZR".index(name)], wanted.astype("<f4"))
    np.testing.assert_array_equal(stack[..., :2], stack[..., 2:])
    for count in (2, 3, 5):
        many = file.read(["R"] * count)
        assert many.dtype == np.float16
        np.testing.assert_array_equal(many, np.stack([planes["R"]] * count, 2))


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
    assert [plane.dtype for plane in file.planes(["id", "Z"]).values()] == [np.uint32, np.float32]
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
    np.testing.assert_array_equal(file.planes("Z", partial=True)["Z"], found)
    rows = int((found != 0).any(1).sum())
    assert 0 < rows < len(found)
    np.testing.assert_array_equal(found[:rows], made["Z"][:rows])


def total(file: synthesis.exr.Exr) -> float:
    """What a worker of a data loader does."""
    arrays = file.extract(["rgb", "depth"])
    sums = [float(plane.astype(np.float64).sum()) for plane in file.planes(["R", "Z"]).values()]
    return sum(sums) + float(file.read(["R", "G", "B"]).astype(np.float64).sum() + arrays["rgb"].sum())


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_loaders_read(path: Path) -> None:
    file = synthesis.exr.open(path)
    here = total(file)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(total, [file] * 6) == [here] * 6
    assert total(pickle.loads(pickle.dumps(file))) == here
