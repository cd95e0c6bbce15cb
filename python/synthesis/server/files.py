"""Answers with a file's bytes: strong ETag, ranges, conditions (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from anyio.to_thread import run_sync
from starlette.responses import Response, StreamingResponse

from synthesis.errors import FailedError
from synthesis.server import problem
from synthesis.server.settings import MIB

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.datastructures import Headers

CHUNK = MIB
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


def answer(
    path: Path, *, size: int, sha256: bytes, media_type: str, method: str, headers: Headers
) -> Response:
    """The response (200, 206, 304 or 416) for a file that, by the index, has `size` bytes and this digest."""
    etag = f'"{sha256.hex()}"'
    fixed = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if _any_match(headers.get("if-none-match"), etag):
        return Response(None, 304, headers=fixed)
    span = _span(headers, etag, size) if method == "GET" else (0, size)
    if span is None:
        return problem.outside(size, fixed)
    fixed["Content-Type"] = media_type
    start, stop = span
    partial = stop - start < size
    if partial:
        fixed["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    fixed["Content-Length"] = str(stop - start)
    status = 206 if partial else 200
    if method == "HEAD" or start == stop:
        return Response(None, status, headers=fixed)
    file = _open(path, size)
    file.seek(start)
    if stop - start <= CHUNK:
        with file:
            return Response(_exactly(file, stop - start), status, headers=fixed)
    return StreamingResponse(_chunks(file, stop - start), status, headers=fixed)


async def _chunks(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    """A large file in pieces, each read in a thread; the file is closed when the client leaves, too."""
    with file:
        while length > 0:
            chunk = await run_sync(_exactly, file, min(CHUNK, length))
            length -= len(chunk)
            yield chunk


def _open(path: Path, size: int) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise FailedError(f"the file {path.name} is lost: {error.strerror}", kind="internal") from None
    if file.seek(0, 2) != size:
        file.close()
        raise FailedError(f"the file {path.name} is damaged: its size is not what it was", kind="internal")
    return file


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise FailedError("a file became shorter while it was sent", kind="internal")
    return data


def _any_match(header: str | None, etag: str) -> bool:
    """Weak comparison with a list of tags, as `If-None-Match` wants it."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


def _span(headers: Headers, etag: str, size: int) -> tuple[int, int] | None:
    """(start, stop) of what is asked for; None when it lies outside.

    What is not one plain range of bytes is ignored, as RFC 9110 allows, and so is any range of
    another version of the file (`If-Range`, strong comparison).
    """
    whole = (0, size)
    condition = headers.get("if-range")
    if condition is not None and condition.strip() != etag:
        return whole
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or match[1] == match[2] == "":
        return whole
    if match[1] == "":
        suffix = min(int(match[2]), size)
        return (size - suffix, size) if suffix > 0 else None
    start = int(match[1])
    if match[2] != "" and int(match[2]) < start:
        return whole
    stop = size if match[2] == "" else min(int(match[2]) + 1, size)
    return (start, stop) if start < size else None
