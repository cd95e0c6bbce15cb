"""`synthesis fetch` with lists that say too little, nothing, or nonsense."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.command import Command
from fakes.faulty import JOB, FaultyServer, File, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.faulty import FileExchange

FILES = 6
posix = pytest.mark.skipif(os.name != "posix", reason="links to folders")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer([File(f"{at}.bin", made(500 + at, at)) for at in range(FILES)], key=None) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    return Command(tmp_path)


def urls(server: FaultyServer) -> str:
    return "".join(f"{server.url}/api/v1/files/{JOB}/{file.name}\n" for file in server.lines)


def test_what_a_check_did_not_read_is_not_called_right(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(urls(server))
    cli.ok("fetch", "urls.txt", "-o", "out")
    (cli.folder / "out" / "0.bin").write_bytes(b"?")
    told = cli.ok("fetch", "urls.txt", "-o", "out", "--verify").out
    assert told.startswith(f"0 of {FILES} files right; {FILES} there but not read")
    assert "checked" not in told
    assert (
        cli.ok("fetch", "urls.txt", "-o", "out", "--verify", "--json").events()[-1]["files_unread"] == FILES
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "a,b\n1,2\n", "names no column url"),
        ("a.txt", "no list at all\n", "its first line is no URL"),
        ("a.txt", "http://localhost/\n", "needs a name"),
        ("a.ndjson", '{"url": 1}\n', "wrong type"),
        ("a.csv", "url,size\rhttp://localhost/a,1\r", "carriage returns alone"),
    ],
)
def test_a_list_that_is_none_is_for_its_owner_to_correct(
    cli: Command, name: str, text: str, says: str
) -> None:
    (cli.folder / name).write_text(text)
    done = cli("fetch", name, "-o", "out")
    assert done.code == 2
    assert says in done.err
    assert "resume" not in done.err


def test_a_password_in_an_address_is_not_told(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text("nothing.png\n")
    base = server.url.replace("//", "//me:hush@") + "/"
    done = cli("fetch", "urls.txt", "-o", "out", "--base", base, "--json")
    assert done.code == 4
    assert done.events()[0]["event"] == "start"
    assert "hush" not in done.out + done.err


def test_each_cause_of_bad_lines_is_named(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(urls(server) + "http://localhost/\nftp://localhost/x\nnonsense\n")
    done = cli("fetch", "urls.txt", "-o", "out")
    assert done.code == 1
    assert "1 x invalid-list: its URL ends in a slash, so it needs a name (line 7)" in done.err
    assert "neither http nor https (line 8" in done.err


def test_an_empty_list_is_told(cli: Command) -> None:
    (cli.folder / "urls.txt").write_text("# nothing yet\n")
    assert "there is no file to fetch" in cli.ok("fetch", "urls.txt", "-o", "out").err


def test_a_dry_run_looks_into_shards(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(urls(server))
    line = ["fetch", "urls.txt", "--tar", "shards", "--tar-renders", "4"]
    before = cli.ok(*line, "--dry-run")
    assert "an unknown number of bytes to fetch" in before.out
    assert not (cli.folder / "shards").exists()
    cli.ok(*line)
    assert "\n0 B to fetch" in cli.ok(*line, "--dry-run").out
    after = cli.ok(*line, "--dry-run", "--json").events()[-1]
    assert (after["files_total"], after["files_present"]) == (FILES, FILES)


def test_a_saved_manifest_needs_to_know_where_it_was(cli: Command, server: FaultyServer) -> None:
    with urllib.request.urlopen(f"{server.url}/api/v1/jobs/{JOB}/manifest") as answer:
        (cli.folder / "saved.ndjson").write_bytes(answer.read())
    done = cli("fetch", "saved.ndjson", "-o", "out")
    assert done.code == 2
    assert "--base URL" in done.err
    assert not (cli.folder / "out").exists()
    assert "no web address" in cli("fetch", "saved.ndjson", "-o", "out", "--base", "files").err
    cli.ok("fetch", "saved.ndjson", "-o", "out", "--base", f"{server.url}/api/v1/jobs/{JOB}/manifest")
    assert len(list((cli.folder / "out").iterdir())) == FILES


def test_a_list_that_cannot_be_had_leaves_no_folder(cli: Command, server: FaultyServer) -> None:
    done = cli("fetch", f"{server.url}/nothing/here", "-o", "new/out")
    assert done.code == 4
    assert not (cli.folder / "new").exists()


@pytest.mark.parametrize(
    ("name", "encoding", "comes"),
    [
        ("known.bin", "gzip", True),
        ("a.tar.gz", "x-gzip", True),
        ("a.bin", "aws-chunked", True),
        ("a.bin", "gzip", False),
    ],
)
def test_a_file_that_lies_there_encoded_comes_as_it_is(
    cli: Command, server: FaultyServer, name: str, encoding: str, comes: bool
) -> None:
    file = server.lines[0]

    def say_encoded(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers["Content-Encoding"] = encoding
        exchange.reply(answer)

    server.faults[file.name] = [faults.always(say_encoded)]
    row = {"url": f"{server.url}/api/v1/files/{JOB}/{file.name}", "name": name}
    told = {"size": len(file.data), "sha256": file.sha256} if name == "known.bin" else {}
    (cli.folder / "list.ndjson").write_text(json.dumps(row | told))
    done = cli("fetch", "list.ndjson", "-o", "out")
    assert (done.code == 0, (cli.folder / "out" / name).exists()) == (comes, comes), done
    assert comes or f"sends it encoded as {encoding}" in done.err
    assert not comes or (cli.folder / "out" / name).read_bytes() == file.data


@posix
def test_a_folder_that_is_a_link_is_not_followed(cli: Command, server: FaultyServer) -> None:
    file = server.lines[0]
    rows = [
        {"url": f"{server.url}/api/v1/files/{JOB}/{file.name}", "name": name} for name in ("sub/a", "new/a")
    ]
    (cli.folder / "list.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (cli.folder / "out").mkdir()
    (cli.folder / "outside").mkdir()
    (cli.folder / "out/sub").symlink_to("../outside")
    done = cli("fetch", "list.ndjson", "-o", "out")
    assert (done.code, "sub is a link, which may lead out of the folder" in done.err) == (1, True), done
    assert not list((cli.folder / "outside").iterdir())
    assert (cli.folder / "out/new/a").read_bytes() == file.data


def test_a_report_never_takes_the_place_of_its_list(cli: Command, server: FaultyServer) -> None:
    (cli.folder / "urls.txt").write_text(urls(server))
    done = cli("fetch", "urls.txt", "-o", "out", "--report", "./urls.txt")
    assert (done.code, "the report would replace the list" in done.err) == (2, True)
    assert (cli.folder / "urls.txt").read_text() == urls(server)
    assert not server.requests
