"""How a route is declared, and what its function is given.

A route's function is plain and synchronous: it runs in a thread, may ask the database, raises
`SynthesisError` for anything wrong and returns a response. `dispatch.py` does the rest.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from synthesis.errors import UsageError
from synthesis.server import problem
from synthesis.server.store import idempotency
from synthesis.server.store.engine import write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine
    from starlette.requests import Request

    from synthesis.server.auth import ActingOrg, Caller
    from synthesis.server.settings import Settings
    from synthesis.server.signing import Signer

Schema = TypeVar("Schema", bound=BaseModel)


class Access(enum.Enum):
    """What a request must show before anything else is looked at."""

    OPEN = "nothing"
    KEY = "a key"
    ORG = "a key and an org its account belongs to"
    SIGNED = "a signed URL, or a key and an org"


@dataclass(frozen=True)
class Query:
    """A query parameter, for the route's function and for OpenAPI; `schema` is JSON Schema."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One line of the route table.

    Attributes:
        body: the schema of the request's JSON; `bytes` for a spec, taken as it is; None for no body.
        answer: the schema of the answer's JSON; a media type for anything else; None for no body.
        head: whether HEAD is answered too.
    """

    method: str
    path: str
    run: Callable[[Call], Response]
    about: str
    access: Access = Access.ORG
    body: type[Any] | None = None
    answer: Any = None
    status: int = 200
    query: tuple[Query, ...] = ()
    head: bool = False


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What every route works with."""

    settings: Settings
    engine: Engine
    signer: Signer


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, past its access check; `acting` is None where a URL's signature has yet to vouch."""

    platform: Platform
    request: Request
    body: bytes = b""
    who: Caller | None = None
    acting: ActingOrg | None = None

    @property
    def caller(self) -> Caller:
        """The caller; only where the access check asks for a key."""
        if self.who is None:
            raise RuntimeError("this route is open to callers without a key")
        return self.who

    @property
    def org(self) -> ActingOrg:
        """The org acted for; only where the access check asks for one."""
        if self.acting is None:
            raise RuntimeError("this route does not act for an org")
        return self.acting

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """A query parameter; None when missing or empty."""
        return self.request.query_params.get(name) or None

    def number(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number in the query; kind `usage` outside `low`..`high`."""
        text = self.query(name)
        if text is None:
            return default
        if text.isascii() and text.isdecimal() and len(text) <= 18 and low <= int(text) <= high:
            return int(text)
        raise bad_field(name, f"must be a whole number from {low} to {high}")

    def json(self) -> Any:
        """The body as JSON; kind `invalid-json` (400)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise UsageError(f"the body is not JSON: {error}", kind="invalid-json") from None

    def parse(self, schema: type[Schema]) -> Schema:
        """The body as a schema; kind `usage` (422) with every fault."""
        try:
            return schema.model_validate(self.json())
        except ValidationError as error:
            raise problem.invalid(error, what="the body") from None

    def once(self, create: Callable[[Connection], tuple[int, BaseModel]]) -> Response:
        """Run a create in one transaction; a repeated `Idempotency-Key` gets the first answer again."""
        key = self.request.headers.get("idempotency-key")
        org = "" if self.acting is None else self.acting.name
        parts = (self.request.method, self.request.url.path, self.request.url.query, org)
        request = idempotency.fingerprint(*(part.encode() for part in parts), self.body)
        with write(self.platform.engine) as db:
            known = None if key is None else idempotency.recall(db, self.caller.account, key, request)
            if known is not None:
                return json_answer(known[1], status=known[0], headers={"Idempotent-Replayed": "true"})
            status, answer = create(db)
            body = dump(answer)
            if key is not None:
                idempotency.remember(db, self.caller.account, key, request, status=status, body=body)
        return json_answer(body, status=status)


def bad_field(name: str, message: str) -> UsageError:
    """The error for one query parameter or header."""
    return UsageError(f"{name} {message}", fields={"errors": [{"field": name, "message": message}]})


def dump(answer: BaseModel) -> bytes:
    """The JSON of an answer."""
    return orjson.dumps(answer.model_dump(mode="json"))


def json_answer(
    answer: BaseModel | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response; never cached, for it depends on the key."""
    body = answer if isinstance(answer, bytes) else dump(answer)
    return Response(
        body, status, headers={"Cache-Control": "no-store", **(headers or {})}, media_type="application/json"
    )
