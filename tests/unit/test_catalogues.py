from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.humans import catalogue

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {
    "agents": 9, "clothing_segments": 15, "expressions": 158, "eyebrow_styles": 52, "facial_hair_styles": 9,
    "fat_contents": 5, "gestures": 403, "glasses_styles": 12, "hair_colors": 20, "hair_styles": 108,
    "hdris": 586, "headphone_styles": 10, "headwear_styles": 31, "heights": 7, "iris_colors": 90,
    "lens_colors": 18, "mask_positions": 5, "mask_styles": 18, "mask_variants": 5, "outfits": 77,
    "presets": 5, "segments": 123,
}  # fmt: skip


def kinds() -> list[str]:
    folder = resources.files("synthesis.humans") / "catalogues"
    return sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))


def test_counts_are_the_published_ones() -> None:
    assert {kind: len(catalogue.get(kind).names) for kind in COUNTS} == COUNTS


@pytest.mark.parametrize("kind", kinds())
def test_every_catalogue_has_its_source_and_unique_names(kind: str) -> None:
    raw = json.loads((resources.files("synthesis.humans") / "catalogues" / f"{kind}.json").read_bytes())
    assert raw["source"]
    names = catalogue.get(kind).names
    assert len(set(names)) == len(names)
    assert set(catalogue.get(kind).legacy.values()) <= set(names)


def test_loaded_once() -> None:
    assert catalogue.get("hdris") is catalogue.get("hdris")


def test_unknown_kind() -> None:
    with pytest.raises(KeyError, match="hats"):
        catalogue.get("hats")


def test_every_garment_has_a_class() -> None:
    classes = catalogue.get("garments").facts
    known = set(catalogue.get("clothing_segments").names)
    assert set(classes.values()) <= known
    for outfit in catalogue.get("outfits").facts.values():
        assert {garment for garment, _ in outfit["garments"]} <= set(classes)


def test_landmark_sets() -> None:
    sizes = {name: len(points) for name, points in catalogue.get("landmarks").facts.items()}
    assert sizes == {
        "ibug68": 68, "ibug68_contour": 68, "kinect_v2": 32, "coco.whole_body": 133, "mediapipe.body": 33,
        "mediapipe.left_hand": 21, "mediapipe.right_hand": 21, "mediapipe.left_iris": 5,
        "mediapipe.right_iris": 5, "mpeg4": 58,
    }  # fmt: skip
    for points in catalogue.get("landmarks").facts.values():
        assert len({number for number, _ in points}) == len(points)


def test_facts_equal_the_published_ones(samples: Path) -> None:
    def published(name: str) -> Any:
        return json.loads((samples.parent / "catalogues" / f"{name}.json").read_bytes())

    styles = {
        s["name"]: {"sexes": s["sexes"], "ethnicities": s["ethnicities"]} for s in published("hair")["styles"]
    }
    assert catalogue.get("hair_styles").facts == styles
    frames = {g["name"]: {"frames": g["frame_count"]} for g in published("gestures")["gestures"]}
    assert catalogue.get("gestures").facts == frames
    settings = {h["name"]: h["setting"] for h in published("hdri")["names"]}
    assert {name: facts["setting"] for name, facts in catalogue.get("hdris").facts.items()} == settings
    assert list(catalogue.get("expressions").names) == published("expressions")["names"]
    assert list(catalogue.get("outfits").names) == published("outfits")["outfits"]
