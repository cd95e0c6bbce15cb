"""HTTP/1.1 as uvicorn speaks it, with bounds it lacks: on the size of a request's head and its patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

MOST_HEAD = 1 << 19
"""Bytes of request line and headers. More than one read of a socket, which may bring an earlier body too."""
HEAD_SECONDS = 30.0
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """Ends connections whose head is huge or never ends: nobody without a key fills memory."""

    _size = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then look how much of a head has come."""
        super().data_received(data)
        if self._late is None:
            return
        self._size += len(data)
        if self._size > MOST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_time()
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        """The head is all there."""
        self._in_time()
        super().on_headers_complete()

    def _in_time(self) -> None:
        self._size = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None
