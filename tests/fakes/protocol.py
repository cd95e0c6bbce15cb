"""The ways a server breaks HTTP itself, or says what is legal but nobody expects.

As `fakes.faults`: each function returns what goes into a schedule of `FaultyServer.faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.wire import Answer

if TYPE_CHECKING:
    from fakes.faulty import Fault, FileExchange

STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
ERROR_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error. Please try again.</Message></Error>"
)


def huge_header(*, size: int = 1 << 20) -> Fault:
    """One header of `size` bytes, then the right answer."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers = {"X-Padding": "x" * size, **answer.headers}
        exchange.reply(answer)

    return act


def many_headers(*, count: int = 20_000) -> Fault:
    """`count` small headers, then the right answer."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers = {**{f"X-{at}": "x" for at in range(count)}, **answer.headers}
        exchange.reply(answer)

    return act


def endless_headers() -> Fault:
    """Headers without end, as fast as they are taken."""

    def act(exchange: FileExchange) -> None:
        exchange.send(STATUS_LINE)
        while not exchange.server.stopping.is_set():
            exchange.send(b"X-More: and more\r\n" * 500)
        exchange.close()

    return act


def informational(*, code: int = 103, count: int = 3) -> Fault:
    """`count` answers of 1xx (0: without end), then the right one."""
    early = f"HTTP/1.1 {code} Wait\r\nLink: </style.css>; rel=preload\r\n\r\n".encode()

    def act(exchange: FileExchange) -> None:
        if not count:
            while not exchange.server.stopping.is_set():
                exchange.send(early * 100)
            exchange.close()
        exchange.send(early * count)
        exchange.reply(exchange.honest())

    return act


def slow_head(*, pause: float = 0.1) -> Fault:
    """A head that comes byte by byte and never ends: always alive, never there."""

    def act(exchange: FileExchange) -> None:
        exchange.send(STATUS_LINE)
        while True:
            for byte in b"X-Slow: " + b"z" * 50 + b"\r\n":
                exchange.send(bytes([byte]))
                exchange.pause(pause)

    return act


def chunked(*, cut: bool = False, garbage: bool = False, without_end: bool = False) -> Fault:
    """A chunked body: whole, cut in a chunk, with a size line that is none, or without its last chunk."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        del answer.headers["Content-Length"]
        answer.headers["Transfer-Encoding"] = "chunked"
        exchange.head(answer)
        half = len(answer.body) // 2
        exchange.chunk(answer.body[:half])
        if garbage:
            exchange.send(b"not-a-size\r\n" + answer.body[half:] + b"\r\n0\r\n\r\n")
            exchange.close()
        if cut:
            exchange.send(b"%x\r\n%s" % (len(answer.body) - half, answer.body[half:-5]))
            exchange.close()
        exchange.chunk(answer.body[half:])
        if without_end:
            exchange.close()
        exchange.chunk(b"")
        exchange.platform.count(exchange.file.name, len(answer.body))

    return act


def chunked_and_length() -> Fault:
    """A chunked body beside a Content-Length that says something else: a smuggler's answer."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers |= {"Content-Length": str(len(answer.body) // 2), "Transfer-Encoding": "chunked"}
        exchange.head(answer)
        exchange.chunk(answer.body)
        exchange.chunk(b"")

    return act


def two_lengths() -> Fault:
    """Two Content-Lengths that differ."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers = {"content-length": str(len(answer.body) - 3), **answer.headers}
        exchange.head(answer)
        exchange.body(answer.body)
        exchange.close()

    return act


def garbage_after() -> Fault:
    """The right answer, and bytes after it on a connection that stays open."""

    def act(exchange: FileExchange) -> None:
        exchange.reply(exchange.honest())
        exchange.send(b"\x00\xffgarbage that is no answer\r\n\r\n")

    return act


def answer_after() -> Fault:
    """The right answer, and at once a second one that nobody asked for: it belongs to no file."""

    def act(exchange: FileExchange) -> None:
        exchange.reply(exchange.honest())
        size = len(exchange.file.data)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        exchange.send(head + b"\xee" * size)

    return act


def close_after() -> Fault:
    """The right answer, and then the connection goes, though it was to be kept."""

    def act(exchange: FileExchange) -> None:
        exchange.reply(exchange.honest())
        exchange.close()

    return act


def short_lived(*, share: int = 10, least: int = 12_000) -> Fault:
    """No connection lives longer than one in `share` of the file takes, or `least` bytes."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        exchange.head(answer)
        exchange.body(answer.body[: max(least, len(exchange.file.data) // share)])
        exchange.close()

    return act


def close_at_reuse() -> Fault:
    """No byte of an answer: the connection closes the moment it is used again."""
    return lambda exchange: exchange.close()


def bare(code: int) -> Fault:
    """An answer of `code` without a body: 204 and 304, which nobody asked for."""

    def act(exchange: FileExchange) -> None:
        headers = {"ETag": f'"{exchange.file.sha256}"'}
        exchange.head(Answer(code, headers))

    return act


def unasked_range() -> Fault:
    """206 with half of the file, though no range was asked for."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest(ranges=False)
        size = len(answer.body)
        answer.status, answer.body = 206, answer.body[: size // 2]
        place = f"bytes 0-{size // 2 - 1}/{size}"
        answer.headers |= {"Content-Length": str(size // 2), "Content-Range": place}
        exchange.reply(answer)

    return act


def unsatisfiable() -> Fault:
    """416, whatever was asked for."""

    def act(exchange: FileExchange) -> None:
        size = len(exchange.file.data)
        exchange.reply(Answer(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}))

    return act


def error_page(*, length: bool = True) -> Fault:
    """200, and an object store's `<Error>` for a body; without `length` the close ends it."""

    def act(exchange: FileExchange) -> None:
        headers = {"Content-Type": "application/xml"}
        headers |= {"Content-Length": str(len(ERROR_XML))} if length else {"Connection": "close"}
        exchange.head(Answer(200, headers))
        exchange.send(ERROR_XML)
        if not length:
            exchange.close()

    return act


def weak_etag() -> Fault:
    """The right answer under a weak ETag: its parts may not be joined with others."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        answer.headers["ETag"] = 'W/"version-1"'
        exchange.reply(answer)

    return act


def without_etag(*, at: int | None = None) -> Fault:
    """The right answer without any ETag; with `at` only so many bytes of it, then a reset."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        del answer.headers["ETag"]
        exchange.head(answer)
        exchange.body(answer.body[:at])
        if at is not None:
            exchange.reset()

    return act


def other_total() -> Fault:
    """206 for a range, with a total that is not the file's."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        if answer.status == 206:
            place = answer.headers["Content-Range"].partition("/")[0]
            answer.headers["Content-Range"] = f"{place}/{len(exchange.file.data) + 7}"
        exchange.reply(answer)

    return act


def truncated_tls() -> Fault:
    """Half of the body, then the end of TCP in the middle of TLS: no close_notify."""

    def act(exchange: FileExchange) -> None:
        answer = exchange.honest()
        del answer.headers["Content-Length"]
        answer.headers["Connection"] = "close"
        exchange.head(answer)
        exchange.body(answer.body[: len(answer.body) // 2])
        exchange.close()  # the socket is closed without `unwrap`

    return act
