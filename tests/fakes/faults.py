"""The ways a server goes wrong, one function each; what they return goes into a schedule.

File faults take a `FileExchange`, manifest faults (names that start with `manifest_`) a
`ManifestExchange`.
"""

from __future__ import annotations

import gzip as gzip_format
from typing import TYPE_CHECKING, TypeVar, cast

from fakes.faulty import problem
from fakes.wire import Answer, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.faulty import Fault, FileExchange, ManifestExchange, ManifestFault

F = TypeVar("F", bound="Callable[..., None]")
PAGE = b"<!doctype html><html><body>Please sign in to the network.</body></html>\n"


def always(fault: F) -> F:
    """The fault again and again, for every request."""

    def act(exchange: Exchange) -> None:
        fault(exchange)

    act.always = True  # type: ignore[attr-defined]
    return cast("F", act)


def honest(exchange: FileExchange) -> None:
    """No fault: fills a place in a schedule."""
    exchange.reply(exchange.honest())


def reset(*, at: int = 0) -> Fault:
    """`at` bytes of the body, then a TCP reset."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        exchange.head(answer)
        exchange.body(answer.body[:at])
        exchange.reset()

    return act


def short(*, missing: int = 1) -> Fault:
    """The right headers, a body that lacks its end, a clean close."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        exchange.head(answer)
        exchange.body(answer.body[:-missing])
        exchange.close()

    return act


def long(*, extra: int = 1, framed: bool = True) -> Fault:
    """A body with bytes to spare, declared so or (`framed=False`) ended by the close alone."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.body += b"x" * extra
        if framed:
            answer.headers["Content-Length"] = str(len(answer.body))
        else:
            del answer.headers["Content-Length"]
            answer.headers["Connection"] = "close"
        exchange.head(answer)
        exchange.body(answer.body)
        exchange.close()

    return act


def wrong_length(*, by: int) -> Fault:
    """A Content-Length that is `by` away from the body that follows on a connection kept open."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers["Content-Length"] = str(max(0, len(answer.body) + by))
        exchange.head(answer)
        exchange.body(answer.body)
        if by > 0:
            exchange.close()

    return act


