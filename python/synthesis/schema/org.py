"""Orgs: owners of jobs; and their members."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from synthesis.schema.wire import Wire

OrgName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""1 to 63 lower-case letters, digits, `-` and `_`; a letter or digit first."""

Role = Literal["owner", "member"]


class Org(Wire):
    """An org the caller belongs to, and the caller's role in it."""

    name: str
    role: Role
    created_at: AwareDatetime


class OrgCreate(Wire):
    """The body of `POST /orgs`; the caller becomes its owner."""

    name: OrgName


class Member(Wire):
    """One account of an org."""

    email: str
    role: Role


class MemberAdd(Wire):
    """The body of `POST /orgs/{name}/members`: an existing account's address and its role."""

    email: str
    role: Role = "member"
