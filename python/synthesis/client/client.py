"""`Client`: settings, one transport, and the resources that use it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from synthesis import config as settings
from synthesis.errors import AccessError, NotFoundError, UnavailableError, UsageError
from synthesis.transport import Transport

if TYPE_CHECKING:
    from os import PathLike

    from synthesis.client.identities import Identities
    from synthesis.client.jobs import Jobs
    from synthesis.client.orgs import Orgs
    from synthesis.schema.account import Me
    from synthesis.schema.health import Health
    from synthesis.schema.wire import Wire
    from synthesis.transport import Answer

API = "/api/v1"
Schema = TypeVar("Schema", bound="Wire")


class Client:
    """One platform, one key, one org.

    What is not given comes from the environment (`SYNTHESIS_SERVER`, `SYNTHESIS_API_KEY`,
    `SYNTHESIS_ORG`), then from the configuration file, as on the command line.

    Args:
        server: root URL of the platform, such as `http://127.0.0.1:8470`.
        api_key: the key.
        org: the org whose jobs are meant.
        config: another configuration file than the usual one.

    Raises:
        UsageError: kind `invalid-config`.
    """

    def __init__(
        self,
        *,
        server: str | None = None,
        api_key: str | None = None,
        org: str | None = None,
        config: str | PathLike[str] | None = None,
    ) -> None:
        file = Path(config).expanduser() if config is not None else None
        self.config = settings.load(file, server=server, api_key=api_key, org=org)
        self.transport = Transport(self.config.server, self.config.api_key, self.config.org)

    def __repr__(self) -> str:
        return f"Client(server={self.config.server!r}, org={self.config.org!r})"

    @cached_property
    def jobs(self) -> Jobs:
        """Create, follow and download jobs."""
        from synthesis.client.jobs import Jobs

        return Jobs(self)

    @cached_property
    def identities(self) -> Identities:
        """Ask for identity ids."""
        from synthesis.client.identities import Identities

        return Identities(self)

    @cached_property
    def orgs(self) -> Orgs:
        """The orgs you belong to."""
        from synthesis.client.orgs import Orgs

        return Orgs(self)

    def health(self) -> Health:
        """Ask whether the server is up; needs no key."""
        from synthesis.schema.health import Health

        return self.read(Health, self.transport.request("GET", f"{API}/health", key=False, timeout=15))

    def me(self) -> Me:
        """Return the account of the key, and its orgs."""
        from synthesis.schema.account import Me

        return self.read(Me, self.call("GET", "/me", org=False))

    def call(self, method: str, path: str, *, org: bool = True, **options: Any) -> Answer:
        """Send one request below `/api/v1`, once it is clear that key and org are there."""
        self.check_access(org=org)
        return self.transport.request(method, f"{API}{path}", **options)

    def check_access(self, *, org: bool = True) -> None:
        """Raise `AccessError` without a key that can be one, `UsageError` without an org if it is needed."""
        if self.config.api_key is None:
            raise AccessError(
                "no API key is set", kind="no-key", hint="run: synthesis apikey set, or set SYNTHESIS_API_KEY"
            )
        try:
            settings.check_key(self.config.api_key)
        except UsageError as error:
            where = self.config.sources["api_key"]
            raise AccessError(
                f"{error.message} ({where})", hint="set it again: synthesis apikey set"
            ) from None
        if org and self.config.org is None:
            raise UsageError(
                "no org is in use", kind="no-org", hint="run: synthesis org use, or set SYNTHESIS_ORG"
            )

    def read(self, schema: type[Schema], answer: Answer) -> Schema:
        """Return the answer as its schema; kind `bad-answer` if it is something else."""
        from pydantic import ValidationError

        try:
            return schema.model_validate_json(answer.body)
        except ValidationError as error:
            raise UnavailableError(
                f"{self.config.server} answered with something that is no {schema.__name__}",
                kind="bad-answer",
                hint="check that the server is a synthesis platform of this version",
                fields={"server": self.config.server},
            ) from error


def segment(name: str, *, what: str) -> str:
    """Return the name of a `job` or an `org` as one segment of a path; `NotFoundError` if it can be none."""
    # Percent-encoded dots are dots to every URL library, and some servers decode slashes early.
    if not name.strip(".") or "/" in name:
        raise NotFoundError(f"there is no {what} {name!r}", hint=f"check the name of the {what}")
    return quote(name, safe="")
