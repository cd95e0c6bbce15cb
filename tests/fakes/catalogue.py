"""The faults of servers by name: what happens, and what a downloader owes its user then.

`CASES` feeds `tests/faults/test_catalogue.py` and, as a program, the comparison with other tools:

    python -m fakes.catalogue names
    python -m fakes.catalogue serve NAME --out DIR     # prints one line of JSON; ends with its stdin
    python -m fakes.catalogue check NAME DIR FOLDER EXIT_CODE     # prints a verdict

`serve` writes `DIR/urls.txt` (a URL a line), `DIR/list.ndjson` (url, name, size, sha256) and the right
bytes in `DIR/files`. Its JSON has `url`, `manifest`, `bucket` (the same files as an S3 service sees
them, path style) and the two lists. The verdicts:

    ok        all files right and exit 0; or, where that cannot be, an exit other than 0 and nothing wrong
    missing   files absent that could be had, and an exit other than 0
    WRONG     a bad file under its final name, and an exit other than 0
    LIES      a bad or absent file, and exit 0
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fakes import faults, protocol
from fakes.faulty import BUCKET, FaultyServer, File, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.faulty import Fault

SMALL, BIG = 20_000, 3_000_000
HALF = BIG // 2


@dataclass(frozen=True)
class Case:
    """One fault: `prepare` sets a server up; `right` if every file can be had in spite of it."""

    name: str
    what: str
    prepare: Callable[[FaultyServer], None]
    right: bool = True
    others: bool = True  # where not every file can be had: those that the fault leaves alone can
    needs_hash: bool = False  # no one can notice it from a URL alone, without size and sha256
    count: int = 10


@functools.cache
def files(count: int = 10) -> tuple[File, ...]:
    """`count` small files and two that are not."""
    sizes = [*[SMALL] * count, BIG, BIG]
    return tuple(File(f"{at:03}.rgb.png", made(size, at), render_id=at) for at, size in enumerate(sizes))


def each(*schedule: Fault) -> Callable[[FaultyServer], None]:
    """Every file meets the schedule, once."""

    def prepare(server: FaultyServer) -> None:
        server.faults = {file.name: list(schedule) for file in server.lines}

    return prepare


def one_in(share: int, *schedule: Fault) -> Callable[[FaultyServer], None]:
    """One file in `share` meets the schedule, the first of them small."""

    def prepare(server: FaultyServer) -> None:
        server.faults = {file.name: list(schedule) for file in server.lines[1::share]}

    return prepare


def resumed(*schedule: Fault) -> Callable[[FaultyServer], None]:
    """Big files are cut at their middle, and the request that goes on meets the schedule."""

    def prepare(server: FaultyServer) -> None:
        big = [file for file in server.lines if len(file.data) == BIG]
        server.faults = {file.name: [faults.reset(at=HALF), *schedule] for file in big}

    return prepare


def shifted(seconds: int) -> Callable[[FaultyServer], None]:
    """The server's clock is `seconds` ahead, and its links end soon by it."""

    def prepare(server: FaultyServer) -> None:
        server.clock = seconds
        server.life = 30
        server.faults = {server.lines[3].name: [faults.expire()]}

    return prepare


def lasting(fault: Fault) -> Fault:
    """The fault for ever."""
    return faults.always(fault)


def _changed(exchange: faults.FileExchange) -> None:
    faults.replaced(made(len(exchange.file.data), seed=99))(exchange)


