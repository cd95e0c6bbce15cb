"""`humans` and `job`: specs, jobs and their texts, by the real command on a real server."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.command import Command
from fakes.platform import ORG, Platform
from fakes.wire import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = b"""{ "humans": [ {
  "identities": {"ids": [80, 33], "renders_per_identity": 1},
  "camera_and_light_rigs": [{"type": "head_orbit", "cameras": [
    {"name": "default", "specifications": {"resolution_h": 32, "resolution_w": 32}}]}]
} ] }
"""
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform") / "data", workers=0).start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def rendering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that renders what it is asked for."""
    running = Platform(tmp_path_factory.mktemp("rendering") / "data", workers=1).start()
    yield running
    running.close()


@pytest.fixture
def cli(tmp_path: Path, platform: Platform) -> Command:
    (tmp_path / "spec.json.in").write_bytes(SPEC)
    return Command(tmp_path, SYNTHESIS_SERVER=platform.url, SYNTHESIS_API_KEY=platform.key, SYNTHESIS_ORG=ORG)


@pytest.fixture
def job(cli: Command) -> str:
    return cli.ok("humans", "create", "spec.json.in", "--quiet").out.strip()


def test_ids_are_written_as_results_json(cli: Command) -> None:
    done = cli.ok("humans", "ids", "-", stdin='{"count": 5}')
    assert done.out == "requested: 5, returned: 5\nSaved to results.json\n"
    results = json.loads((cli.folder / "results.json").read_bytes())
    assert list(results) == ["status", "data", "message"]
    assert len(results["data"]["ids"]) == 5


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("women", "women/results.json"),
        ("a/b/women.json", "a/b/women.json"),
        ("w.json", "w.json"),
        ("d.x/", "d.x/results.json"),
    ],
)
def test_where_ids_go(cli: Command, given: str, file: str) -> None:
    if given.endswith("/"):
        (cli.folder / given).mkdir()
    cli.ok("humans", "ids", "-", "-o", given, stdin='{"count": 1}')
    assert (cli.folder / file).is_file()


def test_a_file_that_is_there_is_kept_without_force(cli: Command) -> None:
    target = cli.folder / "results.json"
    target.write_text("precious")
    done = cli("humans", "ids", "-", stdin='{"count": 1}')
    assert done.code == 2
    assert "--force" in done.err
    assert target.read_text() == "precious"
    cli.ok("humans", "ids", "-", "--force", stdin='{"count": 1}')
    assert target.read_text() != "precious"


def test_a_request_that_is_no_json_names_the_place(cli: Command) -> None:
    done = cli("humans", "ids", "-", stdin='{"count":\n 5,}')
    assert done.code == 2
    assert "line 2, column 4" in done.err


def test_a_spec_that_is_nested_without_end(cli: Command) -> None:
    done = cli("humans", "validate", "-", stdin="[" * 100_000)
    assert done.code == 2
    assert "nested too deeply" in done.err


def test_a_request_file_that_is_not_there(cli: Command) -> None:
    done = cli("humans", "ids", "nothing.json")
    assert done.code == 4
    assert done.err.startswith("error: nothing.json: there is no such file")


def test_create_prints_the_originals_words(cli: Command) -> None:
    done = cli.ok(
        "humans",
        "create",
        "spec.json.in",
        "--name",
        "my job",
        "--notify-emails",
        "a@example.com, b@example.com",
    )
    first, second = done.out.splitlines()
    assert first == "Successfully created"
    assert second.startswith("API job with ID ")
    job = cli.ok("--json", "job", "status", second.split()[-1]).json()
    assert (job["name"], job["notify_emails"]) == ("my job", ["a@example.com", "b@example.com"])


def test_a_bad_address_is_refused_before_anything_is_made(cli: Command) -> None:
    before = cli.ok("job", "list", "--json").json()
    done = cli("humans", "create", "spec.json.in", "--notify-emails", "a@example.com,nobody")
    assert done.code == 2
    assert "'nobody'" in done.err
    assert cli.ok("job", "list", "--json").json() == before


def test_a_wrong_spec_lists_every_fault(cli: Command) -> None:
    wrong = '{"humans": [{"identities": {}}, {"identities": {"ids": []}}]}'
    for line in (["humans", "create", "-"], ["humans", "validate", "-"]):
        done = cli(*line, stdin=wrong)
        assert done.code == 2
        assert "humans.0.identities: ids is required" in done.err
        assert "humans.1.identities.ids" in done.err
        assert "Traceback" not in done.err


def test_validate_needs_no_server(cli: Command) -> None:
    cli.environment["SYNTHESIS_SERVER"] = "http://127.0.0.1:1"
    done = cli.ok("humans", "validate", "spec.json.in")
    assert done.out == "spec.json.in is valid: 2 renders, 2 images\n"


def test_status_prints_the_originals_words(cli: Command, job: str) -> None:
    assert cli.ok("job", "status", job).out == "status: submitted\n0/2 renders created\n"
    assert cli.ok("job", "status", job, "--quiet").out == "submitted\n"


def test_a_job_that_is_not_there(cli: Command) -> None:
    for line in (["job", "status", NOWHERE], ["job", "spec", NOWHERE], ["job", "assets", "view", "../me"]):
        done = cli(*line)
        assert done.code == 4, done
        assert len(done.err.splitlines()) == 2


