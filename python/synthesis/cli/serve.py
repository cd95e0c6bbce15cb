"""`synthesis serve`: the platform on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from synthesis.cli.command import Option, command, single
from synthesis.cli.extras import need_platform
from synthesis.cli.session import Session

app = single()

DataOption = Annotated[
    Path | None,
    Option(
        "--data",
        metavar="DIR",
        show_default=False,
        help="The platform's data folder.  [default: your user data]",
    ),
]


def data_folder(given: Path | None) -> Path:
    """Return the data folder that `--data` means."""
    from synthesis import config

    return given.expanduser().resolve() if given else config.default_data()


@command(app, "serve")
def serve(
    session: Session,
    *,
    host: Annotated[
        str, Option("--host", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    port: Annotated[
        int, Option("--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 8470,
    data: DataOption = None,
    workers: Annotated[
        int | None,
        Option(
            "--workers",
            metavar="N",
            min=0,
            show_default=False,
            help="Render processes; 0 renders nothing.  [default: one per core]",
        ),
    ] = None,
    renderer: Annotated[
        str, Option("--renderer", metavar="NAME", help="What draws: mitsuba, or flat for quick trials.")
    ] = "mitsuba",
    until_stdin_ends: Annotated[bool, Option("--until-stdin-ends", hidden=True)] = False,
) -> None:
    """Run the platform until Control-C.

    It answers the API, renders what it is asked for and serves the files. Jobs are durable: stop it
    at any moment, and the next start goes on. While it listens, DIR/server.json holds its URL and
    process id; DIR/logs says what it does.

    \b
    Examples:
      synthesis serve
      synthesis serve --data /srv/synthesis --port 0 --workers 4
    """
    need_platform()
    from synthesis.server.serve import serve as run

    folder = data_folder(data)
    if until_stdin_ends:
        _end_with_parent()

    def ready(url: str) -> None:
        session.out.result(
            {"url": url, "data": str(folder)},
            f"Serving at {url}\nData in {folder}; Control-C stops it",
            bare=url,
        )

    run(host=host, port=port, data=folder, workers=workers, renderer=renderer, ready=ready)


def _end_with_parent() -> None:
    """End as on SIGTERM when standard input ends: a parent that is killed takes this process along."""
    import contextlib
    import os
    import signal
    import threading

    def wait() -> None:
        # Not through `sys.stdin`: its lock, held by a thread, breaks the interpreter when it ends.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