ALL = [
    # the body
    Case("early-end", "the body ends early, with a clean close", each(faults.short(missing=SMALL // 2))),
    Case("early-end-by-one", "the body lacks its last byte", each(faults.short())),
    Case("reset", "a TCP reset in the middle of the body", each(faults.reset(at=SMALL // 2))),
    Case("reset-at-once", "a TCP reset in place of an answer", each(faults.reset())),
    Case(
        "refuse-reuse", "the connection closes the moment it is used again", each(protocol.close_at_reuse())
    ),
    Case("close-after", "the connection closes after each answer, unannounced", each(protocol.close_after())),
    Case(
        "short-lived",
        "no connection outlives a tenth of a file, or 12 KB",
        each(lasting(protocol.short_lived())),
    ),
    Case("stall", "1 in 8 bodies stalls for ever", one_in(8, faults.stall(at=SMALL // 2))),
    Case("mute", "1 in 8 requests is never answered", one_in(8, faults.mute())),
    Case(
        "slow-body",
        "a body slower than the idle limit in all, never silent",
        one_in(8, faults.drip(pieces=20)),
    ),
    Case("length-too-big", "Content-Length is 7 more than the body", each(faults.wrong_length(by=7))),
    Case(
        "length-too-small",
        "Content-Length is 7 less than the body",
        each(faults.wrong_length(by=-7)),
        needs_hash=True,
    ),
    Case("two-lengths", "two Content-Lengths that differ", each(protocol.two_lengths())),
    Case(
        "grown",
        "the body is 1,000 bytes longer than it should be, for ever",
        one_in(5, lasting(faults.long(extra=1000))),
        right=False,
        needs_hash=True,
    ),
    Case(
        "wrong-bytes-once",
        "the right length and one wrong byte, once",
        each(faults.wrong_bytes(at=SMALL // 2)),
        needs_hash=True,
    ),
    Case(
        "wrong-bytes",
        "the right length and one wrong byte, for ever",
        one_in(5, lasting(faults.wrong_bytes())),
        right=False,
        needs_hash=True,
    ),
    Case("gzip", "gzip where none was asked for", each(faults.gzip())),
    Case("portal", "200 and the sign-in page of a network", each(faults.page()), needs_hash=True),
    Case("s3-error-200", "200 and an object store's <Error>", each(protocol.error_page())),
    Case(
        "s3-error-200-bare",
        "the same, ended by the close alone",
        each(protocol.error_page(length=False)),
        needs_hash=True,
    ),
    # framing
    Case("chunked", "chunked bodies without a length", each(protocol.chunked())),
    Case("chunked-cut", "a chunked body that is cut", each(protocol.chunked(cut=True))),
    Case("chunked-no-end", "a chunked body without its last chunk", each(protocol.chunked(without_end=True))),
    Case("chunked-garbage", "a chunk whose size is no number", each(protocol.chunked(garbage=True))),
    Case(
        "chunked-and-length", "chunked beside a Content-Length that lies", each(protocol.chunked_and_length())
    ),
    Case("garbage-after", "bytes after a body, on the same connection", each(protocol.garbage_after())),
    Case("answer-after", "a second, wrong answer after each right one", each(protocol.answer_after())),
    Case("no-http", "bytes that are no HTTP", each(faults.nonsense())),
    # the head
    Case("huge-header", "a header of 1 MiB", each(protocol.huge_header())),
    Case("many-headers", "20,000 headers", each(protocol.many_headers())),
    Case("endless-headers", "headers without end", one_in(8, protocol.endless_headers())),
    Case("early-hints", "three 103 before each answer", each(protocol.informational())),
    Case("endless-1xx", "103 without end", one_in(8, protocol.informational(count=0))),
    Case("slow-head", "a head that comes byte by byte and never ends", one_in(8, protocol.slow_head())),
    # status
    Case("503", "first answer 503", each(faults.status(503))),
    Case(
        "503-retry-after",
        "first answer 503, Retry-After 1",
        each(faults.status(503, retry_after="1")),
        count=4,
    ),
    Case(
        "429-retry-after",
        "first answer 429, Retry-After 1",
        each(faults.status(429, retry_after="1", kind="throttled")),
        count=4,
    ),
    Case(
        "429-absurd",
        "429 and a Retry-After of 30 years",
        each(lasting(faults.status(429, retry_after="999999999", kind="throttled"))),
        right=False,
        others=False,
    ),
    Case("503-for-ever", "503, for ever", one_in(5, lasting(faults.status(503))), right=False),
    Case(
        "404", "2 files are not there", one_in(6, lasting(faults.status(404, kind="not-found"))), right=False
    ),
    Case(
        "403",
        "2 files are forbidden",
        one_in(6, lasting(faults.status(403, kind="not-a-member"))),
        right=False,
    ),
    Case("520", "first answer 520, as some proxies give", each(faults.status(520))),
    Case("204", "204 in place of a file", each(protocol.bare(204))),
    Case("304", "304, though nothing was asked about", each(protocol.bare(304))),
    Case("206-unasked", "206 with half of the file, unasked", each(protocol.unasked_range())),
    Case("416", "416 for a whole file", each(protocol.unsatisfiable())),
    # redirects
    Case("redirect", "each file is elsewhere", each(faults.redirect("{target}?moved"))),
    Case(
        "redirect-loop",
        "a redirect to itself, for ever",
        one_in(5, lasting(faults.redirect("{target}"))),
        right=False,
    ),
    Case(
        "redirect-nowhere",
        "a redirect to file:///etc/passwd",
        one_in(5, lasting(faults.redirect("file:///etc/passwd"))),
        right=False,
    ),
    # resuming
    Case("resume-200", "the rest of a file is asked for, the whole comes", resumed(faults.no_range())),
    Case("resume-416", "the rest of a file is asked for, 416 comes", resumed(protocol.unsatisfiable())),
    Case("resume-501", "the rest of a file is asked for, 501 comes", resumed(faults.status(501))),
    Case(
        "resume-other-place",
        "the rest comes from another place, said so",
        resumed(faults.other_range(shift=1000)),
    ),
    Case("resume-other-total", "the rest comes with another total", resumed(protocol.other_total())),
    Case("resume-weak-etag", "the rest comes under a weak ETag", resumed(protocol.weak_etag())),
    Case(
        "resume-no-etag",
        "no ETag from the start, cut at the middle",
        each(protocol.without_etag(at=SMALL // 2)),
    ),
    Case(
        "resume-changed",
        "the file and its ETag change before the rest is asked for",
        resumed(_changed),
        right=False,
        needs_hash=True,
    ),
    # links and clocks
    Case(
        "expired",
        "every link ends in the middle of the job",
        lambda server: server.faults.update({server.lines[4].name: [faults.expire()]}),
    ),
    Case("clock-ahead", "the server's clock is ten minutes ahead, links live 30 s", shifted(600)),
    Case("clock-behind", "the server's clock is ten minutes behind, links live 30 s", shifted(-600)),
]
CASES = {case.name: case for case in ALL}


def verdict(case: Case, expected: dict[str, str], folder: Path, exit_code: int) -> str:
    """One word on what a run left in `folder`; `expected` has the sha256 of each name."""
    found = {name: folder / name for name in expected if (folder / name).is_file()}
    wrong = [name for name, path in found.items() if _sha256(path) != expected[name]]
    if exit_code == 0:
        return "LIES" if wrong or len(found) < len(expected) else "ok"
    if wrong:
        return "WRONG"
    return "missing" if case.right else "ok"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def serve(case: Case, out: Path) -> None:
    """Serve the case's files without a key until the standard input ends."""
    (out / "files").mkdir(parents=True, exist_ok=True)
    with FaultyServer(files(case.count), key=None) as server:
        case.prepare(server)
        place = f"{server.url}/{BUCKET}"
        lines = [
            {"url": f"{place}/{file.name}", "name": file.name, "size": len(file.data), "sha256": file.sha256}
            for file in server.lines
        ]
        for file in server.lines:
            (out / "files" / file.name).write_bytes(file.data)
        (out / "urls.txt").write_text("".join(f"{line['url']}\n" for line in lines))
        (out / "list.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
        said = {
            "url": server.url,
            "manifest": f"{server.url}/api/v1/jobs/job-1/manifest",
            "bucket": place,
            "urls": str(out / "urls.txt"),
            "list": str(out / "list.ndjson"),
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()


def main() -> int:
    """The program; see the module's text."""
    parser = argparse.ArgumentParser(prog="fakes.catalogue", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("names")
    serving = verbs.add_parser("serve")
    serving.add_argument("name", choices=CASES)
    serving.add_argument("--out", type=Path, required=True)
    checking = verbs.add_parser("check")
    checking.add_argument("name", choices=CASES)
    checking.add_argument("out", type=Path)
    checking.add_argument("folder", type=Path)
    checking.add_argument("exit_code", type=int)
    asked = parser.parse_args()
    if asked.verb == "names":
        sys.stdout.write("".join(f"{case.name}\t{case.what}\n" for case in ALL))
    elif asked.verb == "serve":
        serve(CASES[asked.name], asked.out)
    else:
        lines = [json.loads(line) for line in (asked.out / "list.ndjson").read_text().splitlines()]
        expected = {line["name"]: line["sha256"] for line in lines}
        sys.stdout.write(verdict(CASES[asked.name], expected, asked.folder, asked.exit_code) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
