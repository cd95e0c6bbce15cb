"""The benchmarks' own tools: the link with a length, the corpora, the places in documents."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bench.transfer import corpora, measure, network, report

if TYPE_CHECKING:
    from pathlib import Path

SERVE = """
import socket
server = socket.create_server(("{host}", 7000))
print(flush=True)
server.accept()[0].sendall(b"x" * {size})
"""
CONNECT = """
import socket, time
start = time.monotonic()
link = socket.create_connection(("{host}", 7000))
print(time.monotonic() - start)
print(len(link.makefile("rb").read()))
"""
SIZE = 3_000_000


def test_packets_take_their_time_and_all_arrive(tmp_path: Path) -> None:
    if why := network.missing():
        pytest.skip(why)
    with ExitStack() as stack:
        try:
            link = stack.enter_context(network.Network(40, tmp_path))
        except (RuntimeError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no namespaces here: {error}")
        serve = SERVE.format(host=link.host, size=SIZE)
        server = subprocess.Popen([*link.server, sys.executable, "-c", serve], stdout=subprocess.PIPE)
        assert server.stdout is not None
        server.stdout.readline()
        connect = CONNECT.format(host=link.host)
        done = subprocess.run(
            [*link.client, sys.executable, "-c", connect], capture_output=True, text=True, timeout=60
        )
        server.stdout.close()
        server.wait(10)
    seconds, size = done.stdout.split()
    assert float(seconds) >= 0.039  # a tick less, at most, than it says
    assert int(size) == SIZE
    assert "packets" in link.traffic


def test_a_corpus_is_complained_of_when_a_byte_is_wrong(tmp_path: Path) -> None:
    corpus = corpora.build("A", tmp_path / "root", 0.0001)
    out = tmp_path / "root" / "A"
    assert measure.complaint(out, corpus.files, hashed=True) == ""
    (out / corpus.files[1].name).write_bytes(b"x" * corpus.files[1].size)
    assert measure.complaint(out, corpus.files, hashed=False) == ""
    assert measure.complaint(out, corpus.files, hashed=True) == f"{corpus.files[1].name} is wrong"
    (out / corpus.files[0].name).unlink()
    assert measure.complaint(out, corpus.files, hashed=False) == f"{corpus.files[0].name} is missing"


def test_a_table_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- here -->\nold\n<!-- /here -->\nafter\n")
    report.write_between(page, "here", "new")
    assert page.read_text() == "before\n<!-- here -->\n\nnew\n\n<!-- /here -->\nafter\n"
    with pytest.raises(ValueError, match="no place called there"):
        report.write_between(page, "there", "new")
