"""From an exception to `application/problem+json`: one shape for every error of every route."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from synthesis.errors import (
    AccessError,
    NotFoundError,
    SynthesisError,
    UnavailableError,
    UsageError,
)
from synthesis.schema.problem import MEDIA_TYPE, Fault, Problem

if TYPE_CHECKING:
    from pydantic import ValidationError
    from starlette.exceptions import HTTPException

_STATUS_OF_KIND = {
    "invalid-json": 400,
    "no-org": 400,
    "no-key": 401,
    "unauthorized": 401,
    "timeout": 408,
    "not-a-member": 403,
    "url-expired": 403,
    "conflict": 409,
    "file-exists": 409,
    "too-large": 413,
    "throttled": 429,
}
_STATUS_OF_CLASS = ((UsageError, 422), (AccessError, 401), (NotFoundError, 404), (UnavailableError, 503))
_KIND_OF_STATUS = {404: "not-found", 405: "usage", 413: "too-large", 429: "throttled"}


def of_error(error: SynthesisError) -> Response:
    """The answer for an error raised on purpose."""
    status = _STATUS_OF_KIND.get(error.kind)
    if status is None:
        status = next((status for cls, status in _STATUS_OF_CLASS if isinstance(error, cls)), 500)
    faults = tuple(Fault(**fault) for fault in error.fields.get("errors", ()))
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = str(error.fields.get("retry_after", 1))
    return _answer(status, error.kind, error.message, hint=error.hint, faults=faults, headers=headers)


def of_http(error: HTTPException, hint: str | None = None) -> Response:
    """The answer for what the router itself refuses, such as an unknown path."""
    kind = _KIND_OF_STATUS.get(error.status_code, "usage" if error.status_code < 500 else "internal")
    return _answer(error.status_code, kind, error.detail, hint=hint, headers=dict(error.headers or {}))


def internal(request_id: str) -> Response:
    """The answer when we are at fault; what happened is in the server's log under the request id."""
    detail = f"the server failed on this request ({request_id})"
    return _answer(500, "internal", detail, hint="look for the request id in the server's log")


def outside(size: int, headers: dict[str, str]) -> Response:
    """The answer to a range that begins behind the end of a file of `size` bytes."""
    detail = f"the range lies outside of the file, which has {size} bytes"
    return _answer(416, "invalid-range", detail, headers={**headers, "Content-Range": f"bytes */{size}"})


def unavailable(reason: str) -> Response:
    """The answer when nothing is wrong with the request, and it may well succeed later."""
    headers = {"Retry-After": "2"}
    return _answer(503, "server-error", reason, hint="try again in a moment", headers=headers)


def invalid(error: ValidationError, *, what: str) -> UsageError:
    """The error for a body that does not fit its schema, with every fault."""
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"]) or "(root)", "message": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = faults[0]
    return UsageError(f"{what} is not valid: {first['field']}: {first['message']}", fields={"errors": faults})


def _answer(
    status: int,
    kind: str,
    detail: str,
    *,
    hint: str | None = None,
    faults: tuple[Fault, ...] = (),
    headers: dict[str, Any] | None = None,
) -> Response:
    title = HTTPStatus(status).phrase
    problem = Problem(title=title, status=status, detail=detail, kind=kind, hint=hint, errors=faults)
    body = orjson.dumps(problem.model_dump())
    return Response(
        body, status, headers={"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE
    )
