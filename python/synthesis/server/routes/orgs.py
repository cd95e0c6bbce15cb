"""Orgs of the caller, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.errors import AccessError
from synthesis.schema.org import Member, MemberAdd, Org, OrgCreate
from synthesis.schema.wire import Page
from synthesis.server import auth
from synthesis.server.endpoint import json_answer
from synthesis.server.store import accounts, orgs
from synthesis.server.store.engine import read
from synthesis.server.store.jobs import moment

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy import Connection
    from starlette.responses import Response

    from synthesis.server.endpoint import Call
    from synthesis.server.store.tables import Record


def wire(row: Record) -> Org:
    """An org as its member sees it."""
    return Org(name=row.name, role=row.role, created_at=moment(row.created_at))


def list_orgs(call: Call) -> Response:
    """All orgs the caller belongs to."""
    with read(call.platform.engine) as db:
        rows = orgs.of_account(db, call.caller.account)
    return json_answer(Page[Org](items=[wire(row) for row in rows]))


def create_org(call: Call) -> Response:
    """Make an org; the caller becomes its owner."""
    wanted = call.parse(OrgCreate)

    def create(db: Connection) -> tuple[int, BaseModel]:
        orgs.create(db, wanted.name, call.caller.account)
        row = orgs.membership(db, call.caller.account, wanted.name)
        if row is None:
            raise RuntimeError("a new org lacks its owner")
        return 201, wire(row)

    return call.once(create)


def get_org(call: Call) -> Response:
    """One org; 403 to others, whether it exists or not."""
    with read(call.platform.engine) as db:
        org = auth.member_of(db, call.caller, call.path("name"))
        row = orgs.membership(db, call.caller.account, org.name)
    if row is None:
        raise RuntimeError("a membership vanished within one transaction")
    return json_answer(wire(row))


def list_members(call: Call) -> Response:
    """Everybody in one of the caller's orgs."""
    with read(call.platform.engine) as db:
        org = auth.member_of(db, call.caller, call.path("name"))
        rows = orgs.member_list(db, org.key)
    return json_answer(Page[Member](items=[Member(email=row.email, role=row.role) for row in rows]))


def add_member(call: Call) -> Response:
    """Make an existing account a member; owners only."""
    wanted = call.parse(MemberAdd)

    def create(db: Connection) -> tuple[int, BaseModel]:
        org = auth.member_of(db, call.caller, call.path("name"))
        if org.role != "owner":
            raise AccessError(
                f"only owners of {org.name} add members", kind="not-a-member", hint="ask an owner"
            )
        orgs.add_member(db, org.key, accounts.by_email(db, wanted.email), wanted.role)
        return 201, Member(email=wanted.email, role=wanted.role)

    return call.once(create)
