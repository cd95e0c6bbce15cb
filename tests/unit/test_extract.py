"""From EXR files of every shape to the images they hold."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from exr_files import NONE, RLE, ZIP, ZIPS, Part, build, cryptomatte
from readers import read_png, read_tiff
from synthesis.errors import KINDS, CancelledError, UsageError
from synthesis.ops.cancel import CancelToken
from synthesis.ops.extract import ASSETS, Extracted, Progress, extract
from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NAMES = ["body", "hair", "nose", "vrayLightDome"]
IDS = {name: object_id(name) for name in NAMES}


def floats(ids: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Ids in their float32 clothes."""
    return ids.view(np.float32)


def channels(width: int = 37, height: int = 21, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Every channel of a person's render, noise for pixels."""
    rng = np.random.default_rng(seed)
    shape = height, width
    made: dict[str, NDArray[Any]] = {name: rng.random(shape).astype("<f2") for name in "RGBA"}
    made |= {f"normals.{axis}": rng.uniform(-1, 1, shape).astype("<f2") for axis in "XYZ"}
    made["Z"] = rng.uniform(0.5, 3, shape).astype("<f4")
    pool = np.array(list(IDS.values()), "<u4")
    for layer in ("segmentation", "clothing"):
        first = rng.uniform(0.5, 1, shape).astype("<f4")
        for number, (one, other) in enumerate([(first, 1 - first), (np.zeros(shape, "<f4"),) * 2]):
            made[f"{layer}{number:02}.R"] = floats(rng.choice(pool, shape))
            made[f"{layer}{number:02}.G"] = one.astype("<f4")
            made[f"{layer}{number:02}.B"] = floats(rng.choice(pool, shape))
            made[f"{layer}{number:02}.A"] = other.astype("<f4")
    return made


ATTRIBUTES = cryptomatte("segmentation", "b818ccc", IDS) | cryptomatte("clothing", "1234567", IDS)


def run(path: Path, data: bytes, **options: Any) -> Extracted:
    """Extract all assets of one file next to it."""
    path.write_bytes(data)
    options.setdefault("assets", ASSETS)
    (result,) = extract([path], directory=path.parent / "out", **options)
    left = {entry.name for entry in (path.parent / "out").iterdir()}
    assert left == {output.name for output in result.outputs}
    return result


def images(result: Extracted) -> dict[str, NDArray[Any]]:
    """The images by asset."""
    return {
        path.name.split(".")[-2]: (read_png if path.suffix == ".png" else read_tiff)(path.read_bytes())
        for path in result.outputs
    }


def expected(
    made: Mapping[str, NDArray[Any]], *, background_competes: bool = False
) -> dict[str, NDArray[Any]]:
    """The same images by numpy, in the plainest way."""
    rgb = np.stack([made[name] for name in "RGB"], 2).astype(np.float64).clip(0, 1)
    curve = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    normals = np.stack([-made["normals.X"], made["normals.Y"], made["normals.Z"]], 2)
    return {
        "rgb": np.floor(255 * curve + 0.5).astype(np.uint8),
        "alpha": np.floor(255 * made["A"].astype(np.float64).clip(0, 1) + 0.5).astype(np.uint8),
        "depth": made["Z"].astype(np.float16),
        "normals": normals.astype(np.float16),
        "segments": segments(made, "segmentation", background_competes=background_competes),
        "clothing_segments": segments(made, "clothing", background_competes=background_competes),
    }


def segments(
    made: Mapping[str, NDArray[Any]], layer: str, *, background_competes: bool = False
) -> NDArray[np.uint16]:
    """One mask per object, as the published tool made them."""
    masks = []
    for name in sorted(set(NAMES) - {"vrayLightDome"}):
        mask = np.zeros(made["A"].shape, np.float32)
        for number in range(2):
            for id_, coverage in ("RG", "BA"):
                ids = made[f"{layer}{number:02}.{id_}"].view(np.uint32)
                mask += np.where(ids == IDS[name], made[f"{layer}{number:02}.{coverage}"], np.float32(0))
        masks.append((mask.clip(0, 1) * 255).astype(np.uint8))
    stack = np.stack(masks)
    best = stack.max(0)
    winner = np.where(best > 0, stack.argmax(0) + 1, 0)
    if background_competes:
        winner[255 - stack.sum(0, dtype=np.uint8) > best] = 0
    return winner.astype(np.uint16)


def check(found: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]]) -> None:
    """Equal in shape, type and every bit."""
    assert sorted(found) == sorted(wanted)
    for asset, image in found.items():
        assert image.dtype == wanted[asset].dtype, asset
        assert image.shape == wanted[asset].shape, asset
        assert image.tobytes() == wanted[asset].tobytes(), asset


