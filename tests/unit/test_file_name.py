"""Names of files: what is one, what is none."""

from __future__ import annotations

import pytest

from synthesis.schema.asset_kind import KINDS, AssetKind
from synthesis.server.file_name import JOB_WIDE, FileName, parse, parse_old


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.flag)
def test_names_of_every_asset_come_back(kind: AssetKind) -> None:
    parts = (JOB_WIDE, "", 0) if kind.job_wide else (12, "zoom 2", 30)
    name = FileName(*parts, kind.flag)
    assert parse(str(name)) == name


def test_public_names() -> None:
    assert parse("10.cam_away.f_12.rgb.png") == FileName(10, "away", 12, "rgb")
    assert parse("0.cam_dashboard-nir.f_1.UV.png") == FileName(0, "dashboard-nir", 1, "uv")
    assert parse_old("24.sai_dense.obj") == FileName(24, "default", 1, "sai_dense")
    assert str(FileName(24, "default", 1, "depth")) == "24.cam_default.f_1.depth.tif"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "rgb.png",
        "0.rgb.png",
        "00.cam_a.f_1.rgb.png",
        "0.cam_a.f_0.rgb.png",
        "0.cam_a.f_01.rgb.png",
        "0.cam_.f_1.rgb.png",
        "0.cam_a.b.f_1.rgb.png",
        "0.cam_a/b.f_1.rgb.png",
        "0.cam_a\\b.f_1.rgb.png",
        "0.cam_a\x00.f_1.rgb.png",
        "0.cam_a.f_1.rgb.PNG",
        "0.cam_a.f_1.metadata.jsonl",
        "0.cam_a.f_1.rgb.png\n",
        "\u0663.cam_a.f_1.rgb.png",
        "-1.cam_a.f_1.rgb.png",
        f"{10**18}.cam_a.f_1.rgb.png",
        "../metadata.jsonl",
    ],
)
def test_what_is_no_name(name: str) -> None:
    assert parse(name) is None


def test_what_is_no_old_name() -> None:
    for name in ("0.metadata.jsonl", "metadata.jsonl", "x.rgb.png", "0.out.exr", "0.cam_a.f_1.rgb.png", "0."):
        assert parse_old(name) is None


def test_names_sort_by_number_then_camera_then_frame_then_asset() -> None:
    names = [
        "10.cam_a.f_1.rgb.png",
        "9.cam_b.f_10.exr",
        "9.cam_b.f_2.rgb.png",
        "9.cam_a.f_3.exr",
        "metadata.jsonl",
    ]
    assert sorted(names, key=lambda name: parse(name) or ()) == names[::-1]
