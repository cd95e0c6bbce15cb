"""One request: what is sent, what is tried again, and which error each refusal becomes."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fakes.wire import Answer, Server
from synthesis import _core
from synthesis.errors import (
    AccessError,
    CancelledError,
    FailedError,
    NotFoundError,
    SynthesisError,
    UnavailableError,
    UsageError,
)
from synthesis.transport import Limits, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.wire import Exchange, Request

KEY = "key-that-must-not-leak"
SHORT = Limits(connect=2, first_byte=0.5, idle=0.5)


class Scripted(Server):
    """Gives its answers in turn; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(self.answer)
        self.answers = list(answers)
        self.requests: list[Request] = []

    def answer(self, exchange: Exchange) -> None:
        """Take the next one."""
        self.requests.append(exchange.request)
        now = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        exchange.head(Answer(now.status, {"Content-Length": str(len(now.body)), **now.headers}))
        exchange.send(now.body)


def ok(body: bytes = b"{}", media: str = "application/json") -> Answer:
    return Answer(200, {"Content-Type": media}, body)


def problem(status: int, **fields: Any) -> Answer:
    document = {"type": "about:blank", "title": "No", "status": status, **fields}
    headers = {"Content-Type": "application/problem+json", "X-Request-Id": "r-1"}
    return Answer(status, headers, json.dumps(document).encode())


@pytest.fixture
def served() -> Iterator[Any]:
    """A function that starts a scripted server and gives it with a transport."""
    servers: list[Scripted] = []

    def start(*answers: Answer) -> tuple[Scripted, Transport]:
        server = Scripted(*answers)
        server.__enter__()
        servers.append(server)
        return server, Transport(server.url, KEY, "acme", limits=SHORT)

    yield start
    for server in servers:
        server.__exit__(None, None, None)


def test_key_org_query_and_json_are_sent(served: Any) -> None:
    server, transport = served(ok(b'{"a": 1}'))
    answer = transport.request("POST", "/x", json={"b": [1]}, query={"name": "a b&c"})
    assert answer.json() == {"a": 1}
    (request,) = server.requests
    assert request.method == "POST"
    assert request.query == {"name": "a b&c"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-synthesis-org"] == "acme"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("synthesis/")


def test_without_key_nothing_secret_is_sent(served: Any) -> None:
    server, transport = served(ok())
    transport.request("GET", "/health", key=False)
    assert "authorization" not in server.requests[0].headers
    assert "x-synthesis-org" not in server.requests[0].headers


def test_the_key_does_not_follow_a_redirect_elsewhere(served: Any) -> None:
    other, _ = served(ok(b'{"other": true}'))
    server, transport = served(Answer(302, {"Location": f"{other.url}/there"}))
    assert transport.request("GET", "/here").json() == {"other": True}
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in other.requests[0].headers
    assert "x-synthesis-org" not in other.requests[0].headers


def test_a_body_is_not_sent_elsewhere_at_all(served: Any) -> None:
    other, _ = served(ok())
    _, transport = served(Answer(307, {"Location": f"{other.url}/there"}))
    with pytest.raises(UnavailableError) as caught:
        transport.request("POST", "/here", json={"secret": 1})
    assert caught.value.kind == "bad-answer"
    assert other.requests == []


def test_a_redirect_at_home_keeps_the_key(served: Any) -> None:
    server, transport = served(Answer(308, {"Location": "/new"}), ok())
    transport.request("GET", "/old")
    assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_endless_redirects_end(served: Any) -> None:
    server, transport = served(Answer(302, {"Location": "/again"}))
    with pytest.raises(UnavailableError) as caught:
        transport.request("GET", "/")
    assert caught.value.kind == "bad-answer"
    assert len(server.requests) == 11


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_refusals_are_asked_again(status: int, served: Any) -> None:
    server, transport = served(problem(status, kind="server-error"), ok())
    assert transport.request("GET", "/").status == 200
    assert len(server.requests) == 2


def test_a_post_is_not_repeated_unless_it_says_that_it_may(served: Any) -> None:
    server, transport = served(problem(503, kind="server-error"), ok())
    with pytest.raises(UnavailableError):
        transport.request("POST", "/", json={})
    assert len(server.requests) == 1
    server, transport = served(problem(503, kind="server-error"), ok())
    transport.request("POST", "/", json={}, headers={"Idempotency-Key": "1"})
    assert len(server.requests) == 2


def test_tries_end(served: Any) -> None:
    server, transport = served(problem(503, kind="server-error", detail="down for a while"))
    with pytest.raises(UnavailableError) as caught:
        transport.request("GET", "/")
    assert caught.value.message == "down for a while"
    assert len(server.requests) == 4


def test_a_long_retry_after_is_not_waited_for(served: Any) -> None:
    answer = problem(429, kind="throttled", detail="later")
    answer.headers["Retry-After"] = "3600"
    server, transport = served(answer)
    with pytest.raises(UnavailableError) as caught:
        transport.request("GET", "/")
    assert caught.value.kind == "throttled"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (401, "unauthorized", AccessError),
        (403, "not-a-member", AccessError),
        (404, "not-found", NotFoundError),
        (409, "conflict", FailedError),
        (422, "invalid-spec", UsageError),
        (500, "server-error", UnavailableError),
    ],
)
def test_a_problem_becomes_its_error(
    status: int, kind: str, error: type[SynthesisError], served: Any
) -> None:
    faults = [{"field": "humans.0", "message": "is wrong"}]
    _, transport = served(problem(status, kind=kind, detail="what\nfailed", hint="do this", errors=faults))
    with pytest.raises(error) as caught:
        transport.request("GET", "/")
    assert caught.value.kind == kind
    assert caught.value.message == "what failed"
    assert caught.value.hint == "do this"
    assert caught.value.fields["status"] == status
    assert caught.value.fields["request_id"] == "r-1"
    assert caught.value.fields["errors"] == faults


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "unauthorized"),
        (403, "bad-answer"),
        (404, "bad-answer"),
        (413, "too-large"),
        (418, "bad-answer"),
        (500, "server-error"),
    ],
)
@pytest.mark.parametrize("body", [b"no", b'{"error": "no"}', b'{"kind": "cancelled"}', b"[]"])
def test_a_refusal_without_a_problem_is_believed_as_a_proxys(
    status: int, kind: str, body: bytes, served: Any
) -> None:
    media = "text/plain" if body == b"no" else "application/json"
    _, transport = served(*[Answer(status, {"Content-Type": media}, body)] * 4)
    with pytest.raises(SynthesisError) as caught:
        transport.request("GET", "/")
    assert caught.value.kind == kind


