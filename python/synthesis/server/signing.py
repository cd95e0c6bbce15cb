"""Signed file URLs: whoever holds one may read some assets of one job until it expires, without a key.

The signature is HMAC-SHA256 over org, job, flags and expiry with the data folder's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from synthesis.errors import AccessError

_CONTEXT = b"synthesis file url 1"


class Signer:
    """Signs and checks with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, *, org: str, job: str, flags: str, expires: int) -> str:
        """The signature, in hex; `flags` as they stand in the URL (`rgb,info` or `all`)."""
        parts = (_CONTEXT, org.encode(), job.encode(), flags.encode(), str(expires).encode())
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def check(
        self, signature: str, *, org: str, job: str, flags: str, expires: str, flag: str | None
    ) -> None:
        """Raise `AccessError` unless the signature is right and good for `flag` (else kind `unauthorized`)
        and has not expired (else kind `url-expired`)."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            raise _forged()
        right = self.sign(org=org, job=job, flags=flags, expires=int(expires))
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise _forged()
        if int(expires) <= time.time():
            raise AccessError(
                "the signature of this URL has expired",
                kind="url-expired",
                hint="fetch the manifest again: it carries a fresh one",
            )
        if flag is not None and flags != "all" and flag not in flags.split(","):
            raise _forged()


def _forged() -> AccessError:
    return AccessError(
        "the signature of this URL is not valid for this file",
        kind="unauthorized",
        hint="use the URL of the manifest unchanged, or an API key",
    )
