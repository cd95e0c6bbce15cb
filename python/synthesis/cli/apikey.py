"""`synthesis apikey`: the key that says who you are."""

from __future__ import annotations

import sys
from typing import Annotated

from synthesis.cli.command import Argument, command, group
from synthesis.cli.session import Session
from synthesis.errors import UsageError

app = group("Set the API key.")


@command(app, "set")
def set_key(
    session: Session,
    key: Annotated[
        str | None,
        Argument(metavar="KEY", show_default=False, help="The key; asked for when left out."),
    ] = None,
) -> None:
    """Keep an API key in the configuration file.

    Without KEY it is asked for without echo, or read from a pipe: so it stays out of the shell's
    history. `synthesis status` tells whether it works.

    \b
    Examples:
      synthesis apikey set
      pass show synthesis | synthesis apikey set
      synthesis apikey set --config ~/.synthesis-acme.json
    """
    from synthesis import config

    key = config.check_key(key if key is not None else _ask(session))
    session.out.keep_secret(key)
    path = config.save(session.config.path, api_key=key)
    session.out.result({"config": str(path), "api_key": "set"}, f"API key set in {path}.")
    session.warn_if_overridden("api_key")


def _ask(session: Session) -> str:
    if session.out.can_ask:
        return session.out.ask_secret("API key: ")
    key = "" if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise UsageError(
            "no API key given, and nobody to ask",
            hint="pass it on stdin, or as the argument: synthesis apikey set KEY",
        )
    return key
