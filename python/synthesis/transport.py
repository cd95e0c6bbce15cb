"""One request method over the core's HTTP stack: the seam to every server.

The key and the org go to the server's own origin only; the core sees to that, redirects included.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from synthesis import _core
from synthesis.errors import KINDS, CancelledError, SynthesisError, UnavailableError, UsageError, from_kind
from synthesis.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_AGENT = f"synthesis/{_core.__version__}"

ATTEMPTS = 4
"""Tries of one call; few, because somebody waits for the answer."""

LONGEST_WAIT = 30.0
"""Seconds between two tries that a server's `Retry-After` may ask for; past it the call fails."""

_AGAIN = frozenset({429, 502, 503, 504})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_PROXY_KINDS = {401: "unauthorized", 413: "too-large", 429: "throttled"}


class Limits(Record):
    """How long to wait for a host, in seconds, and how often to try.

    Attributes:
        connect: for the connection, TLS included.
        first_byte: from a request to the head of its answer.
        idle: between two pieces of a body.
        attempts: tries of a file, or of a range of one, that bring nothing; for downloads.
        checkpoint: between two times that a download brings what it wrote to the disk itself: the most
            work that a power loss costs.
    """

    connect: float = 15.0
    first_byte: float = 15.0
    idle: float = 20.0
    attempts: int = 8
    checkpoint: float = 5.0


class Answer(Record):
    """A whole answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; `UnavailableError` of kind `bad-answer` if it is none."""
        import orjson

        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise _bad_answer("the server", self) from None


class Transport:
    """One server, one key, one org.

    Args:
        server: root URL, such as `http://127.0.0.1:8470`.
        api_key: sent as `Authorization: Bearer`.
        org: sent as `X-Synthesis-Org`.
        limits: how long to wait.

    Raises:
        UsageError: kind `invalid-config`: the server is no http or https URL.
    """

    def __init__(
        self, server: str, api_key: str | None = None, org: str | None = None, *, limits: Limits | None = None
    ) -> None:
        self.server = _checked(server)
        self.limits = limits or Limits()
        self.http = http_client(self.limits)
        self._api_key = api_key
        self._org = org

    def __repr__(self) -> str:
        return f"Transport({self.server!r}, org={self._org!r})"

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the absolute URL of a path below the server's root."""
        text = self.server + path
        return f"{text}?{urlencode(query, quote_via=quote)}" if query else text

    def key_headers(self) -> dict[str, str]:
        """Return the headers that say who asks: secrets, for this server alone."""
        headers = {}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        if self._org is not None:
            headers["X-Synthesis-Org"] = self._org
        return headers

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key: bool = True,
        timeout: float = 60,
        cancel: _core.CancelToken | None = None,
    ) -> Answer:
        """Send one request and return the answer to it, if that is a success.

        Calls that may be repeated (GET, HEAD, PUT, DELETE, or any with an `Idempotency-Key`) are
        tried up to four times on 429, 502, 503, 504 and connection faults.

        Args:
            method: `GET`, `POST` ...
            path: from the server's root, percent-encoded, with its leading slash.
            json: sent as the body, in JSON.
            body: sent as it is; exclusive with `json`.
            query: appended to the path.
            headers: beside those of the transport.
            key: send key and org.
            timeout: seconds for one try, body included.
            cancel: ends the call from another thread.

        Raises:
            SynthesisError: of the class and kind that the answer's problem document names;
                `fields` has `status`, `request_id` and `errors` where known.
            UnavailableError: nobody answers (`network`, `timeout`, `tls`), or what answers is no
                synthesis server (`bad-answer`).
            CancelledError: `cancel` was used.
        """
        sent = {"Accept": "application/json, application/problem+json"}
        if json is not None:
            import orjson

            body = orjson.dumps(json)
            sent["Content-Type"] = "application/json"
        sent |= self.key_headers() if key else {}
        sent |= headers or {}
        again = method in _IDEMPOTENT or any(name.lower() == "idempotency-key" for name in sent)
        url = self.url(path, query)
        for attempt in range(1, ATTEMPTS + 1):
            last, wait = not again or attempt == ATTEMPTS, None
            try:
                status, pairs, data = self.http.request(
                    method, url, headers=list(sent.items()), body=body, timeout=timeout, cancel=cancel
                )
            except UnavailableError as error:
                if last or error.kind not in {"network", "timeout"}:
                    raise self.explained(error) from None
            else:
                answer = Answer(status=status, headers=dict(pairs), body=data)
                asked = _retry_after(answer.headers.get("retry-after"))
                if last or status not in _AGAIN or (asked or 0) > LONGEST_WAIT:
                    return self._checked_answer(answer)
                wait = asked
            _pause(_backoff(attempt) if wait is None else wait, cancel)
        raise AssertionError("unreachable: the last try returns or raises")

    def explained(self, error: SynthesisError) -> SynthesisError:
        """Return the error with what to do when nobody answers at the server's address."""
        if error.kind == "network" and error.hint is None and "cannot connect" in error.message:
            error.hint = "check the address, or start one with: synthesis serve"
        error.fields.setdefault("server", self.server)
        return error

    def _checked_answer(self, answer: Answer) -> Answer:
        media = answer.headers.get("content-type", "").split(";")[0].strip().lower()
        if 200 <= answer.status < 300:
            # No route of ours answers with a page: a captive portal, a proxy or another server does.
            if media == "text/html":
                raise _bad_answer(self.server, answer)
            return answer
        problem = _problem(answer) if media.endswith("json") else None
        fields: dict[str, Any] = {"status": answer.status, "server": self.server}
        if request_id := answer.headers.get("x-request-id"):
            fields["request_id"] = request_id
        if problem is None:
            # Not from a platform: only what a proxy before one may say is taken at its word.
            kind = "server-error" if answer.status >= 500 else _PROXY_KINDS.get(answer.status)
            if kind is None:
                raise _bad_answer(self.server, answer, fields)
            advice = _hint(media) if answer.status == 401 else None
            raise from_kind(kind, f"{self.server} answered {answer.status}", advice, fields)
        if isinstance(problem.get("errors"), list):
            fields["errors"] = problem["errors"]
        text = problem.get("detail") or problem.get("title") or f"{self.server} answered {answer.status}"
        hint = problem.get("hint")
        raise from_kind(
            problem["kind"],
            _one_line(str(text)),
            _one_line(hint) if isinstance(hint, str) else None,
            fields,
        )