@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("compression", [NONE, RLE, ZIPS, ZIP])
def test_scanlines(tmp_path: Path, compression: int, mode: str) -> None:
    made = channels()
    data = build(Part(made, compression, attributes=ATTRIBUTES))
    result = run(tmp_path / "0.cam_default.f_1.exr", data, mode=mode)
    assert result.failures == ()
    assert [path.name for path in result.outputs] == [
        "0.cam_default.f_1.rgb.png",
        "0.cam_default.f_1.alpha.tif",
        "0.cam_default.f_1.depth.tif",
        "0.cam_default.f_1.normals.tif",
        "0.cam_default.f_1.segments.png",
        "0.cam_default.f_1.clothing_segments.png",
    ]
    check(images(result), expected(made))


@pytest.mark.parametrize("mipmap", [False, True])
def test_tiles_of_the_largest_level(tmp_path: Path, mipmap: bool) -> None:
    made = channels()
    result = run(
        tmp_path / "a.exr", build(Part(made, ZIP, tile=(16, 8), mipmap=mipmap, attributes=ATTRIBUTES))
    )
    check(images(result), expected(made))


def test_channels_spread_over_parts(tmp_path: Path) -> None:
    made = channels()
    spread = [
        # A part named like a layer holds the short names; the picture is in the part named so.
        Part(
            {end: made[f"segmentation00.{end}"] for end in "RGBA"},
            name="segmentation00",
            attributes=ATTRIBUTES,
        ),
        Part({end: made[f"segmentation01.{end}"] for end in "RGBA"}, ZIP, name="segmentation01"),
        Part({name: made[name] for name in "RGBA"}, RLE, name="rgba"),
        Part({"Z": made["Z"]}, NONE, name="depth", tile=(10, 10)),
        Part({axis: made[f"normals.{axis}"] for axis in "XYZ"}, name="normals"),
        Part({name: made[name] for name in made if name.startswith("clothing")}, name="more"),
    ]
    result = run(tmp_path / "a.exr", build(*spread))
    assert result.failures == ()
    check(images(result), expected(made))


@pytest.mark.parametrize("competes", [False, True])
def test_both_rules_of_the_background(tmp_path: Path, competes: bool) -> None:
    made = channels()
    for name in list(made):
        if name[-2:] in {".G", ".A"}:
            made[name] = made[name] * np.float32(0.5)
    data = build(Part(made, attributes=ATTRIBUTES))
    result = run(tmp_path / "a.exr", data, assets=["segments"], background_competes=competes)
    wanted = expected(made, background_competes=competes)["segments"]
    assert (wanted == 0).any()
    check(images(result), {"segments": wanted})


def test_denoised_colours_and_other_names_of_normals(tmp_path: Path) -> None:
    made = channels()
    renamed = {
        {"normals.X": "CameraNormals.R", "normals.Y": "CameraNormals.G", "normals.Z": "CameraNormals.B"}.get(
            name, name
        ): array
        for name, array in made.items()
    }
    noisy = renamed | {f"effectsResult.{name}": made[name] for name in "RGB"}
    noisy |= {name: np.zeros_like(made[name]) for name in "RGB"}
    result = run(tmp_path / "a.exr", build(Part(noisy)), assets=["rgb", "normals"])
    wanted = expected(made)
    check(images(result), {"rgb": wanted["rgb"], "normals": wanted["normals"]})


def test_colours_that_are_srgb_already(tmp_path: Path) -> None:
    made = channels()
    result = run(tmp_path / "a.exr", build(Part(made)), assets=["rgb"], rgb_is_srgb=True)
    rgb = np.stack([made[name] for name in "RGB"], 2).astype(np.float64)
    check(images(result), {"rgb": np.floor(255 * rgb + 0.5).astype(np.uint8)})


