"""Administration of a data folder, with or without its server running: accounts, orgs, keys, imports."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from synthesis.errors import NotFoundError, UsageError
from synthesis.schema.org import OrgName, Role
from synthesis.server.folder import prepare
from synthesis.server.importing import Imported, bring_in
from synthesis.server.settings import Settings
from synthesis.server.store import accounts, apikeys, jobs, orgs
from synthesis.server.store.engine import open_engine, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

_ORG_NAME: TypeAdapter[str] = TypeAdapter(OrgName)
_ROLE: TypeAdapter[Role] = TypeAdapter(Role)


def create_account(data: Path, email: str) -> None:
    """Add an account; kind `conflict` when the address has one."""
    with _open(data) as (_, engine), write(engine) as db:
        accounts.create(db, email)


def create_org(data: Path, name: str, email: str) -> None:
    """Add an org owned by the account; kind `conflict` when the name is taken."""
    with contextlib.suppress(ValidationError):
        _ORG_NAME.validate_python(name)
        with _open(data) as (_, engine), write(engine) as db:
            orgs.create(db, name, accounts.by_email(db, email))
        return
    raise UsageError(
        f"{name[:100]!r} cannot name an org",
        hint="use 1 to 63 lower-case letters, digits, - and _; a letter or digit first",
    )


def add_member(data: Path, name: str, email: str, role: str = "member") -> None:
    """Make an account a member (`role` "member" or "owner") of the org; kind `conflict` when it is one."""
    try:
        wanted = _ROLE.validate_python(role)
    except ValidationError:
        raise UsageError(f"{role[:100]!r} is not a role", hint="roles are: member, owner") from None
    with _open(data) as (_, engine), write(engine) as db:
        orgs.add_member(db, _org(orgs.key_of(db, name), name), accounts.by_email(db, email), wanted)


def create_key(data: Path, email: str) -> str:
    """Make an API key of the account; it is returned once and stored hashed."""
    with _open(data) as (_, engine), write(engine) as db:
        _, key = apikeys.create(db, accounts.by_email(db, email))
    return key


def import_folder(
    data: Path,
    folder: Path,
    name: str | None,
    org: str,
    *,
    copy: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Make a finished job of the renders in a folder, such as an old download.

    Files are linked where the file system can and copied elsewhere; a linked file must not be
    changed in place afterwards. Old names (`0.rgb.png`) are served under current ones
    (`0.cam_default.f_1.rgb.png`).

    Args:
        data: the data folder.
        folder: the renders; its subfolders are not looked at.
        name: the job's name; None: the folder's.
        org: the org that will own the job.
        copy: copy always.
        progress: called with (files done, files in all).

    Raises:
        NotFoundError: no such folder or org.
        UsageError: no file in the folder has a name of a render, or two mean the same file; the name
            cannot be a job's.
        DiskError: kind `locked` when another import into the data folder runs.
    """
    if not folder.is_dir():
        raise NotFoundError(f"no folder {folder}", hint="check the path", fields={"path": str(folder)})
    with _open(data) as (settings, engine):
        with write(engine) as db:
            key = _org(orgs.key_of(db, org), org)
        title = name or _title(folder)
        if not jobs.is_name(title):
            raise UsageError(
                "the job's name is empty, too long or not printable",
                hint=f"use 1 to {jobs.NAME_LENGTH} printable characters",
            )
        return bring_in(engine, settings, folder, name=title, org=key, copy=copy, progress=progress)


def _title(folder: Path) -> str:
    """The folder's name, without what a job's name cannot hold."""
    name = "".join(letter if letter.isprintable() else " " for letter in folder.resolve().name)
    return " ".join(name.split())[: jobs.NAME_LENGTH] or "import"


def _org(key: int | None, name: str) -> int:
    if key is None:
        raise NotFoundError(f"no org {name[:100]}", hint="create it first")
    return key


@contextlib.contextmanager
def _open(data: Path) -> Iterator[tuple[Settings, Engine]]:
    settings = Settings(data=data.resolve())
    prepare(settings)
    engine = open_engine(settings.database)
    try:
        yield settings, engine
    finally:
        engine.dispose()