def test_a_token_ends_the_wait_between_two_tries(served: Any) -> None:
    server, transport = served(*[Answer(503, {"Retry-After": "25"})] * 4)
    token = _core.CancelToken()
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(CancelledError):
        transport.request("GET", "/", cancel=token)
    assert len(server.requests) == 1


def test_a_web_page_is_no_answer(served: Any) -> None:
    server, transport = served(ok(b"<html>", media="text/html; charset=utf-8"))
    with pytest.raises(UnavailableError) as caught:
        transport.request("GET", "/")
    assert caught.value.kind == "bad-answer"
    assert server.url in caught.value.message
    assert "web page" in caught.value.message
    assert "is it a synthesis server?" in caught.value.message


def test_rubbish_in_place_of_json_is_told(served: Any) -> None:
    _, transport = served(ok(b"nonsense"))
    answer = transport.request("GET", "/")
    with pytest.raises(UnavailableError) as caught:
        answer.json()
    assert caught.value.kind == "bad-answer"


def test_nobody_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        Transport(f"http://127.0.0.1:{port}").request("GET", "/api/v1/health")
    assert caught.value.kind == "network"
    assert f"http://127.0.0.1:{port}" in caught.value.message
    assert "synthesis serve" in str(caught.value.hint)


def test_a_mute_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(UnavailableError) as caught:
            Transport(url, limits=SHORT).request("POST", "/?sig=SECRET", timeout=0.2)
    assert caught.value.kind == "timeout"
    assert "SECRET" not in caught.value.message


@pytest.mark.parametrize(
    "server",
    [
        "",
        "localhost:8470",
        "ftp://a",
        "http://",
        "http://a:99999",
        "http://user:pw@host",
        "http://a?b=c",
        "file:///x",
    ],
)
def test_a_server_must_be_a_web_address(server: str) -> None:
    with pytest.raises(UsageError) as caught:
        Transport(server)
    assert caught.value.kind == "invalid-config"
    assert "pw" not in caught.value.message


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Transport("http://127.0.0.1:1", KEY, "acme"))


def test_a_key_that_no_header_can_hold_is_told_without_it() -> None:
    with pytest.raises(UsageError) as caught:
        Transport("http://127.0.0.1:1", "secret\nkey").request("GET", "/")
    assert "secret" not in caught.value.message
