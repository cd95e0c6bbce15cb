"""The lines of a manifest: one head, then one line per file, then the end (`docs/design/001-seams.md`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthesis.schema.wire import Wire

MEDIA_TYPE = "application/x-ndjson"


class ManifestHead(Wire):
    """The first line.

    `count` and `bytes` are those of all files asked for, before `after`; `complete` says that
    nothing will be added; `url` holds the text `{name}`, to be replaced by a percent-encoded file
    name; it is signed until `expires` (seconds since 1970, UTC).
    """

    job: str
    generation: int
    complete: bool
    count: int
    bytes: int
    url: str
    expires: int


class ManifestFile(Wire):
    """A line: `n` name, `a` asset flag, `r` render id (None: job-wide), `b` bytes, `h` sha256 in hex."""

    n: str
    a: str
    r: int | None
    b: int
    h: str = Field(pattern=r"^[0-9a-f]{64}$")
    u: str | None = None
    """An absolute URL of its own, for files in an object store."""


class ManifestEnd(Wire):
    """The last line; a body without it was cut and is resumed with `after=NAME`."""

    end: Literal[True]
    next: str | None
