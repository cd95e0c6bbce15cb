"""`synthesis org`: whose jobs and quota a command works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from synthesis.cli.command import Argument, command, group
from synthesis.cli.session import Session
from synthesis.errors import AccessError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = group("Choose the org to work in.")


@command(app, "use")
def use(
    session: Session,
    org: Annotated[
        str | None,
        Argument(metavar="ORG", show_default=False, help="Name of the org; asked for when left out."),
    ] = None,
) -> None:
    """Use an org from now on, once your membership in it is confirmed.

    Without ORG your orgs are listed to choose from.

    \b
    Examples:
      synthesis org use acme
      synthesis org use --config ~/.synthesis-acme.json
    """
    chosen = confirm_membership(session, org) if org else _choose(session)
    if chosen is None:
        session.out.result({"org": session.config.org, "changed": False}, "org not changed.")
        return
    save_org(session, chosen)


def confirm_membership(session: Session, org: str) -> str:
    """Return the org's name if the key in force is a member of it; raise otherwise."""
    try:
        return session.client.orgs.get(org).name
    except (AccessError, NotFoundError) as error:
        if error.kind not in ("not-a-member", "not-found"):
            raise
        names = [mine.name for mine in session.client.orgs.list()]
        raise AccessError(
            f"you are not a member of {org}",
            kind="not-a-member",
            hint=_nearest(org, names) or _yours(names),
            fields={"org": org, "orgs": names},
        ) from error


def save_org(session: Session, org: str) -> None:
    """Keep `org` in the configuration file and say so."""
    from synthesis import config

    path = config.save(session.config.path, org=org)
    session.out.result({"org": org, "config": str(path), "changed": True}, f"org set to {org}.", bare=org)
    session.warn_if_overridden("org")


def _choose(session: Session) -> str | None:
    names = [org.name for org in session.client.orgs.list()]
    if not names:
        raise AccessError(
            "this API key is a member of no org",
            kind="not-a-member",
            hint="ask an owner of the org to add you, then run: synthesis org use ORG",
        )
    if not session.out.can_ask:
        example = names[0] if len(names) == 1 else "ORG"
        raise UsageError(
            "no org given, and nobody to ask",
            kind="no-org",
            hint=f"pass its name: synthesis org use {example}; {_yours(names)}",
            fields={"orgs": names},
        )
    if len(names) == 1:
        answer = session.out.ask(f"You are a member of {names[0]}. Use it? (Y/n) ")
        return names[0] if answer.lower() in ("", "y", "yes") else None
    session.out.say("Choose an organization by typing its name, or Control-C to cancel.")
    session.out.say("\n".join(names))
    while (answer := session.out.ask("Organization: ")) not in names:
        session.out.say(_nearest(answer, names) or "That is none of the names above.")
    return answer


def _nearest(name: str, names: Sequence[str]) -> str | None:
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else None


def _yours(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10]) + (" ..." if len(names) > 10 else "")
    return f"your orgs: {shown}" if names else "you are a member of no org yet: ask an owner to add you"
