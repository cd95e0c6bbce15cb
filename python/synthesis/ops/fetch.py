"""Bring the files of any list to a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from synthesis import _core
from synthesis.errors import NotFoundError, UsageError
from synthesis.ops.transfer import core_transfer, progress_of, settled, summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from typing_extensions import Unpack

    from synthesis.ops.transfer import Options, Summary
    from synthesis.transport import Limits


def fetch(
    urls: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    base: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
    limits: Limits | None = None,
    **options: Unpack[Options],
) -> Summary:
    """Bring the files of a list to a folder; what is there already is kept.

    A list is a URL a line, or CSV or NDJSON with the columns `url`, `name`, `size` and `sha256` (all
    but `url` may be left out), or a manifest. Compressed lists (`.gz`, `.zst`) are read as they are.
    A file has its final name only when its size, and its sha256 if that is known, are right. Run the
    same call again after any interruption and it goes on from there.

    Args:
        urls: the list's path or its `http(s)://` URL; `-` is standard input.
        directory: made if it is not there.
        base: the `http(s)://` address that relative URLs in the list are relative to, such as those of a
            saved manifest; without one that of the list, if it has one.
        headers: sent with every request; secret ones only to the origin of a list from a URL, or of `base`,
            or else to the origins that the list names.
        limits: how long to wait for a host.
        **options: how it is done; see `ops.transfer.Options`.

    Returns:
        What was done. Files that failed are in it and raise nothing.

    Raises:
        UsageError: the list is none, lacks a `base`, or an option makes no sense.
        NotFoundError: the list is not there.
        UnavailableError: nobody answers.
        DiskError: full (`disk-full`), not writable (`permission`), in use (`locked`).
        CancelledError: `cancel` was used.
        FailedError: kind `forked`, in a forked child of a process that used the core.
    """
    from synthesis.transport import http_client

    how = settled(options)
    if base is not None and not base.lower().startswith(("http://", "https://")):
        raise UsageError(
            f"the base {base!r} is no web address", hint="write it like https://example.com/files/"
        )
    kind, place = _kind_of(urls)
    report = how["report"]
    if kind == "file" and report is not None and Path(report).exists() and Path(report).samefile(place):
        raise UsageError(f"the report would replace the list {place}", hint="name another file with --report")
    transfer = core_transfer(
        how, kind=kind, place=place, base=base, headers=list(headers), directory=directory
    )
    progress = how["progress"]
    found = _core.download(
        http_client(limits),
        transfer,
        progress=(lambda now: progress(progress_of(now))) if progress is not None else None,
        interval=how["interval"],
        cancel=how["cancel"],
    )
    return summary_of(found)


def _kind_of(urls: str | os.PathLike[str]) -> tuple[Literal["url", "file", "stdin"], str]:
    """Return where the list is: a web address, standard input or a file."""
    text = os.fspath(urls)
    if isinstance(urls, str):
        if text == "-":
            return "stdin", text
        if text.lower().startswith(("http://", "https://")):
            return "url", text
    if not text or not Path(text).exists():
        raise NotFoundError(
            f"there is no list {text}", hint="name a file, an http(s):// address, or - for standard input"
        )
    return "file", text