def test_float_colours_and_half_depth(tmp_path: Path) -> None:
    made = channels()
    other = {name: made[name].astype("<f4") for name in "RGBA"} | {"Z": made["Z"].astype("<f2")}
    result = run(tmp_path / "a.exr", build(Part(other)), assets=["rgb", "alpha", "depth"])
    wanted = expected(made)
    check(images(result), {asset: wanted[asset] for asset in ("rgb", "alpha", "depth")})


def test_a_miss_has_depth_zero(tmp_path: Path) -> None:
    z = np.array([[np.inf, -np.inf, np.nan, 1e10, -0.0, 0.0, 1.5, 65504]], "<f4")
    result = run(tmp_path / "a.exr", build(Part({"Z": z})), assets=["depth"])
    check(images(result), {"depth": np.array([[0, 0, 0, 0, 0, 0, 1.5, 65504]], np.float16)})


def test_a_render_region_keeps_its_place(tmp_path: Path) -> None:
    made = channels(8, 6)
    result = run(
        tmp_path / "a.exr", build(Part(made, corner=(3, 2), shown=(0, 0, 19, 9), attributes=ATTRIBUTES))
    )
    wanted = {}
    for asset, image in expected(made).items():
        whole = np.zeros((10, 20, *image.shape[2:]), image.dtype)
        if asset == "normals":
            whole[...] = (0, 0, 1)
        whole[2:8, 3:11] = image
        wanted[asset] = whole
    check(images(result), wanted)


def test_pixels_outside_of_the_picture_are_cut(tmp_path: Path) -> None:
    made = channels(20, 12)
    data = build(Part(made, ZIP, tile=(7, 5), corner=(-4, -3), shown=(0, 0, 9, 5), attributes=ATTRIBUTES))
    result = run(tmp_path / "a.exr", data)
    check(images(result), {asset: image[3:9, 4:14] for asset, image in expected(made).items()})


def test_missing_channels_fail_alone(tmp_path: Path) -> None:
    made = channels()
    result = run(tmp_path / "x.exr", build(Part({name: made[name] for name in "RGB"})))
    assert [path.name for path in result.outputs] == ["x.rgb.png"]
    assert [(failure.name, failure.kind) for failure in result.failures] == [
        ("x.alpha.tif", "missing-channel"),
        ("x.depth.tif", "missing-channel"),
        ("x.normals.tif", "missing-channel"),
        ("x.segments.png", "missing-channel"),
        ("x.clothing_segments.png", "missing-channel"),
    ]
    assert "normals.X, normals.Y, normals.Z or CameraNormals.R" in result.failures[2].message


@pytest.mark.parametrize(
    ("manifest", "kind"),
    [
        (None, "missing-channel"),
        ("{", "invalid-exr"),
        ('{"a": 1}', "invalid-exr"),
        ('{"a": "x"}', "invalid-exr"),
    ],
)
def test_manifests_that_are_missing_or_damaged(tmp_path: Path, manifest: str | None, kind: str) -> None:
    attributes = cryptomatte("segmentation", "b818ccc", IDS)
    if manifest is None:
        del attributes["cryptomatte/b818ccc/manifest"]
    else:
        attributes["cryptomatte/b818ccc/manifest"] = manifest
    data = build(Part(channels(), attributes=attributes))
    result = run(tmp_path / "a.exr", data, assets=["rgb", "segments"])
    assert [failure.kind for failure in result.failures] == [kind]
    assert [path.name for path in result.outputs] == ["a.rgb.png"]


def test_an_empty_manifest_gives_no_segment(tmp_path: Path) -> None:
    attributes = cryptomatte("segmentation", "b818ccc", {})
    result = run(tmp_path / "a.exr", build(Part(channels(), attributes=attributes)), assets=["segments"])
    check(images(result), {"segments": np.zeros((21, 37), np.uint16)})


def test_ids_of_no_object_are_lost(tmp_path: Path) -> None:
    attributes = cryptomatte("segmentation", "b818ccc", {"other": 0x12345678})
    result = run(tmp_path / "a.exr", build(Part(channels(), attributes=attributes)), assets=["segments"])
    assert [failure.kind for failure in result.failures] == ["lost-ids"]


def test_ids_in_half_floats_are_refused(tmp_path: Path) -> None:
    made = channels()
    halves = {f"segmentation00.{end}": made["A"] for end in "RGBA"}
    result = run(tmp_path / "a.exr", build(Part(halves, attributes=ATTRIBUTES)), assets=["segments"])
    assert [failure.kind for failure in result.failures] == ["lost-ids"]


