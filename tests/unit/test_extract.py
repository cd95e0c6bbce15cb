"""From EXR files of every shape to the images they hold."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from exr_files import NONE, RLE, ZIP, ZIPS, Part, build, cryptomatte
from exr_person import ATTRIBUTES, IDS, channels, check, expected, floats, images, run
from readers import read_png
from synthesis.ops.extract import ASSETS, extract
from synthesis.ops.object_id import object_id

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.mark.parametrize("mode", ["exact", "fast", "small"])
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
