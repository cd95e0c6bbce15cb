"""`job assets download`: what is fetched, what is said, and how it is resumed."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import time
from typing import TYPE_CHECKING

import pytest

from fakes.command import HEAVY, Command, loaded_by
from fakes.faulty import JOB, KEY, FaultyServer, File, made
from fakes.platform import ORG, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RENDERS = 12
KINDS = ("rgb.png", "info.json", "depth.tif")


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of renders, as an old download left it; the bytes mean nothing."""
    folder = tmp_path_factory.mktemp("renders")
    seeded = random.Random(7)
    for render in range(RENDERS):
        for kind in KINDS:
            data = seeded.randbytes(200 + render)
            (folder / f"{render}.cam_default.f_1.{kind}").write_bytes(data)
    (folder / "metadata.jsonl").write_bytes(b'{"render_id":0}\n')
    return folder


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform") / "data").start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def job(platform: Platform, renders: Path) -> str:
    return platform.import_folder(renders)


@pytest.fixture
def cli(tmp_path: Path, platform: Platform) -> Command:
    return Command(tmp_path, SYNTHESIS_SERVER=platform.url, SYNTHESIS_API_KEY=platform.key, SYNTHESIS_ORG=ORG)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_arrives_and_nothing_else(cli: Command, job: str, renders: Path) -> None:
    done = cli.ok("job", "assets", "download", job, "--assets", "all", "-o", "new/out")
    assert contents(cli.folder / "new" / "out") == contents(renders)
    assert re.fullmatch(r"37 files, 7\.\d KB in \S+ s.*\nSaved to new/out\n", done.out)
    again = cli.ok("job", "assets", "download", job, "--assets", "all", "-o", "new/out")
    assert again.out.startswith("nothing new in ")
    assert "37 files there before" in again.out


def test_the_folder_is_named_like_the_job_by_default(cli: Command, job: str) -> None:
    cli.ok("job", "assets", "download", job, "--assets", "metadata")
    assert list(contents(cli.folder / job)) == ["metadata.jsonl"]


def test_flags_with_blanks_and_ranges_with_overlaps(cli: Command, job: str) -> None:
    cli.ok("job", "assets", "download", job, "--assets", " rgb , INFO,rgb", "-r", "5, 1-2 ,2", "-o", "out")
    names = {f"{render}.cam_default.f_1.{kind}" for render in (1, 2, 5) for kind in ("rgb.png", "info.json")}
    assert set(contents(cli.folder / "out")) == names


@pytest.mark.parametrize(
    ("flags", "hint"),
    [("rbg", "did you mean rgb?"), ("rgb,,info", "or all"), ("zzz", "or all"), ("uv", "or all")],
)
def test_an_unknown_flag_lists_the_known_ones(cli: Command, job: str, flags: str, hint: str) -> None:
    done = cli("job", "assets", "download", job, "--assets", flags, "-o", "out")
    assert done.code == 2
    error, next_line = done.err.splitlines()
    assert "known are: all, metadata, info, rgb, depth" in error
    assert hint in next_line
    assert not (cli.folder / "out").exists()


@pytest.mark.parametrize(
    ("ranges", "position"), [("5-3", 1), ("a", 1), ("1,-1", 3), ("1,,2", 3), ("1,2,", 5)]
)
def test_a_wrong_range_points_at_the_character(cli: Command, job: str, ranges: str, position: int) -> None:
    done = cli("job", "assets", "download", job, "--assets", "rgb", f"--render-ids={ranges}", "-o", "out")
    assert done.code == 2
    assert f"(character {position})" in done.err
    assert not (cli.folder / "out").exists()


def test_missing_ids_are_named_and_can_be_allowed(cli: Command, job: str) -> None:
    line = ["job", "assets", "download", job, "--assets", "rgb", "-o", "out", "-r", "10-13,50"]
    done = cli(*line)
    assert done.code == 1
    assert f"job {job} has no render 12-13, 50; the others are there" in done.err
    assert len(contents(cli.folder / "out")) == 2
    cli.ok(*line, "--allow-missing")
    none = cli("job", "assets", "download", job, "--assets", "rgb", "-o", "o2", "-r", "99", "--allow-missing")
    assert none.code == 1


