"""`synthesis status`: does all that a command needs work?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from synthesis.cli.command import Leave, command, single
from synthesis.cli.session import Session
from synthesis.errors import FailedError, SynthesisError

app = single()


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the answer: what was looked at, how it went, and what to do if it went wrong."""

    name: str
    ok: bool
    message: str
    hint: str | None = None


@command(app, "status")
def status(session: Session) -> None:
    """Check server, API key and membership, step by step.

    Leaves with 1 when a step fails, and says which one and why.

    \b
    Example:
      synthesis status
    """
    settings = session.config
    org, *others = checks = _checks(session)
    # The org is shown first, as ever, but is the last to be mended: `org use` needs the server and a key.
    failed = next((check for check in (*others, org) if not check.ok), None)
    lines = [f"Configuration file: {settings.path}", org.message]
    lines += [f"Checking connectivity with Synthesis AI at: {settings.server}"]
    lines += [check.message for check in others]
    document = {
        "ok": failed is None,
        "config": str(settings.path),
        "server": settings.server,
        "org": settings.org,
        "checks": [asdict(check) for check in checks],
    }
    session.out.result(document, "\n".join(lines), bare="ok" if failed is None else failed.name)
    if failed is None:
        return
    if session.out.as_json:
        raise Leave(1)
    raise FailedError(
        f"status check failed: {failed.message}",
        hint=failed.hint or "check the server's address and what runs there",
    )


def _checks(session: Session) -> list[Check]:
    """Every step in the original's order; a step that hangs on a failed one says which."""
    settings, client = session.config, session.client
    set_org = "run: synthesis org use"
    org = (
        Check(name="org", ok=True, message=f"Org set to {settings.org}")
        if settings.org
        else Check(name="org", ok=False, message="Org not set", hint=set_org)
    )
    server = _try("server", client.health, "Server reachable", "Server not reachable")
    key = (
        Check(name="api key", ok=True, message="APIKey found")
        if settings.api_key
        else Check(name="api key", ok=False, message="APIKey not found", hint="run: synthesis apikey set")
    )
    if server.ok and key.ok:
        authenticated = _try(
            "authentication", client.me, "Authenticated successfully with the API key", "Not authenticated"
        )
    else:
        why = "the server is not reachable" if not server.ok else "there is no API key"
        authenticated = Check(name="authentication", ok=False, message=f"Not authenticated: {why}")
    if authenticated.ok and settings.org:
        name = settings.org
        member = _try(
            "membership",
            lambda: client.orgs.get(name),
            f"Confirmed membership in {name}",
            f"Membership in {name} not confirmed",
        )
    else:
        why = "no org is set" if authenticated.ok else "not authenticated"
        member = Check(name="membership", ok=False, message=f"Membership not confirmed: {why}", hint=set_org)
    return [org, server, key, authenticated, member]


def _try(name: str, call: Callable[[], object], good: str, bad: str) -> Check:
    try:
        call()
    except SynthesisError as error:
        return Check(name=name, ok=False, message=f"{bad}: {error.message}", hint=error.hint)
    return Check(name=name, ok=True, message=good)
