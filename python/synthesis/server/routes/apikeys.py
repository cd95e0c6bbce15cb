"""The caller's API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from synthesis.errors import FailedError, NotFoundError
from synthesis.schema.apikey import ApiKey, NewApiKey
from synthesis.schema.wire import Page
from synthesis.server.endpoint import dump, json_answer
from synthesis.server.store import apikeys, idempotency
from synthesis.server.store.engine import read, write
from synthesis.server.store.jobs import moment

if TYPE_CHECKING:
    from synthesis.server.endpoint import Call
    from synthesis.server.store.tables import Record


def wire(row: Record) -> ApiKey:
    """A key as lists show it."""
    return ApiKey(id=row.id, prefix=row.prefix, created_at=moment(row.created_at))


def list_keys(call: Call) -> Response:
    """All keys of the caller's account."""
    with read(call.platform.engine) as db:
        rows = apikeys.of_account(db, call.caller.account)
    return json_answer(Page[ApiKey](items=[wire(row) for row in rows]))


def create_key(call: Call) -> Response:
    """Make a key and show it, once.

    With an `Idempotency-Key` a repeat is refused rather than answered again: an answer that could
    be repeated would have to be stored, and the key with it.
    """
    token = call.request.headers.get("idempotency-key")
    account = call.caller.account
    with write(call.platform.engine) as db:
        if token is not None:
            request = idempotency.fingerprint(b"apikeys")
            first = idempotency.recall(db, account, token, request)
            if first is not None:
                raise FailedError(
                    f"this request made the key {first[1].decode()} before, and a key is shown once",
                    kind="conflict",
                    hint="delete that key and create another",
                )
        row, secret = apikeys.create(db, account)
        if token is not None:
            idempotency.remember(db, account, token, request, status=201, body=row.id.encode())
    return json_answer(dump(NewApiKey(**wire(row).model_dump(), key=secret)), status=201)


def delete_key(call: Call) -> Response:
    """Forget a key; the caller's own too."""
    with write(call.platform.engine) as db:
        if not apikeys.remove(db, call.caller.account, call.path("id")):
            raise NotFoundError("you have no key of this id", hint="list your keys with GET /api/v1/apikeys")
    return Response(None, 204)
