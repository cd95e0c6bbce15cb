"""From a request to a route's function and back: access first, then the body, then the function."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from anyio import fail_after
from anyio.to_thread import run_sync
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from synthesis.errors import SynthesisError, UnavailableError, UsageError
from synthesis.server import auth, problem
from synthesis.server.endpoint import Access, Call, Endpoint, Platform
from synthesis.server.store.engine import is_busy, is_full, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

BODY_SECONDS = 30.0


class Resource:
    """All methods of one path, as an ASGI application."""

    def __init__(self, platform: Platform, endpoints: Mapping[str, Endpoint]) -> None:
        self._platform = platform
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        endpoint = self._endpoints.get(request.method)
        if endpoint is None:
            allow = ", ".join(sorted(self._endpoints))
            detail = f"{request.method[:20]} is not possible here; {allow} is"
            response = problem.of_http(HTTPException(405, detail, headers={"Allow": allow}))
        else:
            response = await self._respond(endpoint, request)
        await response(scope, receive, send)

    async def _respond(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            if endpoint.body is None:
                return await run_sync(self._run, endpoint, request)
            call = await run_sync(self._admit, endpoint, request)
            settings = self._platform.settings
            body = await _body(
                request, settings.spec_limit if endpoint.body is bytes else settings.body_limit
            )
            return await run_sync(endpoint.run, _with_body(call, body))
        except SynthesisError as error:
            if error.kind == "internal":
                log.warning("%s", error.message)
            return problem.of_error(error)
        except OperationalError as error:
            if is_busy(error):
                return problem.unavailable("the database is busy")
            if is_full(error):
                log.warning("the disk is full: %s", error.orig)
                return problem.unavailable("the platform's disk is full")
            raise

    def _run(self, endpoint: Endpoint, request: Request) -> Response:
        return endpoint.run(self._admit(endpoint, request))

    def _admit(self, endpoint: Endpoint, request: Request) -> Call:
        """Check the access that the endpoint asks for, before anything else of the request is read."""
        if endpoint.access is Access.OPEN or (
            endpoint.access is Access.SIGNED and "sig" in request.query_params
        ):
            return Call(platform=self._platform, request=request)
        with read(self._platform.engine) as db:
            who = auth.caller(db, request.headers)
            acting = None if endpoint.access is Access.KEY else auth.acting_org(db, who, request.headers)
        return Call(platform=self._platform, request=request, who=who, acting=acting)


def _with_body(call: Call, body: bytes) -> Call:
    return Call(platform=call.platform, request=call.request, body=body, who=call.who, acting=call.acting)


async def _body(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size, stream = 0, request.stream()
    while True:
        try:
            with fail_after(BODY_SECONDS):
                part = await anext(stream, None)
        except TimeoutError:
            raise UnavailableError(
                f"nothing of the body came for {BODY_SECONDS:.0f} s", kind="timeout", hint="send it again"
            ) from None
        if part is None:
            return b"".join(parts)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)


def _too_large(limit: int) -> UsageError:
    return UsageError(f"the body is larger than {limit} bytes", kind="too-large", hint="send less at a time")


class Envelope:
    """Outermost layer: a request id on every answer, one log line per request, 500 for what escaped.

    Log lines hold the path without the query, for a query may carry a signature.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            log.info("%s the client left", request_id)
        except Exception:
            if status:  # the answer is under way: cut the connection, so that it cannot look complete
                raise
            log.exception("%s failed", request_id)
            await problem.internal(request_id)(scope, receive, send_with_id)
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            log.info("%s %s %s %d %.1f ms", request_id, *_shown(scope), status, milliseconds)


def _shown(scope: Scope) -> tuple[Any, str]:
    """Method and path, safe in one line of a log."""
    return scope["method"], "".join(letter if letter.isprintable() else "?" for letter in scope["path"][:300])
