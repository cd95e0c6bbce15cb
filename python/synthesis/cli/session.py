"""What every command gets: the printer, the settings in force and the client, each made on demand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from synthesis.cli.output import Output

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.client import Client
    from synthesis.config import Config


class Session:
    """One run of one command."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.out = Output(as_json=as_json, quiet=quiet)
        self.debug = debug
        self._file: Path | None = None
        self._server: str | None = None
        self._org: str | None = None
        self._key: str | None = None

    def take(
        self,
        *,
        config: Path | None,
        server: str | None,
        org: str | None,
        as_json: bool,
        quiet: bool,
        debug: bool,
    ) -> None:
        """Take in global options; what stands nearer to the end of the line wins."""
        self._file = config.expanduser() if config is not None else self._file
        self._server = server or self._server
        self._org = org or self._org
        self.out.as_json |= as_json
        self.out.quiet |= quiet
        self.debug |= debug

    def use_key(self, key: str) -> None:
        """Use `key` for the rest of this run, whatever the settings say."""
        self._key = key
        self.out.keep_secret(key)

    @cached_property
    def config(self) -> Config:
        """The settings in force."""
        from synthesis import config

        settings = config.load(self._file, server=self._server, api_key=self._key, org=self._org)
        self.out.keep_secret(settings.api_key)
        return settings

    @cached_property
    def client(self) -> Client:
        """The platform, with the settings in force."""
        from synthesis.client import Client

        settings = self.config
        return Client(
            server=settings.server, api_key=settings.api_key, org=settings.org, config=settings.path
        )

    @property
    def options(self) -> str:
        """The global options that a printed command needs in order to mean what this one meant."""
        import shlex

        given = (("--config", self._file), ("--server", self._server), ("--org", self._org))
        return "".join(f" {name} {shlex.quote(str(value))}" for name, value in given if value)

    def warn_if_overridden(self, setting: str) -> None:
        """Say so when the environment hides what was just written to the file."""
        import os

        from synthesis.config import VARIABLES

        variable = VARIABLES[setting]
        if os.environ.get(variable):
            self.out.warn(f"{variable} is set in the environment and is used instead of the file")
