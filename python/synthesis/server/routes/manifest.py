"""The list of a job's files, for downloads of any size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from synthesis.errors import UsageError
from synthesis.ops import render_ids
from synthesis.schema.asset_kind import BY_FLAG
from synthesis.schema.manifest import MEDIA_TYPE, ManifestHead
from synthesis.server import file_name, manifest
from synthesis.server.endpoint import Query, bad_field
from synthesis.server.routes.jobs import find
from synthesis.server.settings import API
from synthesis.server.store import files
from synthesis.server.store.engine import read
from synthesis.server.store.files import Selection

if TYPE_CHECKING:
    from synthesis.server.endpoint import Call
    from synthesis.server.file_name import FileName
    from synthesis.server.store.tables import Record

QUERY = (
    Query("assets", "asset flags, comma separated; all without it, or with `all` among them"),
    Query("render_ids", "renders and inclusive ranges, `0,3,50-100`; job-wide files are listed anyway"),
    Query("after", "name of the last file that is known already"),
    Query("since", "only files of later generations", {"type": "integer", "minimum": 0, "default": 0}),
)


def get_manifest(call: Call) -> Response:
    """Stream the manifest; zstd when the client accepts it."""
    flags = _flags(call.query("assets"))
    ranges = _ranges(call.query("render_ids"))
    after = _after(call.query("after"))
    since = call.number("since", default=0, low=0, high=2**62)
    engine = call.platform.engine
    with read(engine) as db:
        job = find(db, call)
        selection = Selection(
            job=job.key, until=job.generation, since=since, flags=flags, ranges=_narrow(ranges, job)
        )
        count, size = files.measure(db, selection)
    url, expires = _url(call, job.id, flags)
    head = ManifestHead(
        job=job.id,
        generation=job.generation,
        complete=job.sealed,
        count=count,
        bytes=size,
        url=url,
        expires=expires,
    )
    chunks = manifest.stream(engine, head, selection, after)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if _accepts_zstd(call.request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "zstd"
        chunks = manifest.compress(chunks)
    return StreamingResponse(chunks, headers=headers, media_type=MEDIA_TYPE)


def _flags(text: str | None) -> tuple[str, ...] | None:
    flags = {part.strip() for part in (text or "all").split(",")}
    if "all" in flags:
        return None
    unknown = sorted(flags - BY_FLAG.keys())
    if unknown:
        known = ", ".join(["all", *BY_FLAG])
        raise UsageError(
            f"there is no asset {unknown[0][:100]!r}",
            kind="unknown-asset",
            hint=f"assets are: {known}",
            fields={"errors": [{"field": "assets", "message": f"must be among {known}"}]},
        )
    return tuple(sorted(flags))


def _ranges(text: str | None) -> tuple[tuple[int, int], ...] | None:
    return None if text is None else render_ids.parse(text)


def _after(text: str | None) -> FileName | None:
    if text is None:
        return None
    name = file_name.parse(text)
    if name is None:
        raise bad_field("after", "must be the name of a file of the manifest")
    return name


def _narrow(ranges: tuple[tuple[int, int], ...] | None, job: Record) -> tuple[tuple[int, int], ...] | None:
    """Ranges within the job; None when they cover it, which needs no search."""
    if ranges is None:
        return None
    last = 2**62 if job.kind == "import" else job.renders_total - 1
    if ranges and ranges[0][0] <= 0 and ranges[0][1] >= last:
        return None
    return tuple((low, min(high, last)) for low, high in ranges if low <= last)


def _url(call: Call, job_id: str, flags: tuple[str, ...] | None) -> tuple[str, int]:
    expires = int(time.time()) + call.platform.settings.url_lifetime
    shown = "all" if flags is None else ",".join(flags)
    signature = call.platform.signer.sign(org=call.org.name, job=job_id, flags=shown, expires=expires)
    return f"{API}/files/{job_id}/{{name}}?assets={shown}&exp={expires}&sig={signature}", expires


def _accepts_zstd(header: str) -> bool:
    for item in header.split(","):
        coding, _, weight = item.partition(";")
        if coding.strip().lower() == "zstd":
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
