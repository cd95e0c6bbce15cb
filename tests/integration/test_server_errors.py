"""Every error of every route has one shape, and every answer a request id."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from synthesis.errors import KINDS
from synthesis.schema.problem import Problem
from synthesis.server.app import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.platform import Answer, Platform
    from synthesis.server.endpoint import Endpoint

PATHS = sorted({route.path for route in ROUTES})


def check(answer: Answer, status: int, kind: str | None = None) -> dict[str, Any]:
    """Assert the one shape; the document."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.headers["x-request-id"]) == 32
    problem = Problem.model_validate_json(answer.body, strict=True)
    assert problem.status == status
    assert problem.kind in KINDS
    assert problem.detail
    assert "\n" not in problem.detail
    if kind is not None:
        assert problem.kind == kind
    return dict(answer.json())


def filled(path: str) -> str:
    return path.replace("{", "").replace("}", "")


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_there(platform: Platform, path: str) -> None:
    answer = platform.ask("PUT", filled(path))
    check(answer, 405, "usage")
    allowed = {route.method for route in ROUTES if route.path == path}
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_fails_in_one_shape(platform: Platform, route: Endpoint) -> None:
    if route.path == "/health":
        return
    answer = platform.ask(route.method, filled(route.path), key="wrong", body=b"{" if route.body else None)
    check(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    "target", ["/nothing", "/jobs/", "/health/", "//nothing", "//api/v2/jobs", "//api/v1"]
)
def test_a_path_that_is_not_there(platform: Platform, target: str) -> None:
    check(platform.get(target), 404, "not-found")


def test_an_address_that_says_the_api_twice_is_told_so(platform: Platform) -> None:
    answer = platform.get("/api/v1/jobs")
    check(answer, 404, "not-found")
    assert "calls begin with /api/v1;" in answer.json()["hint"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.path)
def test_a_body_that_is_not_json(platform: Platform, route: Endpoint) -> None:
    for body in (b"{", b"\xff", b"", b"NaN"):
        check(platform.ask(route.method, filled(route.path), body=body), 400, "invalid-json")


@pytest.mark.parametrize("path", ["/orgs", "/orgs/acme/members", "/humans/identities", "/humans/jobs"])
@pytest.mark.parametrize("body", [[], 1, "text", None, {"name": 3, "count": "x", "email": [], "humans": 0}])
def test_a_body_of_the_wrong_shape(platform: Platform, path: str, body: Any) -> None:
    problem = check(platform.ask("POST", path, body=json.dumps(body).encode()), 422)
    assert problem["errors"]
    assert all(fault["field"] and fault["message"] for fault in problem["errors"])


def test_names_of_orgs(platform: Platform) -> None:
    for name in ("", "Acme", "a b", "../x", "é", "x" * 64, "-x"):
        check(platform.ask("POST", "/orgs", body={"name": name}), 422)
    check(platform.ask("POST", "/orgs", body={"name": "acme"}), 409, "conflict")
    check(platform.ask("POST", "/orgs/acme/members", body={"email": "no@example.com"}), 404, "not-found")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=-1", "limit=x", "limit=9" + "9" * 30, "cursor=abc", "status=done"],
)
def test_a_query_out_of_range(platform: Platform, query: str) -> None:
    problem = check(platform.get(f"/jobs?{query}"), 422, "usage")
    assert problem["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_a_small_body_that_is_too_large(platform: Platform) -> None:
    check(platform.ask("POST", "/orgs", body=b" " * (2 << 20)), 413, "too-large")


def announced(platform: Platform, size: int, key: str) -> Answer:
    """Announce a body of `size` bytes, send none, and read the answer."""
    parts = urlsplit(platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.putrequest("POST", "/api/v1/humans/jobs")
    connection.putheader("Authorization", f"Bearer {key}")
    connection.putheader("X-Synthesis-Org", platform.org)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    try:
        return _read(connection)
    finally:
        connection.close()


def _read(connection: http.client.HTTPConnection) -> Answer:
    from fakes.platform import Answer

    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def test_a_spec_that_is_too_large(platform: Platform) -> None:
    check(announced(platform, (64 << 20) + 1, platform.key), 413, "too-large")


def test_the_key_is_looked_at_before_the_body(platform: Platform) -> None:
    check(announced(platform, 1 << 40, "wrong"), 401, "unauthorized")


def test_a_chunked_body_that_grows_too_large(platform: Platform) -> None:
    parts = urlsplit(platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    head = {"Authorization": f"Bearer {platform.key}", "X-Synthesis-Org": platform.org}
    chunks = (b" " * 65536 for _ in range(17))
    connection.request("POST", "/api/v1/orgs", body=chunks, headers=head, encode_chunked=True)
    check(_read(connection), 413, "too-large")
    connection.close()


def test_a_client_that_leaves_in_the_middle_of_its_body(platform: Platform) -> None:
    parts = urlsplit(platform.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        head = f"POST /api/v1/humans/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {platform.key}\r\n"
        client.sendall(f"{head}X-Synthesis-Org: acme\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert platform.get("/health").status == 200


def test_our_own_fault_says_where_to_look(start: Callable[..., Platform]) -> None:
    platform = start()
    (platform.data / "secret").unlink()
    for name in ("platform.db", "platform.db-wal", "platform.db-shm"):
        (platform.data / name).write_bytes(b"not a database")
    problem = check(platform.get("/jobs"), 500, "internal")
    assert problem["detail"].split("(")[1][:32] in platform.logs()
    assert "Traceback" not in json.dumps(problem)


def test_answers_without_errors_carry_a_request_id_too(platform: Platform) -> None:
    seen = {platform.get("/health").headers["x-request-id"] for _ in range(3)}
    assert len(seen) == 3
    answer = platform.get("/health", headers={"X-Request-Id": "mine"})
    assert answer.headers["x-request-id"] != "mine"


@pytest.mark.parametrize(
    "where", ['"\\ud800": 1', '"humans": [{"\\udfff": 1, "body": [{"height": ["\\udc00"]}]}]']
)
def test_half_a_letter_in_a_spec(platform: Platform, where: str) -> None:
    problem = check(platform.ask("POST", "/humans/jobs", body=b"{%s}" % where.encode()), 422, "invalid-spec")
    assert problem["errors"]


def test_a_deep_request_for_identities(platform: Platform) -> None:
    body = b'{"count": 1, "odd": %s}' % (b"[" * 1020 + b"]" * 1020)
    answer = platform.ask("POST", "/humans/identities", body=body)
    assert answer.status == 200
    assert answer.json()["data"]["warnings"] == ["odd: unknown key, ignored"]


def test_a_huge_request_for_identities_is_refused_at_once(platform: Platform) -> None:
    groups = [{"percent": 0.01}] * 10_000
    check(
        platform.ask("POST", "/humans/identities", body={"count": 1, "criteria": groups}), 422, "invalid-spec"
    )


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\nX-Odd: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end_is_cut(platform: Platform, begin: bytes) -> None:
    parts = urlsplit(platform.url)
    more = b"X-Odd: 1\r\n" * 8192 if begin.endswith(b"\r\n") else b"a" * 65536
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        sent = 0
        try:
            connection.sendall(begin)
            while sent < 1 << 26:
                connection.sendall(more)
                sent += len(more)
        except OSError:  # the server closed
            pass
    assert sent < 1 << 26
    assert platform.get("/health").status == 200


def test_a_large_body_does_not_count_as_head(platform: Platform) -> None:
    body = b" " * (3 << 20) + b"{}"
    for _ in range(2):
        check(platform.ask("POST", "/humans/jobs:validate", body=body), 422, "invalid-spec")
