"""`synthesis platform`: accounts, orgs, members, keys and imports of a data folder on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.extras import need_platform
from synthesis.cli.output import plural, size
from synthesis.cli.serve import DataOption, data_folder
from synthesis.cli.session import Session
from synthesis.errors import UsageError

app = group("Administer a platform's data folder on this machine.")
accounts = group("Accounts: an e-mail address that owns keys.")
orgs = group("Orgs: owners of jobs.")
members = group("Members: which accounts belong to an org.")
keys = group("API keys.")
app.add("account", accounts)
app.add("org", orgs)
app.add("member", members)
app.add("key", keys)

EmailArgument = Annotated[str, Argument(metavar="EMAIL", help="Address of the account.")]
OrgArgument = Annotated[str, Argument(metavar="ORG", help="Name of the org.")]


@command(accounts, "create")
def create_account(session: Session, email: EmailArgument, data: DataOption = None) -> None:
    """Make an account.

    \b
    Example:
      synthesis platform account create me@example.com
    """
    need_platform()
    from synthesis.server import admin

    admin.create_account(data_folder(data), email)
    session.out.result({"email": email}, f"account {email} created", bare=email)


@command(orgs, "create")
def create_org(
    session: Session,
    org: OrgArgument,
    owner: Annotated[str, Option("--owner", metavar="EMAIL", help="Account that owns it.")],
    data: DataOption = None,
) -> None:
    """Make an org with its first owner.

    \b
    Example:
      synthesis platform org create acme --owner me@example.com
    """
    need_platform()
    from synthesis.server import admin

    admin.create_org(data_folder(data), org, owner)
    session.out.result({"org": org, "owner": owner}, f"org {org} created, owned by {owner}", bare=org)


@command(members, "add")
def add_member(
    session: Session,
    org: OrgArgument,
    email: EmailArgument,
    role: Annotated[str, Option("--role", metavar="ROLE", help="member or owner.")] = "member",
    data: DataOption = None,
) -> None:
    """Make an account a member of an org.

    \b
    Example:
      synthesis platform member add acme you@example.com --role owner
    """
    need_platform()
    from synthesis.server import admin

    admin.add_member(data_folder(data), org, email, role)
    document = {"org": org, "email": email, "role": role}
    session.out.result(document, f"{email} is now {role} of {org}", bare=email)


@command(keys, "create")
def create_key(session: Session, email: EmailArgument, data: DataOption = None) -> None:
    """Make an API key of an account and print it.

    It is never shown again: the platform keeps a hash of it.

    \b
    Examples:
      synthesis platform key create me@example.com
      synthesis platform key create me@example.com --quiet | synthesis apikey set
    """
    need_platform()
    from synthesis.server import admin

    key = admin.create_key(data_folder(data), email)
    session.out.result({"email": email, "key": key}, key, bare=key)
    session.out.note("keep it safe: it is not shown again")


@command(app, "import")
def import_folder(
    session: Session,
    folder: Annotated[Path, Argument(metavar="FOLDER", help="Renders, such as an old download.")],
    name: Annotated[
        str | None,
        Option("--name", metavar="NAME", show_default=False, help="Name of the job.  [default: FOLDER's]"),
    ] = None,
    copy: Annotated[bool, Option("--copy", help="Copy the files, never link them.")] = False,
    data: DataOption = None,
) -> None:
    """Make a finished job of a folder of renders.

    It can then be listed and downloaded like any other. Files are linked where the disk can; do
    not change them in place afterwards. Old names (0.rgb.png) are served under current ones
    (0.cam_default.f_1.rgb.png). The org is that of --org, the environment or the configuration.

    \b
    Example:
      synthesis platform import ~/old-download --name "spring 2022" --org acme
    """
    need_platform()
    from synthesis.cli.progress import Ticker
    from synthesis.server import admin

    org = session.config.org
    if org is None:
        raise UsageError("no org is named", kind="no-org", hint="say whose job it will be: --org ORG")
    ticker = Ticker(session.out)

    def progress(done: int, total: int) -> None:
        if ticker.due():
            ticker.show(f"{done:,}/{total:,} files", {"files_done": done, "files_total": total})

    try:
        imported = admin.import_folder(
            data_folder(data), folder.expanduser(), name, org, copy=copy, progress=progress
        )
    finally:
        ticker.done()
    job = imported.job
    text = f"{plural(imported.files, 'file')}, {size(imported.bytes)} imported as job {job.id}"
    if imported.skipped:
        names = ", ".join(imported.skipped[:5]) + (" ..." if len(imported.skipped) > 5 else "")
        session.out.warn(f"{plural(len(imported.skipped), 'name')} that no render has left out: {names}")
    document = {
        "job": job.model_dump(mode="json"),
        "files": imported.files,
        "bytes": imported.bytes,
        "skipped": list(imported.skipped),
    }
    session.out.summary(document, text, bare=job.id)
