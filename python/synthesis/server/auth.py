"""Who is calling, and for which org."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.errors import AccessError, UsageError
from synthesis.server.store import apikeys, orgs

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.datastructures import Headers

ORG_HEADER = "X-Synthesis-Org"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The account behind the request's key."""

    account: int
    email: str
    key_id: str


@dataclass(frozen=True, kw_only=True)
class ActingOrg:
    """The org a request acts for; the caller is a member."""

    key: int
    name: str
    role: str


def caller(db: Connection, headers: Headers) -> Caller:
    """The caller by `Authorization: Bearer KEY`; kinds `no-key` and `unauthorized`."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise AccessError(
            "the request carries no API key", kind="no-key", hint="send Authorization: Bearer KEY"
        )
    row = apikeys.find(db, secret.strip())
    if row is None:
        raise AccessError(
            "the API key is not known here",
            kind="unauthorized",
            hint="check the key and the server it is for",
        )
    return Caller(account=row.account, email=row.email, key_id=row.id)


def acting_org(db: Connection, who: Caller, headers: Headers) -> ActingOrg:
    """The org of `X-Synthesis-Org`; kinds `no-org` and `not-a-member`."""
    name = headers.get(ORG_HEADER, "").strip()
    if not name:
        raise UsageError("the request names no org", kind="no-org", hint=f"send the header {ORG_HEADER}: ORG")
    return member_of(db, who, name)


def member_of(db: Connection, who: Caller, name: str) -> ActingOrg:
    """The caller's org of that name. To others it is the same whether the org exists: kind `not-a-member`."""
    row = orgs.membership(db, who.account, name)
    if row is None:
        raise AccessError(
            f"you are not a member of {name[:100]}, or there is no such org",
            kind="not-a-member",
            hint="see your orgs: synthesis org use, or GET /api/v1/orgs",
        )
    return ActingOrg(key=row.key, name=row.name, role=row.role)
