"""Cryptomattes as renderers and strangers write them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from exr_files import Part, build, cryptomatte
from exr_person import ATTRIBUTES, IDS, channels, check, expected, floats, images, run
from synthesis.ops.exr_info import exr_info

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ONE = {"a": 0x40000001, "b": 0x40000002}


def layer(
    ids: list[int], coverages: list[float] | None = None, *, name: str = "segmentation00"
) -> dict[str, Any]:
    """One layer of one row whose second rank is empty."""
    zeros = np.zeros((1, len(ids)), "<f4")
    cover = np.array([coverages or [1.0] * len(ids)], "<f4")
    return {
        f"{name}.R": floats(np.array([ids], "<u4")),
        f"{name}.G": cover,
        f"{name}.B": zeros,
        f"{name}.A": zeros,
    }


def segments(path: Path, made: dict[str, Any], attributes: dict[str, str]) -> NDArray[Any] | str:
    """The segments of a file, or the kind of the failure."""
    result = run(path, build(Part(made, attributes=attributes)), assets=["segments"])
    return result.failures[0].kind if result.failures else images(result)["segments"]


def beside(name: str) -> dict[str, str]:
    attributes = cryptomatte("segmentation", "b818ccc", {})
    del attributes["cryptomatte/b818ccc/manifest"]
    return attributes | {"cryptomatte/b818ccc/manif_file": name}


def test_a_manifest_beside_the_file(tmp_path: Path) -> None:
    text = json.dumps({name: f"{value:08x}" for name, value in IDS.items()})
    (tmp_path / "names.json").write_text(text)
    made = channels()
    wanted = expected(made)["segments"]
    result = run(tmp_path / "a.exr", build(Part(made, attributes=beside("names.json"))), assets=["segments"])
    check(images(result), {"segments": wanted})
    assert exr_info(tmp_path / "a.exr").cryptomattes[0].objects == 3


@pytest.mark.parametrize("name", ["../names.json", "/names.json", "below/names.json", "..", "gone.json", ""])
def test_manifests_elsewhere_are_not_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "renders"
    (folder / "below").mkdir(parents=True)
    for place in (tmp_path, folder / "below"):
        (place / "names.json").write_text(json.dumps({name: f"{value:08x}" for name, value in IDS.items()}))
    kind = segments(folder / "a.exr", channels(), beside(name))
    assert kind in {"missing-channel", "not-found"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_manifest_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "names.json").symlink_to("real.json")
    assert segments(tmp_path / "a.exr", channels(), beside("names.json")) == "missing-channel"


def test_layers_with_gaps_and_a_preview(tmp_path: Path) -> None:
    made = channels()
    moved = {name.replace("segmentation01", "segmentation07"): array for name, array in made.items()}
    moved |= {f"segmentation.{end}": np.zeros_like(made["Z"]) for end in "RGBA"}
    found = segments(tmp_path / "a.exr", moved, ATTRIBUTES)
    np.testing.assert_array_equal(found, expected(made)["segments"])


def test_one_spelling_of_alpha_is_enough(tmp_path: Path) -> None:
    made = channels()
    renamed = {name.replace("tion00.A", "tion00.alpha"): array for name, array in made.items()}
    found = segments(tmp_path / "a.exr", renamed, ATTRIBUTES)
    np.testing.assert_array_equal(found, expected(made)["segments"])


def test_the_definition_called_cryptomatte_comes_before_others(tmp_path: Path) -> None:
    made = layer([ONE["a"]], name="aaa00") | layer([ONE["b"]], name="cryptomatte00")
    attributes = cryptomatte("aaa", "1111111", ONE) | cryptomatte("cryptomatte", "2222222", ONE)
    np.testing.assert_array_equal(segments(tmp_path / "a.exr", made, attributes), [[2]])
    del attributes["cryptomatte/2222222/name"]
    np.testing.assert_array_equal(segments(tmp_path / "a.exr", made, attributes), [[1]])


def test_coverages_that_make_no_sense(tmp_path: Path) -> None:
    coverages = [float("nan"), -1.0, 3.0, float("inf"), 0.003, 0.004]
    found = segments(
        tmp_path / "a.exr", layer([ONE["a"]] * 6, coverages), cryptomatte("segmentation", "b818ccc", ONE)
    )
    np.testing.assert_array_equal(found, [[0, 0, 1, 1, 0, 1]])


def test_equal_ids_belong_to_the_first_name_and_the_last_of_equal_names_counts(tmp_path: Path) -> None:
    attributes = cryptomatte("segmentation", "b818ccc", ONE)
    attributes["cryptomatte/b818ccc/manifest"] = '{"b":"9","c":"7","a":"7","b":"40000002","default":"7"}'
    found = segments(tmp_path / "a.exr", layer([7, ONE["b"]]), attributes)
    np.testing.assert_array_equal(found, [[1, 2]])
    (known,) = exr_info(tmp_path / "a.exr").cryptomattes
    assert (known.objects, known.shadowed) == (3, 1)


def test_strangers_below_one_in_a_hundred_are_nothing_and_are_counted(tmp_path: Path) -> None:
    ids = [ONE["b"]] * 397 + [0x40000009] * 2 + [0]
    data = build(Part(layer(ids), attributes=cryptomatte("segmentation", "b818ccc", ONE)))
    result = run(tmp_path / "a.exr", data, assets=["segments"])
    np.testing.assert_array_equal(images(result)["segments"], [[2] * 397 + [0] * 3])
    assert result.unnamed == {"a.segments.png": 2}


def test_an_empty_manifest_names_nobody(tmp_path: Path) -> None:
    data = build(Part(layer([ONE["b"], 0, 7]), attributes=cryptomatte("segmentation", "b818ccc", {})))
    result = run(tmp_path / "a.exr", data, assets=["segments"])
    np.testing.assert_array_equal(images(result)["segments"], [[0] * 3])
    assert result.unnamed == {"a.segments.png": 2}


def test_nothing_is_unnamed_where_all_is_known_or_nothing_was_made(tmp_path: Path) -> None:
    attributes = cryptomatte("segmentation", "b818ccc", ONE)
    known = build(Part(layer([ONE["a"], 0, ONE["b"]], [1, 1, 0]), attributes=attributes))
    assert run(tmp_path / "a.exr", known, assets=["segments"]).unnamed == {}
    strange = build(Part(layer([9] * 9), attributes=attributes))
    (tmp_path / "strange").mkdir()
    result = run(tmp_path / "strange" / "a.exr", strange, assets=["segments"])
    assert (result.failures[0].kind, result.unnamed) == ("lost-ids", {})


def test_more_objects_than_numbers_are_refused(tmp_path: Path) -> None:
    many = {f"{number}": 0x40000000 + number for number in range(65_536)}
    kind = segments(tmp_path / "a.exr", layer([0x40000001]), cryptomatte("segmentation", "b818ccc", many))
    assert kind in {"too-large", "invalid-exr"}


def test_a_cropped_file_shows_segments_in_their_place(tmp_path: Path) -> None:
    made = layer([ONE["a"], ONE["b"]])
    data = build(
        Part(made, corner=(1, 1), shown=(0, 0, 3, 2), attributes=cryptomatte("segmentation", "b818ccc", ONE))
    )
    result = run(tmp_path / "a.exr", data, assets=["segments"])
    check(images(result), {"segments": np.array([[0] * 4, [0, 1, 2, 0], [0] * 4], np.uint16)})


def test_frames_of_other_jobs_have_their_own_names(tmp_path: Path) -> None:
    from synthesis.ops.extract import extract

    for number in range(6):
        ids = ONE if number % 2 else {"b": ONE["a"], "a": ONE["b"]}
        attributes = cryptomatte("segmentation", "b818ccc", ids)
        (tmp_path / f"{number}.exr").write_bytes(build(Part(layer([ONE["a"]]), attributes=attributes)))
    results = extract(
        [tmp_path / f"{number}.exr" for number in range(6)],
        assets=["segments"],
        directory=tmp_path / "out",
        workers=1,
    )
    assert [int(images(result)["segments"][0, 0]) for result in results] == [2, 1] * 3
