"""Answers of creates, kept for a day, so that a repeated request gets the first one's answer."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from synthesis.errors import FailedError, UsageError
from synthesis.server.store.tables import idempotency

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEPT_SECONDS = 24 * 3600


def fingerprint(*parts: bytes) -> bytes:
    """What makes two requests the same."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def recall(db: Connection, account: int, key: str, request: bytes) -> tuple[int, bytes] | None:
    """(status, body) of the first answer; kind `conflict` when the key was used for another request."""
    if not 1 <= len(key) <= 255:
        raise UsageError("Idempotency-Key must have 1 to 255 characters")
    query = select(idempotency).where(
        idempotency.c.account == account,
        idempotency.c.idempotency_key == key,
        idempotency.c.created_at > time.time() - KEPT_SECONDS,
    )
    row = db.execute(query).one_or_none()
    if row is None:
        return None
    if row.request != request:
        raise FailedError(
            "this Idempotency-Key was used for another request",
            kind="conflict",
            hint="use a new key per request",
        )
    return row.status, row.body


def remember(db: Connection, account: int, key: str, request: bytes, *, status: int, body: bytes) -> None:
    """Keep an answer; older ones than a day go."""
    db.execute(delete(idempotency).where(idempotency.c.created_at <= time.time() - KEPT_SECONDS))
    values = {"account": account, "idempotency_key": key, "request": request, "status": status, "body": body}
    db.execute(insert(idempotency).values(**values, created_at=time.time()))
