"""The manifest of a job, streamed from the index in pages: constant memory whatever its length.

It is a snapshot: files that arrive while it is read belong to a later generation and are left out,
so that the first line's count and bytes hold. No connection is kept between pages: a slow or
vanished reader holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import zstandard

from synthesis.server.file_name import JOB_WIDE, FileName
from synthesis.server.store import files
from synthesis.server.store.engine import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

    from synthesis.schema.manifest import ManifestHead
    from synthesis.server.store.files import Selection

FIRST_PAGE = 500
PAGE = 5000
ZSTD_LEVEL = 3


def stream(
    engine: Engine, head: ManifestHead, selection: Selection, after: FileName | None
) -> Iterator[bytes]:
    """The manifest in chunks: the first line, then pages of lines behind `after`, then the end line."""
    yield orjson.dumps(head.model_dump()) + b"\n"
    limit = FIRST_PAGE
    for span in selection.spans:
        last = after
        if span is not None and after is not None and span[1] < after.render_id:
            continue
        while True:
            with read(engine) as db:
                rows = files.page(db, selection, span, last, limit)
            if rows:
                last = FileName._make(rows[-1][:4])
                yield b"".join(_line(FileName._make(row[:4]), row.bytes, row.sha256) for row in rows)
            if len(rows) < limit:
                break
            limit = PAGE
    yield b'{"end":true,"next":null}\n'


def _line(name: FileName, size: int, sha256: bytes) -> bytes:
    render_id = None if name.render_id == JOB_WIDE else name.render_id
    line = {"n": str(name), "a": name.flag, "r": render_id, "b": size, "h": sha256.hex()}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def compress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """One zstd frame, flushed after every chunk so that the reader need not wait."""
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
    for chunk in chunks:
        yield compressor.compress(chunk) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    yield compressor.flush()
