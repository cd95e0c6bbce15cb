"""Orgs and who belongs to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from synthesis.errors import FailedError
from synthesis.server.store.tables import accounts, members, orgs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from synthesis.server.store.tables import Record


def create(db: Connection, name: str, owner: int) -> None:
    """Add an org with its first owner; kind `conflict` when the name is taken."""
    try:
        key = db.execute(
            insert(orgs).values(name=name, created_at=time.time()).returning(orgs.c.key)
        ).scalar_one()
    except IntegrityError:
        raise FailedError(f"the org {name} exists", kind="conflict", hint="choose another name") from None
    add_member(db, key, owner, "owner")


def add_member(db: Connection, org: int, account: int, role: str) -> None:
    """Make an account a member; kind `conflict` when it is one."""
    try:
        db.execute(insert(members).values(org=org, account=account, role=role))
    except IntegrityError:
        raise FailedError("the account is a member already", kind="conflict") from None


def membership(db: Connection, account: int, name: str) -> Record | None:
    """The org (key, name, role, created_at) if the account belongs to it; None whether it exists or not."""
    return db.execute(_memberships(account).where(orgs.c.name == name)).one_or_none()


def of_account(db: Connection, account: int) -> list[Record]:
    """The account's orgs by name."""
    return list(db.execute(_memberships(account).order_by(orgs.c.name)))


def member_list(db: Connection, org: int) -> list[Record]:
    """(email, role) of every member, by address."""
    query = select(accounts.c.email, members.c.role).join_from(members, accounts).where(members.c.org == org)
    return list(db.execute(query.order_by(accounts.c.email)))


def key_of(db: Connection, name: str) -> int | None:
    """The org's key, for administration."""
    return db.execute(select(orgs.c.key).where(orgs.c.name == name)).scalar()


def _memberships(account: int) -> Any:
    columns = (orgs.c.key, orgs.c.name, orgs.c.created_at, members.c.role)
    return select(*columns).join_from(members, orgs).where(members.c.account == account)