@pytest.mark.parametrize("ends", ["rgba", ["red", "green", "blue", "alpha"]])
def test_other_spellings_of_layers(tmp_path: Path, ends: list[str]) -> None:
    made = channels()
    renamed = {
        f"segmentation{number:02}.{end}": made[f"segmentation{number:02}.{letter}"]
        for number in range(2)
        for letter, end in zip("RGBA", ends, strict=True)
    }
    result = run(tmp_path / "a.exr", build(Part(renamed, attributes=ATTRIBUTES)), assets=["segments"])
    check(images(result), {"segments": expected(made)["segments"]})


def test_names_with_quotes_commas_and_letters_of_the_world(tmp_path: Path) -> None:
    names = ['a "quoted", name', "straße/身体", "Ω"]
    ids = np.array([[object_id(name) for name in names]], "<u4")
    layer = {"segmentation00.R": floats(ids), "segmentation00.G": np.ones((1, 3), "<f4")}
    layer |= {f"segmentation00.{end}": np.zeros((1, 3), "<f4") for end in "BA"}
    attributes = cryptomatte("segmentation", "b818ccc", {name: object_id(name) for name in names})
    result = run(tmp_path / "a.exr", build(Part(layer, attributes=attributes)), assets=["segments"])
    check(images(result), {"segments": np.array([[1, 2, 3]], np.uint16)})


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    good = build(Part(channels(), attributes=ATTRIBUTES))
    files = []
    for index in range(9):
        files.append(tmp_path / f"{index}.exr")
        files[-1].write_bytes(good[: len(good) // 2] if index % 3 == 1 else good)
    files.insert(4, tmp_path / "absent.exr")
    seen: list[Progress] = []
    results = extract(files, assets=["rgb"], directory=tmp_path / "out", workers=3, progress=seen.append)
    assert [result.source for result in results] == files
    kinds = {result.source.name: [failure.kind for failure in result.failures] for result in results}
    assert kinds.pop("absent.exr") == ["not-found"]
    assert kinds == {f"{index}.exr": ["invalid-exr"] if index % 3 == 1 else [] for index in range(9)}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{index}.rgb.png" for index in range(9) if index % 3 != 1
    ]
    last = seen[-1]
    assert (last.files_done, last.files_total, last.files_failed, last.images_done) == (10, 10, 4, 6)
    assert last.bytes_written == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())


def test_results_do_not_depend_on_workers(tmp_path: Path) -> None:
    for index in range(6):
        (tmp_path / f"{index}.exr").write_bytes(build(Part(channels(seed=index), attributes=ATTRIBUTES)))
    files = sorted(tmp_path.glob("*.exr"))
    digests = []
    for workers in (1, 4):
        out = tmp_path / f"out{workers}"
        extract(files, assets=ASSETS, directory=out, mode="exact", workers=workers)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 36


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "a" / "0.exr", tmp_path / "b" / "0.exr"]
    with pytest.raises(UsageError, match="would give files of one name"):
        extract(files, assets=["rgb"], directory=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "kind"),
    [({"assets": ["info"]}, "unknown-asset"), ({"mode": "small"}, "usage"), ({"workers": 0}, "usage")],
)
def test_unknown_words_are_usage_errors(tmp_path: Path, option: dict[str, Any], kind: str) -> None:
    with pytest.raises(UsageError) as error:
        extract([], **({"assets": ["rgb"], "directory": tmp_path} | option))
    assert error.value.kind == kind


def test_a_name_without_exr_is_a_stem(tmp_path: Path) -> None:
    data = build(Part({"A": np.ones((2, 2), "<f2")}))
    assert run(tmp_path / "frame.0001", data, assets=["alpha"]).outputs[0].name == "frame.0001.alpha.tif"


def test_cancelled_work_leaves_whole_files_only(tmp_path: Path) -> None:
    data = build(Part(channels(200, 200), attributes=ATTRIBUTES))
    files = [tmp_path / f"{index}.exr" for index in range(200)]
    for path in files:
        path.write_bytes(data)
    token = CancelToken()
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        extract(files, assets=ASSETS, directory=tmp_path / "out", mode="exact", workers=2, cancel=token)
    timer.join()
    made = list((tmp_path / "out").iterdir())
    assert len(made) < len(files) * len(ASSETS)
    for path in made:
        (read_png if path.suffix == ".png" else read_tiff)(path.read_bytes())


