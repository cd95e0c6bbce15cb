"""The one shape of every error answer: `application/problem+json` (RFC 9457) with our kind."""

from __future__ import annotations

from synthesis.schema.wire import Wire

MEDIA_TYPE = "application/problem+json"


class Fault(Wire):
    """One thing wrong, or odd, in a request; `field` is a dotted path such as `humans.0.identities`."""

    field: str
    message: str


class Problem(Wire):
    """Why a request failed.

    `kind` is a key of `synthesis.errors.KINDS`; `detail` says what failed, on what and why;
    `hint` what to do next; `errors` lists every fault of a request that did not validate.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    kind: str
    hint: str | None = None
    errors: tuple[Fault, ...] = ()
