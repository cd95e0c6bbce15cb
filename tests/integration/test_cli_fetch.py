"""`synthesis fetch`: any list, no platform, no key; each option and each exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import tarfile
import time
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.command import Command
from fakes.faulty import JOB, FaultyServer, File, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = 30
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and terminals")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    files = [File(f"{at}.cam_default.f_1.rgb.png", made(3_000 + at, at), render_id=at) for at in range(FILES)]
    with FaultyServer(files, key=None) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    return Command(tmp_path)


def url(server: FaultyServer, name: str) -> str:
    return f"{server.url}/api/v1/files/{JOB}/{name}"


def plain(server: FaultyServer, *more: str) -> str:
    """A list with a URL a line."""
    return "".join(f"{line}\n" for line in [*(url(server, file.name) for file in server.lines), *more])


def rich(server: FaultyServer) -> str:
    """A list with all that is known, in NDJSON."""
    lines = (
        {"url": url(server, file.name), "name": file.name, "size": len(file.data), "sha256": file.sha256}
        for file in server.lines
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expected(server: FaultyServer) -> dict[str, bytes]:
    return {file.name: file.data for file in server.lines}


@pytest.mark.parametrize("kind", ["urls.txt", "files.ndjson", "stdin"])
def test_every_file_of_a_list_arrives_and_nothing_else(cli: Command, server: FaultyServer, kind: str) -> None:
    text = rich(server) if kind == "files.ndjson" else plain(server)
    (cli.folder / kind).write_text(text)
    line = ["fetch", "-" if kind == "stdin" else kind, "-o", "out"]
    done = cli.ok(*line, stdin=text if kind == "stdin" else None)
    assert contents(cli.folder / "out") == expected(server)
    assert re.match(rf"{FILES} files, \d+\.\d KB in \S+ s", done.out)
    assert "Saved to out" in done.out
    again = cli.ok(*line, stdin=text if kind == "stdin" else None)
    assert again.out.startswith("nothing new in ")


def test_a_usage_error_comes_before_any_request(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server))
    for options, says in (
        (["-c", "0"], "concurrency must be from 1 to 4096"),
        (["-c", "many"], "neither a number nor auto"),
        (["--shard", "5/4"], "5 of 4"),
        (["--shard", "x"], "no I/N"),
        (["--limit-rate", "fast"], "no number of bytes"),
        (["--max-rps", "0"], "max-rps"),
        (["--order", "size"], "order must be"),
        (["--verify", "--update"], "--verify and --update exclude each other"),
        (["--verify", "--dry-run"], "--verify and --dry-run exclude each other"),
        (["--tar-renders", "5"], "--tar-renders is about --tar"),
        (["--header", "no colon"], "a name, a colon and a value"),
        (["--header", "@nothing.txt"], "--header @nothing.txt cannot be read: No such file"),
        (["--proxy", "nowhere"], "--proxy is no address"),
        (["--proxy", "http://"], "--proxy is no address"),
        (["--proxy", "ftp://localhost:1"], "--proxy is no address"),
        (["--cacert", "nothing.pem"], "is no file"),
    ):
        done = cli("fetch", "urls.txt", "-o", "out", *options)
        assert (done.code, done.out) == (2, ""), (options, done)
        assert says in done.err
        assert len(done.err.splitlines()) == 2
    assert not server.requests
    assert not (cli.folder / "out").exists()


@posix
def test_a_list_from_a_terminal_is_asked_for(cli: Command, server: FaultyServer) -> None:
    terminal = cli.terminal("fetch", "-", "-o", "out")
    terminal.expect("reading the list from standard input, a URL a line; end it with Control-D")
    terminal.type(plain(server).splitlines()[0] + "\n\x04")
    assert terminal.wait() == 0
    assert len(list((cli.folder / "out").iterdir())) == 1
    assert "\x1b" not in terminal.shown  # nothing is drawn over what is typed


def test_a_list_that_is_not_there(cli: Command) -> None:
    done = cli("fetch", "nothing.txt", "-o", "out")
    assert (done.code, "no list nothing.txt" in done.err) == (4, True)
    assert cli("fetch", "", "-o", "out").code == 4


def test_some_that_fail_are_named_and_the_others_are_there(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server, url(server, "missing.png")))
    done = cli("fetch", "urls.txt", "-o", "out", "--report", "report.jsonl")
    assert done.code == 1
    assert "1 of 31 files failed" in done.err
    assert "missing.png" in done.err
    assert contents(cli.folder / "out") == expected(server)
    assert "report in report.jsonl" in done.out
    lines = [json.loads(line) for line in (cli.folder / "report.jsonl").read_text().splitlines()]
    assert len([line for line in lines if "name" in line]) == FILES + 1


def test_a_server_that_is_down_is_worth_another_run(cli: Command) -> None:
    (cli.folder / "urls.txt").write_text("http://127.0.0.1:1/a.png\n")
    done = cli("fetch", "urls.txt", "-o", "out", timeout=120)
    assert done.code == 5


def test_json_is_one_object_a_line_and_nothing_else(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server, url(server, "missing.png")))
    done = cli("fetch", "urls.txt", "-o", "out", "--json")
    assert (done.code, done.err) == (1, "")
    events = [event["event"] for event in done.events() if event["event"] != "progress"]
    assert events == ["start", "file-failed", "done", "error"]
    summary = next(event for event in done.events() if event["event"] == "done")
    assert (summary["files_new"], summary["failed"]) == (FILES, 1)
    assert summary["bound"]["what"]


def test_verify_reads_what_is_there_and_fetches_nothing(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "list.ndjson").write_text(rich(server))
    line = ["fetch", "list.ndjson", "-o", "out"]
    cli.ok(*line)
    server.forget()
    right = cli.ok(*line, "--verify")
    assert right.out.startswith(f"{FILES} of {FILES} files right; ")
    file = cli.folder / "out" / server.lines[3].name
    file.write_bytes(made(len(server.lines[3].data), 99))
    wrong = cli(*line, "--verify")
    assert (wrong.code, "1 wrong" in wrong.out) == (7, True)
    assert "fetch what differs with: synthesis fetch list.ndjson -o out --update" in wrong.err
    file.unlink()
    missing = cli(*line, "--verify")
    assert (missing.code, "1 missing" in missing.out) == (1, True)
    assert not file.exists()
    assert not server.requests


def test_a_dry_run_counts_and_touches_nothing(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "list.ndjson").write_text(rich(server))
    done = cli.ok("fetch", "list.ndjson", "-o", "out", "--dry-run")
    assert f"{FILES}" in done.out
    assert " free" in done.out
    assert not server.requests
    assert not (cli.folder / "out").exists()


def test_shards_are_disjoint_and_the_whole_together(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server))
    for part in (1, 2, 3):
        cli.ok("fetch", "urls.txt", "-o", f"out{part}", "--shard", f"{part}/3")
    parts = [contents(cli.folder / f"out{part}") for part in (1, 2, 3)]
    assert sum(len(part) for part in parts) == FILES
    assert {**parts[0], **parts[1], **parts[2]} == expected(server)


def test_headers_reach_the_server_and_no_text(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server))
    (cli.folder / "secrets").write_text("X-Second: two-secret-words\n\n")
    cli.environment["SYNTHESIS_FETCH_HEADERS"] = "X-Third: three-secret-words"
    options = ["--header", "X-First: one-secret-word", "--header", "@secrets"]
    done = cli.ok("fetch", "urls.txt", "-o", "out", *options, "--json")
    assert "secret-word" not in done.out + done.err
    sent = server.requests[0].headers
    assert [sent[f"x-{name}"].split("-")[0] for name in ("first", "second", "third")] == [
        "one",
        "two",
        "three",
    ]


@posix
@pytest.mark.parametrize(
    ("number", "code", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")]
)
def test_a_signal_ends_it_soon_and_says_how_to_go_on(
    cli: Command, server: FaultyServer, number: str, code: int, word: str
) -> None:
    server.pace = 0.2
    (cli.folder / "urls.txt").write_text(plain(server))
    running = cli.start("fetch", "urls.txt", "-o", "out", "-c", "2")
    end = time.monotonic() + 30
    while time.monotonic() < end and not list((cli.folder / "out").glob("*.png")):
        time.sleep(0.01)
    asked = time.monotonic()
    running.send_signal(getattr(signal, number))
    _, err = running.communicate(timeout=30)
    assert time.monotonic() - asked < 5
    assert running.returncode == code
    text = err.decode()
    assert text.startswith(
        f"error: {word}; what is complete stays\nhint: resume with: synthesis fetch urls.txt"
    )
    server.pace = 0
    cli.ok("fetch", "urls.txt", "-o", "out")
    assert contents(cli.folder / "out") == expected(server)


@posix
def test_control_c_twice_leaves_at_once(cli: Command, server: FaultyServer) -> None:
    server.pace = 0.1
    (cli.folder / "urls.txt").write_text(plain(server))
    running = cli.start("fetch", "urls.txt", "-o", "out", "-c", "2")
    end = time.monotonic() + 30
    while time.monotonic() < end and not list((cli.folder / "out").glob("*.png")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    time.sleep(0.15)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=3)
    # The second may come when the interpreter is already going: shells say 130 of both.
    assert running.returncode in {130, -signal.SIGINT}


@posix
def test_a_terminal_shows_files_bytes_and_speed(cli: Command, server: FaultyServer) -> None:
    server.pace = 0.1
    (cli.folder / "urls.txt").write_text(plain(server))
    terminal = cli.terminal("fetch", "urls.txt", "-o", "out", "-c", "2", columns=120)
    terminal.expect(" files  ")
    terminal.expect("KB/s")
    terminal.expect("Saved to out")
    assert terminal.wait() == 0
    drawn = [line for line in re.split(r"\r|\n", terminal.shown) if line.endswith("\x1b[J")]
    assert any(re.match(r"\d+/\d+\+? files  \d", line) for line in drawn)


def test_a_log_has_few_lines(cli: Command, server: FaultyServer) -> None:
    server.pace = 0.1
    (cli.folder / "urls.txt").write_text(plain(server))
    done = cli.ok("fetch", "urls.txt", "-o", "out", "-c", "4")
    assert len(done.err.splitlines()) <= 3


def test_quiet_prints_the_folder(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server))
    done = cli.ok("fetch", "urls.txt", "-o", "out", "--quiet")
    assert (done.out, done.err) == ("out\n", "")


def test_shards_of_tar_hold_every_file(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "list.ndjson").write_text(rich(server))
    done = cli.ok("fetch", "list.ndjson", "--tar", "shards", "--tar-renders", "10")
    assert "Saved to shards" in done.out
    shards = sorted((cli.folder / "shards").iterdir())
    assert [path.name for path in shards] == [f"shard-{number:06}.tar" for number in range(3)]
    found = {}
    for path in shards:
        with tarfile.open(path) as archive:
            for member in archive:
                data = archive.extractfile(member)
                assert data is not None
                found[member.name] = data.read()
    assert sorted(found.values()) == sorted(expected(server).values())
    both = cli("fetch", "list.ndjson", "--tar", "shards", "-o", "out")
    assert (both.code, "-o and --tar exclude each other" in both.err) == (2, True)


def test_a_folder_in_use_is_a_matter_of_the_disk(cli: Command, server: FaultyServer) -> None:
    server.pace = 0.2
    (cli.folder / "urls.txt").write_text(plain(server))
    running = cli.start("fetch", "urls.txt", "-o", "out", "-c", "1")
    end = time.monotonic() + 30
    while time.monotonic() < end and not (cli.folder / "out").exists():
        time.sleep(0.01)
    second = cli("fetch", "urls.txt", "-o", "out")
    running.kill()
    running.communicate()
    assert (second.code, len(second.err.splitlines())) == (6, 2)


def test_a_rate_is_kept(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(plain(server))
    done = cli.ok("fetch", "urls.txt", "-o", "out", "--max-rps", "40", "--json")
    assert contents(cli.folder / "out") == expected(server)
    assert done.events()[-1]["seconds"] > 0.3


def test_throttling_is_an_event_and_no_failure(cli: Command, server: FaultyServer) -> None:
    server.faults[server.lines[0].name] = [faults.status(503, retry_after="1")]
    (cli.folder / "urls.txt").write_text(plain(server))
    done = cli.ok("fetch", "urls.txt", "-o", "out", "--json")
    assert contents(cli.folder / "out") == expected(server)
    assert "throttled" in [event["event"] for event in done.events()]


def test_a_proxy_is_asked_and_its_password_never_shown(cli: Command) -> None:
    (cli.folder / "urls.txt").write_text("http://files.example/a.png\n")
    done = cli("fetch", "urls.txt", "-o", "out", "--proxy", "http://me:hidden-word@127.0.0.1:1", timeout=120)
    assert done.code == 5
    assert "cannot connect" in done.err  # the name alone could not even be resolved
    assert "hidden-word" not in done.err + done.out
