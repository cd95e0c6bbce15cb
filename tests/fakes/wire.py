"""HTTP/1.1 on raw sockets, so that a server can misbehave to the byte.

`Server` accepts on port 0 and gives every connection a thread; its handler gets an `Exchange`:
one parsed request and the means to answer it well or badly. Standard library only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

MAX_HEAD = 64 * 1024


class Hangup(Exception):  # noqa: N818 - not an error: the handler ended the connection
    """Ends the connection after the current exchange."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names are lower case, `at` is monotonic seconds."""

    method: str
    target: str
    headers: Mapping[str, str]
    at: float

    @property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's names, each with its last value."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Answer:
    """What goes back: a status, headers and a body; faults bend copies of it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Exchange:
    """One request and the raw connection on which it is answered."""

    def __init__(self, server: Server, connection: socket.socket, request: Request) -> None:
        self.server = server
        self.request = request
        self.connection = connection

    def head(self, answer: Answer) -> None:
        """Send the status line and exactly the headers of `answer`."""
        known = answer.status in HTTPStatus.__members__.values()
        reason = HTTPStatus(answer.status).phrase if known else "Odd"
        lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{k}: {v}" for k, v in answer.headers.items())]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.connection.sendall(data)

    def chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body; an empty one ends it."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def reply(self, answer: Answer) -> None:
        """Answer as one should: Content-Length added when it is missing, no body to a HEAD."""
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        self.head(Answer(answer.status, headers))
        if self.request.method != "HEAD":
            self.send(answer.body)

    def pause(self, seconds: float) -> None:
        """Wait, but not past the end of the server."""
        if self.server.stopping.wait(seconds):
            raise Hangup

    def hang(self) -> None:
        """Say nothing until the client leaves or the server stops, then close."""
        self.connection.settimeout(0.05)
        while not self.server.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    break
        raise Hangup

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise Hangup

    def close(self) -> None:
        """End the connection in good order after what was sent."""
        raise Hangup


class Server:
    """Accepts connections on 127.0.0.1 and hands each request to `handler` in its own thread."""

    def __init__(
        self, handler: Callable[[Exchange], None], *, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.handler = handler
        self.tls = tls
        self.stopping = threading.Event()
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every socket and wait for every thread; safe to call twice."""
        self.stopping.set()
        with contextlib.suppress(OSError):  # closing a socket wakes no accept() on some systems
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        if self._acceptor.is_alive():
            self._acceptor.join(5)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # wakes its thread
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads = [old for old in self._threads if old.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        connection = accepted
        try:
            with contextlib.suppress(OSError, Hangup):
                if self.tls:
                    connection = self.tls.wrap_socket(accepted, server_side=True)
                with connection.makefile("rb") as reader:
                    while request := read_request(reader):
                        self.handler(Exchange(self, connection, request))
        finally:
            with self._lock:
                self._open.discard(accepted)
            connection.close()
            accepted.close()


def read_request(reader: BinaryIO) -> Request | None:
    """Read one request's head; None when the client is gone. Bodies are read and dropped."""
    line = reader.readline(MAX_HEAD)
    parts = line.decode("latin-1").split()
    if len(parts) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := reader.readline(MAX_HEAD)) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if length := int(headers.get("content-length", "0")):
        reader.read(length)
    return Request(parts[0], parts[1], headers, time.monotonic())
