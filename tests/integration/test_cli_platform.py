"""`serve`, `platform import` and `quickstart`: the platform from the command line."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from fakes.command import Command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    for line in (
        ["account", "create", "me@example.com"],
        ["org", "create", "acme", "--owner", "me@example.com"],
    ):
        command.ok("platform", *line, "--data", "data")
    return command


def started(cli: Command, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    process = cli.start("serve", "--data", "data", "--port", "0", "--workers", "0", *options)
    assert process.stdout is not None
    return process, process.stdout.readline().decode()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_ends_cleanly(cli: Command, number: int) -> None:
    process, line = started(cli)
    announced = json.loads((cli.folder / "data" / "server.json").read_bytes())
    assert line == f"Serving at {announced['url']}\n"
    assert announced["pid"] == process.pid
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert not (cli.folder / "data" / "server.json").exists()


@posix
def test_two_servers_on_one_folder(cli: Command) -> None:
    process, _ = started(cli, "--json")
    try:
        second = cli("serve", "--data", "data", "--port", "0")
        assert second.code == 6
        assert "in use by another server" in second.err
    finally:
        process.terminate()
        process.communicate(timeout=30)


@posix
def test_a_port_that_is_taken(cli: Command) -> None:
    process, line = started(cli)
    try:
        port = line.strip().rpartition(":")[2]
        done = cli("serve", "--data", "other", "--port", port)
        assert done.code == 5
        assert "--port" in done.err
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_an_import_is_a_job_like_any_other(cli: Command) -> None:
    folder = cli.folder / "old"
    folder.mkdir()
    (folder / "0.rgb.png").write_bytes(b"picture")
    (folder / "notes.txt").write_bytes(b"not of a render")
    done = cli.ok("platform", "import", folder, "--org", "acme", "--data", "data", "--name", "spring")
    assert done.out.startswith("1 file, 7 B imported as job ")
    assert "notes.txt" in done.err
    job = done.out.split()[-1]
    key = cli.ok("platform", "key", "create", "me@example.com", "--data", "data", "--quiet").out
    process, line = started(cli)
    try:
        cli.environment |= {"SYNTHESIS_SERVER": line.split()[-1], "SYNTHESIS_ORG": "acme"}
        cli.ok("apikey", "set", stdin=key)
        assert cli.ok("job", "status", job).out == "status: completed\n1/1 renders created\n"
        cli.ok("job", "assets", "download", job, "--assets", "rgb", "-o", "new")
        assert (cli.folder / "new" / "0.cam_default.f_1.rgb.png").read_bytes() == b"picture"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_an_import_needs_an_org(cli: Command) -> None:
    done = cli("platform", "import", cli.folder, "--data", "data")
    assert done.code == 2
    assert "--org" in done.err


def test_quickstart_shows_everything_and_runs_again(tmp_path: Path) -> None:
    cli = Command(tmp_path)
    done = cli.ok("quickstart", "--renderer", "flat", timeout=110)
    folder = tmp_path / "synthesis-quickstart"
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "contact_sheet.png",
        "data",
        "downloads",
        "extracted",
        "logs",
        "spec.json",
    }
    # A slow machine tells how far it is in between.
    words = [line.split()[0] for line in done.err.splitlines()[2:]]
    steps = [word for word in words if word.endswith("/6")]
    assert steps == [f"{n}/6" for n in range(1, 7)]
    assert "Try next" in done.out
    assert (folder / "contact_sheet.png").read_bytes().startswith(b"\x89PNG")
    assert not list(cli.home.iterdir())
    assert not cli.config.exists()
    assert not (folder / "data" / "server.json").exists()
    again = cli.ok("quickstart", "--renderer", "flat", "--json", timeout=110)
    steps = {event["step"]: event["message"] for event in again.events() if event["event"] == "step"}
    assert steps["render"].endswith("there from last time")
    assert steps["download"].endswith("there from last time")
    spec = json.loads((folder / "spec.json").read_bytes())
    spec["humans"] = [{**spec["humans"][0], "identities": {"ids": [80], "renders_per_identity": 1}}]
    (folder / "spec.json").write_text(json.dumps(spec))
    cli.ok("quickstart", "--renderer", "flat", timeout=110)
    assert {path.name.split(".")[0] for path in (folder / "downloads").iterdir()} == {"0", "metadata"}
    job = json.loads((folder / "downloads" / "metadata.jsonl").read_bytes().splitlines()[0])["job_id"]
    former = [path.name for path in folder.glob("downloads-*")]
    assert len(former) == 1
    assert job[:8] not in former[0]


@posix
def test_quickstart_keeps_serving_until_interrupted(tmp_path: Path) -> None:
    cli = Command(tmp_path)
    terminal = cli.terminal("quickstart", "--renderer", "flat", "--keep-serving", "--dir", "q")
    terminal.expect("Control-C stops it", timeout=100)
    assert "Confirmed membership in quickstart" in cli.ok("status", "--config", "q/config.json").out
    terminal.type("\x03")
    assert terminal.wait() == 0
    end = time.monotonic() + 20
    while (tmp_path / "q" / "data" / "server.json").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert cli("status", "--config", "q/config.json").code == 1


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_quickstart_that_is_ended_takes_its_platform_along(tmp_path: Path, number: int) -> None:
    cli = Command(tmp_path)
    process = cli.start("quickstart", "--renderer", "flat", "--keep-serving", "--dir", "q")
    assert process.stderr is not None
    while b"running at" not in process.stderr.readline():
        assert process.poll() is None
    there = tmp_path / "q" / "data" / "server.json"
    assert there.exists()
    process.send_signal(number)
    process.communicate(timeout=60)
    end = time.monotonic() + 20
    while there.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not there.exists()


@posix
def test_quickstart_leaves_a_platform_that_it_found(tmp_path: Path) -> None:
    cli = Command(tmp_path)
    server = cli.start("serve", "--data", "q/data", "--port", "0", "--workers", "1", "--renderer", "flat")
    assert server.stdout is not None
    url = server.stdout.readline().decode().split()[-1]
    done = cli.ok("quickstart", "--renderer", "flat", "--keep-serving", "--dir", "q", timeout=110)
    assert f"already running at {url}" in done.err
    assert "synthesis serve" not in done.out
    assert server.poll() is None
    server.terminate()
    server.communicate(timeout=30)


def test_quickstart_on_a_file(tmp_path: Path) -> None:
    cli = Command(tmp_path)
    (tmp_path / "q").write_bytes(b"mine")
    done = cli("quickstart", "--renderer", "flat", "--dir", "q")
    assert done.code == 2
    assert "step 1, platform: q/data: not a directory" in done.err
    assert (tmp_path / "q").read_bytes() == b"mine"


def test_quickstart_names_the_step_that_fails(tmp_path: Path) -> None:
    cli = Command(tmp_path)
    done = cli("quickstart", "--renderer", "nothing", "--dir", "q", timeout=110)
    assert done.code != 0
    assert "step 1, platform: the platform ended with code 2: " in done.err
    assert "nothing" in done.err.splitlines()[-2]
    assert "logs" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
