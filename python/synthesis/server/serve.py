"""Running the platform: uvicorn in this process, render workers as children."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from synthesis.errors import UnavailableError, UsageError
from synthesis.files import disk_error
from synthesis.humans import renderers
from synthesis.server import folder, importing
from synthesis.server.app import create_app
from synthesis.server.jobs import queue
from synthesis.server.jobs.supervisor import Supervisor
from synthesis.server.protocol import Protocol
from synthesis.server.settings import Settings
from synthesis.server.store.engine import open_engine

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8470
DEFAULT_RENDERER = "mitsuba"
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 3
LOG_BYTES = 10_000_000
LOG_FILES = 5


def serve(
    *,
    data: Path,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    workers: int | None = None,
    renderer: str = DEFAULT_RENDERER,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve a data folder until SIGINT or SIGTERM; returns after a graceful end.

    Args:
        data: the data folder; created when missing.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        workers: render processes; None: one per core; 0 renders nothing.
        renderer: name of the renderer, one of `humans.renderers.NAMES`.
        ready: called once with the URL when requests are answered.

    Raises:
        UsageError: there is no such renderer.
        DiskError: kind `locked` when another server uses the folder; others when it cannot be used.
        UnavailableError: kind `network` when the address cannot be listened on.
    """
    if renderer not in renderers.NAMES:
        raise UsageError(
            f"there is no renderer {renderer!r}", hint=f"renderers are: {', '.join(renderers.NAMES)}"
        )
    settings = Settings(data=data.resolve())
    folder.prepare(settings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(folder.lock(settings))
        stack.enter_context(_log_to(settings))
        engine = open_engine(settings.database)
        stack.callback(engine.dispose)
        queue.release_all(engine)
        folder.empty(settings.work)
        with folder.lock_imports(settings) as alone:
            if alone:
                importing.remove_unfinished(engine, settings)
        listener = stack.enter_context(_listen(host, port))
        url = _url(host, listener)
        count = (os.cpu_count() or 1) if workers is None else workers
        stack.enter_context(Supervisor(settings, engine, workers=count, renderer=renderer))
        stack.enter_context(_signals_end_uvicorn_only())

        def started() -> None:
            stack.enter_context(folder.announce(settings, url))
            ready(url)

        server = _Server(_config(create_app(settings, engine)), started)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Uvicorn that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self._tell()


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        log_config=None,
        access_log=False,  # it would log queries, and with them signatures; `dispatch.Envelope` logs paths
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UnavailableError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            kind="network",
            hint="name another port with --port, or 0 for a free one",
        ) from None
    return listener


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


@contextlib.contextmanager
def _log_to(settings: Settings) -> Iterator[None]:
    """Send the logs of the server and of uvicorn to `logs/server.log`, which turns over at 10 MB."""
    path = settings.logs / "server.log"
    try:
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    except OSError as error:
        raise disk_error(error, path) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("synthesis.server", "uvicorn")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()


@contextlib.contextmanager
def _signals_end_uvicorn_only() -> Iterator[None]:
    """Uvicorn catches SIGINT and SIGTERM, ends, and raises them again: let that do nothing more.

    The signals keep their meaning outside of the block; off the main thread nothing can be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ignore(_number: int, _frame: types.FrameType | None) -> None:
        pass

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
