"""`exr info` and `exr extract` by the real command on real EXRs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.command import Command
from synthesis.ops.write_exr import write_exr

np = pytest.importorskip("numpy")


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    for number in range(3):
        write(tmp_path / "renders" / f"{number}.cam_default.f_1.exr", number)
    return command


def write(path: Path, seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    values = np.random.default_rng(seed).random((6, 20, 30))
    names = ("R", "G", "B", "A", "normals.X", "normals.Y")
    channels = {name: values[index].astype(np.float16) for index, name in enumerate(names)}
    write_exr(path, {**channels, "Z": values[0].astype(np.float32)})


def test_info_says_what_is_in_it(cli: Command) -> None:
    done = cli.ok("exr", "info", "renders/0.cam_default.f_1.exr")
    assert done.out.splitlines()[0].startswith("renders/0.cam_default.f_1.exr  ")
    assert done.out.splitlines()[1:] == [
        "  size         30 x 20",
        "  compression  zips, lines",
        "  channels     7, 9.6 KB unpacked",
        "    layer    channels  type   memory",
        "    -        R G B A   half   4.8 KB",
        "    -        Z         float  2.4 KB",
        "    normals  X Y       half   2.4 KB",
        "  assets       rgb, alpha, depth",
    ]


def test_info_draws_numbered_layers_together(cli: Command) -> None:
    ids = {f"segmentation{layer:02}.{end}": np.zeros((4, 4), "<f4") for layer in range(3) for end in "RGBA"}
    write_exr(cli.folder / "a.exr", ids)
    assert "    segmentation00-02  R G B A   float   768 B" in cli.ok("exr", "info", "a.exr").out.splitlines()


def test_info_of_a_folder_as_json(cli: Command) -> None:
    items = cli.ok("exr", "info", "renders", "--json").json()["items"]
    assert [item["assets"] for item in items] == [["rgb", "alpha", "depth"]] * 3
    assert [item["memory"] for item in items] == [30 * 20 * 16] * 3
    assert all(item["bytes"] == Path(cli.folder / item["file"]).stat().st_size for item in items)


def test_info_goes_on_after_a_bad_file(cli: Command) -> None:
    (cli.folder / "renders" / "bad.exr").write_bytes(b"no exr")
    done = cli("exr", "info", "renders")
    assert done.code == 1
    assert done.out.count("  assets ") == 3
    assert "1 of 4 files could not be read" in done.err
    assert "hint: fetch or render it again" in done.err
    done = cli("exr", "info", "nothing.exr")
    assert (done.code, done.err.splitlines()[1]) == (4, "hint: check the path")


def test_extract_makes_images(cli: Command) -> None:
    done = cli.ok("exr", "extract", "renders", "--assets", "rgb, depth", "-o", "images/new")
    assert done.out.startswith("6 images from 3 EXRs in ")
    assert {path.name for path in (cli.folder / "images" / "new").iterdir()} == {
        f"{number}.cam_default.f_1.{suffix}" for number in range(3) for suffix in ("rgb.png", "depth.tif")
    }


def test_patterns_are_expanded_here(cli: Command) -> None:
    (cli.folder / "more" / "below").mkdir(parents=True)
    write(cli.folder / "more" / "below" / "9.exr", 9)
    done = cli.ok("exr", "extract", "re*/[01].*.exr", "**/9.exr", "--assets", "rgb", "-o", "images")
    assert done.out.startswith("3 images from 3 EXRs in ")
    done = cli("exr", "info", "*.nothing")
    assert (done.code, done.err.splitlines()[0]) == (4, "error: no EXR matches *.nothing")


def test_channels_and_thumbnails(cli: Command) -> None:
    done = cli.ok(
        "exr",
        "extract",
        "renders",
        "--channels",
        "Z,normals.X",
        "--format",
        "npy",
        "--thumbnail",
        "-o",
        "new",
    )
    assert done.out.startswith("9 images from 3 EXRs in ")
    path = cli.folder / "new" / "0.cam_default.f_1.Z.npy"
    assert np.load(path).dtype == np.float32
    assert (cli.folder / "new" / "2.cam_default.f_1.thumbnail.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    done = cli("exr", "extract", "renders", "--channels", "nothing", "-o", "new")
    assert done.code == 1
    assert "no channel nothing" in done.err


def test_partial_files_give_what_they_have(cli: Command) -> None:
    path = cli.folder / "renders" / "0.cam_default.f_1.exr"
    path.write_bytes(path.read_bytes()[:-3000])
    command = ("exr", "extract", "renders", "--assets", "depth", "-o", "images", "--json")
    assert cli(*command).events()[-1]["error"]["kind"] == "partial"
    assert len(list((cli.folder / "images").iterdir())) == 2
    done = cli(*command, "--partial")
    assert done.code == 1
    (cut,) = [event for event in done.events() if event["event"] == "file-partial"]
    ((first, last),) = cut["missing"]
    assert 0 < first < last == 19
    assert done.events()[-1]["error"]["kind"] == "partial"
    assert len(list((cli.folder / "images").iterdir())) == 3


def test_all_is_what_each_exr_has(cli: Command) -> None:
    done = cli.ok("exr", "extract", "renders", "--assets", "all", "-o", "images", "--json")
    summary = done.events()[-1]
    assert (summary["event"], summary["images"], summary["failed"]) == ("done", 9, 0)


def test_pixels_that_no_manifest_names_are_counted(cli: Command) -> None:
    ids = np.full((20, 30), 0x40000001, "<u4")
    ids[0, :4] = 0x40000009
    layer = {"cryptomatte00.R": ids.view("<f4"), "cryptomatte00.G": np.ones(ids.shape, "<f4")}
    layer |= {f"cryptomatte00.{end}": np.zeros(ids.shape, "<f4") for end in "BA"}
    head = "cryptomatte/881c23b/"
    manifest = {f"{head}name": "cryptomatte", f"{head}manifest": '{"a":"40000001"}'}
    write_exr(cli.folder / "ids.exr", layer, attributes=manifest)
    command = ("exr", "extract", "ids.exr", "--assets", "segments", "-o", "images")
    said = cli.ok(*command).out.splitlines()[1]
    assert said == "4 covered pixels in 1 image have ids that no manifest names: 0, like the background"
    *_, stranger, done = cli.ok(*command, "--json").events()
    assert (stranger["event"], stranger["name"], stranger["pixels"]) == ("ids-unnamed", "ids.segments.png", 4)
    assert done["unnamed"] == 4


def test_a_bad_file_stops_nothing_else(cli: Command) -> None:
    (cli.folder / "renders" / "bad.exr").write_bytes(b"no exr")
    done = cli("exr", "extract", "renders", "--assets", "rgb", "-o", "images")
    assert done.code == 1
    assert "hint: look at them" in done.err
    assert done.err.splitlines()[1] == "  bad.exr: not an OpenEXR file"
    assert len(list((cli.folder / "images").iterdir())) == 3


def test_what_cannot_be_made_is_said(cli: Command) -> None:
    done = cli(
        "exr", "extract", "renders/0.cam_default.f_1.exr", "--assets", "segments", "-o", "images", "--json"
    )
    assert done.code == 1
    kinds = [event.get("kind") for event in done.events() if event["event"] == "file-failed"]
    assert len(kinds) == 1
    assert done.events()[-1]["error"]["kind"] == kinds[0]


def test_the_disks_trouble_is_told_once(cli: Command) -> None:
    for path in (cli.folder / "renders").iterdir():
        (cli.folder / "images" / f"{path.stem}.rgb.png").mkdir(parents=True)
    done = cli("exr", "extract", "renders", "--assets", "rgb", "-o", "images")
    assert done.code == 6
    assert [
        line.startswith(start)
        for line, start in zip(done.err.splitlines(), ("error:", "  0", "hint:"), strict=True)
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--assets", "rbg"], "did you mean rgb?"),
        (["--assets", "rgb", "--mode", "slow"], "use fast, small or exact"),
        (["--assets", "rgb", "--workers", "0"], "--workers"),
        (["--channels", "Z", "--format", "png"], "use tif or npy"),
        (["--channels", "../Z"], "no file can be called after channel"),
        (["--channels", " , "], "name --assets, --channels or --thumbnail"),
    ],
)
def test_wrong_options(cli: Command, options: list[str], says: str) -> None:
    done = cli("exr", "extract", "renders", *options)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.splitlines()) == 2


def test_an_empty_folder_is_an_error(cli: Command) -> None:
    (cli.folder / "empty").mkdir()
    assert cli("exr", "extract", "empty", "--assets", "rgb").code == 4


def test_names_cannot_drive_the_terminal(cli: Command) -> None:
    path = cli.folder / "renders" / "\x1b[31mred.exr"
    try:
        write(path, 9)
    except OSError:
        pytest.skip("a file system with stricter names")
    assert "\x1b" not in cli.ok("exr", "info", "renders").out
    assert json.loads(cli.ok("exr", "info", "renders", "--json").out)