def test_list_is_newest_first_and_can_be_cut(cli: Command, job: str) -> None:
    newest = cli.ok("humans", "create", "spec.json.in", "--quiet").out.strip()
    ids = [item["id"] for item in cli.ok("job", "list", "--json", "--limit", "2").json()["items"]]
    assert ids == [newest, job]
    header, first, *_ = cli.ok("job", "list").out.splitlines()
    assert header.split() == ["ID", "NAME", "STATUS", "RENDERS", "CREATED"]
    assert first.startswith(newest)


def test_rename(cli: Command, job: str) -> None:
    cli.ok("job", "rename", job, "glasses, second try")
    assert cli.ok("job", "status", job, "--json").json()["name"] == "glasses, second try"


def test_the_spec_comes_back_byte_for_byte(cli: Command, job: str) -> None:
    done = cli.ok("job", "spec", "-s", job)
    assert done.out.encode() == SPEC
    assert done.err == ""
    cli.ok("job", "spec", job)
    assert (cli.folder / "spec.json").read_bytes() == SPEC
    assert cli("job", "spec", job).code == 2
    cli.ok("job", "spec", job, "--output-dir", "mydir/filename.json")
    assert (cli.folder / "mydir" / "filename.json").read_bytes() == SPEC


@pytest.mark.skipif(os.name != "posix", reason="pipes that close")
def test_a_reader_that_goes_away_is_no_fault(cli: Command, job: str) -> None:
    running = cli.start("job", "spec", "-s", job)
    assert running.stdout is not None
    running.stdout.close()
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("line", ["--version", "job list --json", "job spec -s"])
def test_an_output_that_is_full_is_a_disk_error(cli: Command, job: str, line: str) -> None:
    words = [*line.split(), *([job] if line.endswith("-s") else [])]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            cli.line(words), env=cli.environment, stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 6
    if "--json" in words:  # the error belongs where nothing can be written
        assert done.stderr == b""
    else:
        assert done.stderr.startswith(b"error: output: no space left")


def test_an_error_that_cannot_be_said_still_has_its_exit_code(cli: Command) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            cli.line(["job", "status", NOWHERE]), env=cli.environment, stderr=full, timeout=60
        )
    assert done.returncode == 4


def test_version_to_a_reader_that_is_gone(cli: Command) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(cli.line(["--version"]), stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert b"Traceback" not in done.stderr


def test_control_c_while_loading_leaves_quietly() -> None:
    code = """
import sys
class Interrupted:
    def find_spec(self, name, path, target=None):
        if name == "synthesis.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
sys.argv = ["synthesis", "job", "list"]
from synthesis.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_lost_answer_to_create_says_where_to_look(cli: Command) -> None:
    with Server(lambda exchange: exchange.reset()) as server:
        done = cli("humans", "create", "spec.json.in", "--server", server.url)
    assert done.code == 5
    assert "synthesis job list" in done.err.splitlines()[-1]


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_closed_streams_do_no_harm(cli: Command, job: str) -> None:
    for closed in ("<&-", ">&-", "2>&-"):
        line = f"{shlex.join(cli.line(['job', 'status', job]))} {closed}"
        assert subprocess.run(line, shell=True, env=cli.environment, timeout=60).returncode == 0


def test_cancel_says_what_stays_and_is_not_done_twice(cli: Command, job: str) -> None:
    done = cli.ok("job", "cancel", job)
    assert done.out == f"job {job} cancelled, 0 renders created before\n"
    again = cli("job", "cancel", job)
    assert again.code == 1
    assert cli("--json", "job", "cancel", job).json()["error"]["kind"] == "conflict"


def test_watch_of_a_cancelled_job_fails(cli: Command, job: str) -> None:
    cli.ok("job", "cancel", job)
    done = cli("job", "watch", job, "--interval", "0.1")
    assert done.code == 1
    assert done.out == "status: cancelled\n0/2 renders created\n"


def test_a_cancelled_job_without_files_has_nothing_to_download(cli: Command, job: str) -> None:
    cli.ok("job", "cancel", job)
    done = cli("job", "assets", "download", job, "--assets", "all", "-o", "renders")
    assert done.code == 1
    assert done.err.splitlines() == [
        f"error: job {job} is cancelled and has no files",
        f"hint: see: synthesis job status {job}",
    ]


def test_watch_waits_for_the_renders(cli: Command, rendering: Platform) -> None:
    cli.environment |= {"SYNTHESIS_SERVER": rendering.url, "SYNTHESIS_API_KEY": rendering.key}
    job = cli.ok("humans", "create", "spec.json.in", "--quiet").out.strip()
    done = cli.ok("job", "watch", job, "--interval", "0.1", timeout=90)
    assert done.out == "status: completed\n2/2 renders created\n"
    events = cli.ok("job", "watch", job, "--json").events()
    assert (events[-1]["event"], events[-1]["status"]) == ("done", "completed")
    view = cli.ok("job", "assets", "view", job).out.splitlines()
    assert view[0].split() == ["FLAG", "SUFFIX", "FILES", "BYTES", "WHAT", "IT", "IS"]
    flags = [line.split()[0] for line in view[1:]]
    assert flags[0] == "metadata"
    assert flags[-1] == "all"
    assert {"exr", "info", "rgb", "alpha", "depth", "normals", "segments"} <= set(flags)


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")
def test_interrupting_watch_is_130(cli: Command, job: str) -> None:
    terminal = cli.terminal("job", "watch", job)
    terminal.expect("0/2 renders created")
    terminal.type("\x03")
    assert terminal.wait() == 130
    assert "Traceback" not in terminal.shown