def test_a_callback_that_raises_stops_the_work(tmp_path: Path) -> None:
    (tmp_path / "0.exr").write_bytes(build(Part(channels())))

    def progress(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        extract([tmp_path / "0.exr"], assets=["rgb"], directory=tmp_path / "out", progress=progress)
    assert not (tmp_path / "out" / ".synthesis").exists()


def _in_child(folder: str) -> None:
    results = extract(sorted(Path(folder).glob("*.exr")), assets=["rgb"], directory=folder, workers=2)
    os._exit(0 if all(not result.failures for result in results) else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_works_in_a_forked_child(tmp_path: Path) -> None:
    for index in range(3):
        (tmp_path / f"{index}.exr").write_bytes(build(Part(channels(seed=index))))
    extract(sorted(tmp_path.glob("*.exr")), assets=["rgb"], directory=tmp_path / "parent", workers=2)
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(str(tmp_path),))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert len(list(tmp_path.glob("*.rgb.png"))) == 3


def test_an_output_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.alpha.tif").write_bytes(b"old")
    (tmp_path / "a.exr").write_bytes(b"broken")
    extract([tmp_path / "a.exr"], assets=["alpha"], directory=out)
    assert (out / "a.alpha.tif").read_bytes() == b"old"
    (tmp_path / "a.exr").write_bytes(build(Part({"A": np.ones((2, 2), "<f2")})))
    extract([tmp_path / "a.exr"], assets=["alpha"], directory=out)
    assert (read_tiff((out / "a.alpha.tif").read_bytes()) == 255).all()


def digest(image: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


# What must happen where a compression cannot give an asset back exactly.
REFUSED = {"htj2k32", "htj2k256", "zstd", "lj2k"}
LOST = {"dwaa", "dwab"}


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_sample_files(samples: Path, tmp_path: Path, mode: str) -> None:
    answers = json.loads((samples / "exr" / "expected.json").read_text())
    files = [samples / "exr" / name for name in sorted(answers)]
    # The samples were made with the older rule of the background.
    results = extract(
        files,
        assets=ASSETS[:5],
        directory=tmp_path,
        mode=mode,
        background_competes=True,  # type: ignore[arg-type]
    )
    for result in results:
        kind = result.source.stem.removeprefix("tiny_64_")
        failures = {failure.name.split(".")[-2]: failure.kind for failure in result.failures}
        if kind in REFUSED:
            assert failures == {result.source.stem: "unsupported-exr"}
            assert kind in result.failures[0].message
            continue
        assert failures == ({"segments": "lost-ids"} if kind in LOST else {})
        for asset, image in images(result).items():
            answer = answers[result.source.name][asset]
            if answer is not None:
                assert digest(image) == answer, (result.source.name, asset)
    # PXR24 keeps the upper 24 bits of the ids, which is enough to name them.
    rescued = read_png((tmp_path / "tiny_64_pxr24.segments.png").read_bytes())
    assert digest(rescued) == answers["tiny_64_zip.exr"]["segments"]


def test_the_real_header_of_the_original_renderer(samples: Path, tmp_path: Path) -> None:
    (result,) = extract(
        [samples / "synthesis" / "exr" / "vray_header_blank.exr"], assets=ASSETS, directory=tmp_path
    )
    assert [failure.name for failure in result.failures] == ["vray_header_blank.clothing_segments.png"]
    found = images(result)
    assert (found["alpha"] == 255).all()
    assert found["segments"].shape == (1335, 1780)
    assert not found["segments"].any()


# Files that lie.

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
TOO_LARGE = {"huge-window", "endless-attribute"}


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
resource.setrlimit(resource.RLIMIT_AS, (used + (512 << 20),) * 2)
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


@pytest.mark.skipif(
    os.name != "posix" or os.uname().sysname != "Linux", reason="other systems refuse such names"
)
def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.exr"))
    path.write_bytes(build(Part({"A": np.ones((2, 2), "<f2")})))
    (result,) = extract([path], assets=["alpha"], directory=tmp_path / "out")
    assert result.source == path
    assert [output.name for output in result.outputs] == ["caf\ufffd.alpha.tif"]
