"""Accounts: an address that owns keys and belongs to orgs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from synthesis.errors import FailedError, NotFoundError, UsageError
from synthesis.server.store.tables import accounts

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PART = r"[^@\s,;<>\"\x00-\x1f\x7f\ud800-\udfff]"
EMAIL = re.compile(f"{_PART}{{1,64}}@{_PART}{{1,189}}")


def is_email(text: str) -> bool:
    """Whether `text` looks like one address; only sending mail can tell more."""
    return EMAIL.fullmatch(text) is not None


def create(db: Connection, email: str) -> int:
    """Add an account; its key. Kind `conflict` when the address has one."""
    if not is_email(email):
        raise UsageError(f"{email!r} is not an e-mail address")
    try:
        key: int = db.execute(
            insert(accounts).values(email=email, created_at=time.time()).returning(accounts.c.key)
        ).scalar_one()
        return key
    except IntegrityError:
        raise FailedError(
            f"the account {email} exists", kind="conflict", hint="use it, or name another"
        ) from None


def by_email(db: Connection, email: str) -> int:
    """The account's key; kind `not-found` when nobody has the address."""
    key = db.execute(select(accounts.c.key).where(accounts.c.email == email)).scalar()
    if key is None:
        raise NotFoundError(f"no account {email}", hint="create it first")
    return int(key)