def wrong_bytes(*, at: int = 0) -> Fault:
    """The right length, headers and ETag, and one wrong byte."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        body = bytearray(answer.body)
        body[at % len(body)] ^= 0xFF
        answer.body = bytes(body)
        exchange.reply(answer)

    return act


def status(code: int, *, retry_after: str | None = None, kind: str = "server-error") -> Fault:
    """An error answer, with a problem document."""

    def act(exchange: FileExchange) -> None:
        answer = problem(code, kind, "on schedule")
        if retry_after is not None:
            answer.headers["Retry-After"] = retry_after
        answer.headers["Content-Length"] = str(len(answer.body))
        exchange.reply(answer)

    return act


def drip(*, pieces: int = 8, pause: float = 0.05) -> Fault:
    """The right answer in small pieces with waits between."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        exchange.head(answer)
        size = max(1, len(answer.body) // pieces)
        for at in range(0, len(answer.body), size):
            exchange.body(answer.body[at : at + size])
            exchange.pause(pause)

    return act


def stall(*, at: int = 0) -> Fault:
    """`at` bytes of the body, then silence for ever."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        exchange.head(answer)
        exchange.body(answer.body[:at])
        exchange.hang()

    return act


def mute() -> Fault:
    """No answer at all, on an open connection."""
    return lambda exchange: exchange.hang()


def redirect(location: str, *, code: int = 307) -> Callable[[Exchange], None]:
    """To another place; `{target}` in `location` stands for the request's own target."""

    def act(exchange: Exchange) -> None:
        place = location.replace("{target}", exchange.request.target)
        exchange.reply(Answer(code, {"Location": place, "Content-Length": "0"}))

    return act


def expire() -> Fault:
    """Every signature so far expires at this very request."""

    def act(exchange: FileExchange) -> None:
        exchange.platform.expire()
        status(403, kind="url-expired")(exchange)

    return act


def no_range() -> Fault:
    """The whole file with 200, whatever range was asked."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest(ranges=False)
        del answer.headers["Accept-Ranges"]
        exchange.reply(answer)

    return act


def replaced(data: bytes) -> Fault:
    """The file becomes another one, ETag and all, before this request is answered."""

    def act(exchange: FileExchange) -> None:
        exchange.platform.replace(exchange.file.name, data)
        exchange.file = exchange.platform.content[exchange.file.name]
        exchange.reply(exchange.honest())

    return act


def other_range(*, shift: int = 1) -> Fault:
    """A 206 whose Content-Range, and bytes, begin `shift` bytes after what was asked."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        if answer.status == 206:
            place, _, total = answer.headers["Content-Range"].removeprefix("bytes ").partition("/")
            first, last = (int(number) for number in place.split("-"))
            first = min(first + shift, last)
            answer.body = exchange.file.data[first : last + 1]
            answer.headers["Content-Range"] = f"bytes {first}-{last}/{total}"
            answer.headers["Content-Length"] = str(len(answer.body))
        exchange.reply(answer)

    return act


def gzip() -> Fault:
    """The right content behind a Content-Encoding that nobody asked for."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest(ranges=False)
        answer.body = gzip_format.compress(answer.body)
        answer.headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(answer.body))}
        exchange.reply(answer)

    return act


def page() -> Fault:
    """200 and somebody's sign-in page."""
    headers = {"Content-Type": "text/html", "Content-Length": str(len(PAGE))}
    return lambda exchange: exchange.reply(Answer(200, dict(headers), PAGE))


def nonsense() -> Fault:
    """Bytes that are no HTTP."""

    def act(exchange: FileExchange) -> None:
        exchange.send(b"\x00\x01 this is not http\r\n\r\n")
        exchange.close()

    return act


def manifest_cut(*, lines: int, inside: bool = False) -> ManifestFault:
    """The header and `lines` lines (with `inside`, half of the next too), then the connection drops."""

    def act(exchange: ManifestExchange) -> None:
        sent = exchange.lines[: lines + 1]
        if inside:
            sent += [line[: len(line) // 2] for line in exchange.lines[lines + 1 : lines + 2]]
        exchange.honest(sent, cut=True)

    return act


def manifest_without_end(*, lines: int) -> ManifestFault:
    """The header and `lines` lines, then a body that ends as if that were all."""
    return lambda exchange: exchange.honest(exchange.lines[: lines + 1])


def manifest_page() -> ManifestFault:
    """200 and somebody's sign-in page where the manifest should be."""
    headers = {"Content-Type": "text/html", "Content-Length": str(len(PAGE))}
    return lambda exchange: exchange.reply(Answer(200, dict(headers), PAGE))


def manifest_garbage(*, line: bytes, before: str | None = None) -> ManifestFault:
    """A line of rubbish before the line of a file, or after the end."""

    def act(exchange: ManifestExchange) -> None:
        key = b"\x00" if before is None else f'"{before}"'.encode()
        at = next((at for at, known in enumerate(exchange.lines) if key in known), len(exchange.lines))
        exchange.honest([*exchange.lines[:at], line, *exchange.lines[at:]])

    return act


def manifest_status(
    code: int, *, retry_after: str | None = None, kind: str = "server-error"
) -> ManifestFault:
    """An error answer instead of the manifest."""

    def act(exchange: ManifestExchange) -> None:
        answer = problem(code, kind, "on schedule")
        if retry_after is not None:
            answer.headers["Retry-After"] = retry_after
        exchange.reply(answer)

    return act


def manifest_stall(*, lines: int) -> ManifestFault:
    """The header and `lines` lines, then silence for ever."""

    def act(exchange: ManifestExchange) -> None:
        exchange.head(Answer(200, {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}))
        for line in exchange.lines[: lines + 1]:
            exchange.chunk(line)
        exchange.hang()

    return act


def manifest_reset() -> ManifestFault:
    """A TCP reset in place of an answer."""
    return lambda exchange: exchange.reset()
