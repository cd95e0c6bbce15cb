"""The bytes of a file, by signed URL or by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.errors import NotFoundError
from synthesis.schema.asset_kind import BY_FLAG
from synthesis.server import file_name
from synthesis.server import files as answers
from synthesis.server.endpoint import Query
from synthesis.server.store import files
from synthesis.server.store.engine import read

if TYPE_CHECKING:
    from starlette.responses import Response

    from synthesis.server.endpoint import Call

QUERY = (
    Query("assets", "of a signed URL: the asset flags it is good for"),
    Query("exp", "of a signed URL: seconds since 1970 at which it expires", {"type": "integer"}),
    Query("sig", "of a signed URL: the signature"),
)


def get_file(call: Call) -> Response:
    """One file; only what the index lists is looked for on the disk."""
    job_id = call.path("job")
    name = file_name.parse(call.path("name"))
    with read(call.platform.engine) as db:
        found = files.find(db, job_id, name)
    if call.acting is None:
        call.platform.signer.check(
            call.query("sig") or "",
            org="" if found is None else found.org_name,
            job=job_id,
            flags=call.query("assets") or "",
            expires=call.query("exp") or "",
            flag=None if name is None else name.flag,
        )
    elif found is not None and found.org_name != call.acting.name:
        found = None
    if name is None or found is None or found.sha256 is None:
        raise NotFoundError("the job has no such file", hint="take names from the job's manifest")
    return answers.answer(
        call.platform.settings.files / job_id / str(name),
        size=found.bytes,
        sha256=found.sha256,
        media_type=BY_FLAG[name.flag].media_type,
        method=call.request.method,
        headers=call.request.headers,
    )