def test_a_range_far_beyond_the_job_is_counted_and_not_listed(cli: Command, job: str) -> None:
    line = ["job", "assets", "download", job, "--assets", "rgb", "-o", "out", "-r", "0-9223372036854775807"]
    done = cli(*line, "--json")
    assert done.code == 1
    summary, error = done.events()[-2:]
    assert (summary["missing"], len(summary["missing_render_ids"])) == (2**63 - RENDERS, 1000)
    assert "9,223,372,036,854,774,796 more" in error["error"]["message"]
    assert len(done.out.splitlines()[-1]) < 1000


def test_an_unfinished_job_may_be_asked_for_what_is_yet_to_come(cli: Command, platform: Platform) -> None:
    spec = {"humans": [{"identities": {"ids": [80], "renders_per_identity": 1}}]}
    young = platform.create(spec)
    done = cli.ok("job", "assets", "download", young, "--assets", "rgb,metadata", "-o", "out")
    assert "not finished" in done.err
    some = cli("job", "assets", "download", young, "--assets", "rgb", "-r", "0", "-o", "out")
    assert some.code == 1
    assert "has no render 0 yet" in some.err
    assert cli("job", "assets", "download", young, "--assets", "rbg", "-o", "out").code == 2


@pytest.mark.parametrize("place", ["file", "file/below", "dangling"])
def test_a_file_in_the_folders_place(cli: Command, job: str, place: str) -> None:
    (cli.folder / "file").write_bytes(b"mine")
    (cli.folder / "dangling").symlink_to("nowhere")
    done = cli("job", "assets", "download", job, "--assets", "rgb", "-o", place)
    assert done.code == 2
    assert "a file is in its place" in done.err
    assert (cli.folder / "file").read_bytes() == b"mine"


def test_json_gives_events(cli: Command, job: str) -> None:
    done = cli.ok("job", "assets", "download", job, "--assets", "rgb", "-o", "out", "--json")
    assert done.err == ""
    events = done.events()
    assert [event["event"] for event in events if event["event"] != "progress"] == ["start", "done"]
    assert events[0]["assets"] == ["rgb"]
    assert (events[-1]["files_new"], events[-1]["failed"]) == (RENDERS, 0)
    assert "key" not in json.dumps(events)


def test_quiet_prints_the_folder(cli: Command, job: str) -> None:
    done = cli.ok("job", "assets", "download", job, "--assets", "rgb", "-o", "out", "--quiet")
    assert (done.out, done.err) == ("out\n", "")


def test_a_changed_file_is_kept_until_update(cli: Command, job: str, renders: Path) -> None:
    line = ["job", "assets", "download", job, "--assets", "rgb", "-o", "out"]
    cli.ok(*line)
    name = "3.cam_default.f_1.rgb.png"
    (cli.folder / "out" / name).write_bytes(b"mine")
    done = cli(*line)
    assert done.code == 1
    assert "1 of 12 files failed" in done.err
    assert name in done.err
    hint = done.err.splitlines()[-1]
    assert hint.endswith("--update")
    assert (cli.folder / "out" / name).read_bytes() == b"mine"
    cli.ok(*shlex.split(hint.partition("synthesis ")[2]))
    assert (cli.folder / "out" / name).read_bytes() == (renders / name).read_bytes()


def test_verify_finds_a_flipped_bit(cli: Command, job: str) -> None:
    line = ["job", "assets", "download", job, "--assets", "rgb", "-o", "out"]
    cli.ok(*line)
    file = cli.folder / "out" / "3.cam_default.f_1.rgb.png"
    data = bytearray(file.read_bytes())
    data[5] ^= 1
    file.write_bytes(data)
    found = cli(*line, "--verify")
    assert (found.code, found.err.rstrip().endswith("-o out --update")) == (7, True)
    cli.ok(*line, "--update")
    cli.ok(*line, "--verify")


