"""`synthesis user`: key and org in one step."""

from __future__ import annotations

from typing import Annotated

from synthesis.cli.command import Argument, command, group
from synthesis.cli.org import confirm_membership
from synthesis.cli.session import Session

app = group("Set up key and org at once.")


@command(app, "init")
def init(
    session: Session,
    key: Annotated[str, Argument(metavar="KEY", help="The API key.")],
    org: Annotated[str, Argument(metavar="ORG", help="Name of the org.")],
) -> None:
    """Set the API key and the org, after the server has confirmed both.

    If either is wrong nothing is changed. A server named with --server is kept along with them.

    \b
    Examples:
      synthesis user init aB0cdEFgh1IjKlMnopq2 orgname
      synthesis user init aB0cdEFgh1IjKlMnopq2 orgname --server https://synthesis.example.com
    """
    from synthesis import config

    key = config.check_key(key)
    session.use_key(key)
    session.client.me()
    name = confirm_membership(session, org)
    settings = session.config
    server = {"server": settings.server} if settings.sources["server"] == "argument" else {}
    path = config.save(settings.path, api_key=key, org=name, **server)
    session.out.result(
        {"config": str(path), "api_key": "set", "org": name},
        f"API key set in {path}.\norg set to {name}.",
        bare=name,
    )
    session.warn_if_overridden("api_key")
    session.warn_if_overridden("org")
