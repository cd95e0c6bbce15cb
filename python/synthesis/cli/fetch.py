"""`synthesis fetch`: the files of any list, by the engine that downloads jobs."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from synthesis.cli.command import Argument, Option, command, single
from synthesis.cli.session import Session
from synthesis.cli.transfer import How
from synthesis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthesis.ops.transfer import Progress, Summary

app = single()

HEADERS = "SYNTHESIS_FETCH_HEADERS"
"""Environment variable with headers, one a line: process lists do not show it."""


@command(app, "fetch")
def fetch(
    session: Session,
    urls: Annotated[
        str, Argument(metavar="LIST", help="A file, an http(s):// address, or - for standard input.")
    ],
    *,
    output: Annotated[
        Path | None,
        Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            show_default=False,
            help="Folder to fill; made if it is not there.  [required, or --tar]",
        ),
    ] = None,
    base: Annotated[
        str | None,
        Option(
            "--base",
            metavar="URL",
            show_default=False,
            help="What relative URLs in LIST are relative to, such as those of a saved manifest.",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        Option(
            "--header",
            metavar="'NAME: VALUE'|@FILE",
            show_default=False,
            help="Send this header, or each line of FILE; may be given again. Secrets are safe from process "
            f"lists in a file, or in {HEADERS}.",
        ),
    ] = None,
    how: How,
) -> None:
    """Download every file of a list.

    LIST has a URL a line, or is CSV or NDJSON with the columns url, name, size and sha256 (all but url
    may be left out), or is a manifest. A file has its final name only when its size, and its SHA-256
    if the list gives it, are right. Stop at any moment and run the same command again: it goes on
    where it was. Needs no platform and no key.

    \b
    Examples:
      synthesis fetch urls.txt -o images
      synthesis fetch https://example.com/list.csv -o images --limit-rate 8M
      generate-urls | synthesis fetch - -o images --report report.jsonl
      synthesis fetch files.ndjson -o images --verify
    """
    from synthesis.cli.summary import failed_files, report
    from synthesis.cli.transfer import run
    from synthesis.ops import fetch as ops

    options = how.options()
    headers = _headers([*_lines(os.environ.get(HEADERS, "")), *(header or [])])
    how.use_network()
    directory = how.folder(output)
    if directory is None:
        raise UsageError("where to? -o is missing", hint="name a folder to fill: -o DIR")
    resume = _command(urls, directory, base, header or [], how)

    def call(progress: Callable[[Progress], None]) -> Summary:
        options["progress"] = progress
        return ops.fetch(urls, directory, base=base, headers=headers, **options)

    session.out.event("start", directory=str(directory), resume=resume)
    if urls == "-" and sys.stdin.isatty():
        end = "Control-Z and Enter" if os.name == "nt" else "Control-D"
        session.out.is_typed_into = True
        session.out.note(f"reading the list from standard input, a URL a line; end it with {end}")
    summary = run(session, call, resume=resume, directory=directory)
    report(session, summary, how, directory)
    if summary.failed:
        raise failed_files(summary, how, resume)


def _headers(given: list[str]) -> list[tuple[str, str]]:
    """Return the headers that were given; errors never repeat a value."""
    headers = []
    for text in given:
        if text.startswith("@"):
            headers += _headers(_lines(_read(Path(text[1:]).expanduser())))
            continue
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise UsageError(
                "--header needs a name, a colon and a value",
                hint="write it like --header 'Accept: image/png'",
            )
        headers.append((name.strip(), value.strip()))
    return headers


def _lines(text: str) -> list[str]:
    return [line for line in (line.strip() for line in text.splitlines()) if line]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(
            f"--header @{path} cannot be read: {why}", hint="name a file with a header on each line"
        ) from error


def _command(urls: str, directory: Path, base: str | None, header: list[str], how: How) -> str:
    """The command line that asks for this again; what may be secret is not repeated."""
    is_secret = any(letter in f"{urls}{base}" for letter in "?@")  # a signature, a password
    if urls == "-" or is_secret or any(not text.startswith("@") for text in header) or how.proxy:
        return "the same command again"
    words = ["synthesis", "fetch", urls, *(["-o", str(directory)] if how.tar is None else [])]
    words += ["--base", base] if base is not None else []
    for text in header:
        words += ["--header", text]
    return shlex.join(words + how.words())