def test_a_job_that_is_not_there(cli: Command) -> None:
    done = cli("job", "assets", "download", "nothing", "--assets", "rgb", "-o", "out")
    assert done.code == 4
    assert not (cli.folder / "out").exists()


def test_a_server_that_is_down_says_how_to_start_one(cli: Command, job: str) -> None:
    cli.environment["SYNTHESIS_SERVER"] = "http://127.0.0.1:1"
    done = cli("job", "assets", "download", job, "--assets", "rgb", "-o", "out")
    assert done.code == 5
    assert len(done.err.splitlines()) == 2


def test_the_manifest_is_all_that_is_asked_before_the_first_file(tmp_path: Path) -> None:
    """A connection, the manifest, the first file: three round trips, the look at key and job included."""
    with FaultyServer([File(f"{at}.rgb.png", made(500 + at, at)) for at in range(50)]) as server:
        cli = Command(tmp_path, SYNTHESIS_SERVER=server.url, SYNTHESIS_API_KEY=KEY, SYNTHESIS_ORG=ORG)
        line = ["job", "assets", "download", JOB, "--assets", "rgb", "-o", "out"]
        cli.ok(*line)
        first, second, *_ = (request.path for request in server.requests)
        assert (first.endswith("/manifest"), second.endswith(".rgb.png")) == (True, True)
        assert len(server.requests) == 51
        server.forget()
        cli.ok(*line)
        assert [request.path for request in server.requests] == [first]


def test_a_download_loads_nothing_that_it_does_not_need(
    cli: Command, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cli.environment.items():
        monkeypatch.setenv(name, value)
    loaded = loaded_by("job", "assets", "download", job, "--assets", "rgb", "-o", str(cli.folder / "out"))
    assert "synthesis.ops.download" in loaded
    assert not loaded & {*HEAVY, "typer", "uuid", "orjson", "synthesis.schema.wire"}


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
def test_a_dumb_terminal_is_drawn_upon_by_nobody(cli: Command, job: str) -> None:
    cli.environment["TERM"] = "dumb"
    terminal = cli.terminal("job", "assets", "download", job, "--assets", "rgb,depth,uv", "-o", "out")
    terminal.expect("hint: ")
    assert terminal.wait() == 2
    assert "\x1b" not in terminal.shown


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
def test_a_terminal_shows_one_line_and_survives_resizing(cli: Command, job: str) -> None:
    terminal = cli.terminal("job", "assets", "download", job, "--assets", "all", "-o", "out", columns=40)
    terminal.resize(24)
    terminal.expect("Saved to out")
    assert terminal.wait() == 0
    lines = re.split(r"\r|\n", terminal.shown)
    drawn = [line.removesuffix("\x1b[J") for line in lines if line.endswith("\x1b[J")]
    assert all(len(line) < 40 for line in drawn)


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_an_interrupt_says_how_to_go_on_and_that_works(
    cli: Command, platform: Platform, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for render in range(3000):
        (folder / f"{render}.cam_default.f_1.rgb.png").write_bytes(b"%d" % render * 50)
    job = platform.import_folder(folder)
    running = cli.start("job", "assets", "download", job, "--assets", "rgb", "-o", "o u t", "-c", "2")
    end = time.monotonic() + 30
    while time.monotonic() < end and not list((cli.folder / "o u t").glob("*.png")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    text = err.decode()
    assert running.returncode == 130, text
    assert text.startswith("error: interrupted; what is complete stays\nhint: resume with: synthesis job")
    resume = shlex.split(text.splitlines()[-1].partition("synthesis ")[2])
    assert "o u t" in resume
    cli.ok(*resume)
    assert contents(cli.folder / "o u t") == contents(folder)