def http_client(limits: Limits | None = None) -> _core.HttpClient:
    """Return a pool of connections of its own."""
    limits = limits or Limits()
    return _core.HttpClient(
        USER_AGENT,
        connect_timeout=limits.connect,
        first_byte_timeout=limits.first_byte,
        idle_timeout=limits.idle,
        attempts=limits.attempts,
        checkpoint=limits.checkpoint,
    )


def _checked(server: str) -> str:
    try:
        parts = urlsplit(server.strip())
        valid = parts.scheme in {"http", "https"} and parts.hostname is not None
        _ = parts.port
    except ValueError:
        valid = False
    if not valid or parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            "the server is not a web address",
            kind="invalid-config",
            hint="write it like https://synthesis.example.com or http://127.0.0.1:8470",
        )
    return server.strip().rstrip("/")


def _backoff(attempt: int) -> float:
    import random

    return random.uniform(0.1, 0.25 * 3 ** (attempt - 1))


def _pause(seconds: float, cancel: _core.CancelToken | None) -> None:
    """Sleep; a cancel token ends it within 50 ms."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if cancel is not None and cancel.cancelled:
            raise CancelledError("cancelled")
        time.sleep(left if cancel is None else min(left, 0.05))


def _problem(answer: Answer) -> dict[str, Any] | None:
    """The problem document of a refusal; None if it is something else."""
    problem = answer.json()
    if not isinstance(problem, dict) or not isinstance(kind := problem.get("kind"), str):
        return None
    # Whether a call was cancelled is for this side to say.
    return None if issubclass(KINDS.get(kind, SynthesisError), CancelledError) else problem


def _retry_after(value: str | None) -> float | None:
    """Seconds that `Retry-After` asks for (RFC 9110 §10.2.3), None if it makes no sense."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 12:
        return float(value)
    from email.utils import parsedate_to_datetime  # costs more than the rest of this module

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _bad_answer(server: str, answer: Answer, fields: dict[str, Any] | None = None) -> UnavailableError:
    media = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    what = {"text/html": "a web page", "": "something"}.get(media, _one_line(media))
    return UnavailableError(
        f"{server} answered {answer.status} with {what}: is it a synthesis server?",
        kind="bad-answer",
        hint=_hint(media),
        fields=fields or {"status": answer.status},
    )


def _hint(media: str) -> str:
    where = "and that no proxy answers in its place" if media == "text/html" else "with its port"
    return f"check the server's address, {where}"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:2000]
