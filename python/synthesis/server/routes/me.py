"""Who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.schema.account import Me
from synthesis.server.endpoint import json_answer
from synthesis.server.routes.apikeys import wire as wire_key
from synthesis.server.routes.orgs import wire as wire_org
from synthesis.server.store import apikeys, orgs
from synthesis.server.store.engine import read

if TYPE_CHECKING:
    from starlette.responses import Response

    from synthesis.server.endpoint import Call


def get_me(call: Call) -> Response:
    """The account, the key in use and the orgs."""
    with read(call.platform.engine) as db:
        keys = apikeys.of_account(db, call.caller.account)
        key = next(row for row in keys if row.id == call.caller.key_id)
        memberships = orgs.of_account(db, call.caller.account)
    return json_answer(
        Me(email=call.caller.email, key=wire_key(key), orgs=[wire_org(row) for row in memberships])
    )
