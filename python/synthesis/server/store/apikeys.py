"""API keys: 32 random letters and digits, stored as sha256 (their entropy needs no slow hash)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import time
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from synthesis.server.store.tables import accounts, apikeys

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from synthesis.server.store.tables import Record

LENGTH = 32
PREFIX = 6
_ALPHABET = string.ascii_letters + string.digits


_FIND = select(apikeys, accounts.c.email).join(accounts).where(apikeys.c.prefix == bindparam("first"))


def create(db: Connection, account: int) -> tuple[Record, str]:
    """Add a key; its row, and the secret that is never seen again."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    key_id = secrets.token_hex(8)
    values = {"id": key_id, "account": account, "prefix": secret[:PREFIX], "sha256": _hash(secret)}
    db.execute(insert(apikeys).values(**values, created_at=time.time()))
    return db.execute(select(apikeys).where(apikeys.c.id == key_id)).one(), secret


def find(db: Connection, secret: str) -> Record | None:
    """The key (with its account's `email`) whose secret this is; compared in constant time."""
    given = _hash(secret)
    found = None
    for row in db.execute(_FIND, {"first": secret[:PREFIX]}):
        if hmac.compare_digest(row.sha256, given):
            found = row
    return found


def of_account(db: Connection, account: int) -> list[Record]:
    """All keys of an account, oldest first."""
    return list(
        db.execute(select(apikeys).where(apikeys.c.account == account).order_by(apikeys.c.created_at))
    )


def remove(db: Connection, account: int, key_id: str) -> bool:
    """Forget one of the account's keys; False when it has none of that id."""
    query = delete(apikeys).where(apikeys.c.account == account, apikeys.c.id == key_id)
    return db.execute(query).rowcount == 1


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
