"""`POST /humans/identities`: which people to use in a spec."""

from __future__ import annotations

from pydantic import Field

from synthesis.schema.wire import Wire


class IdentityCriteria(Wire):
    """One percent group; each list may be `["all"]`, which is also the default."""

    sex: tuple[str, ...] = ("all",)
    ethnicity: tuple[str, ...] = ("all",)
    age: tuple[str, ...] = ("all",)
    percent: float = 100


class IdentityRequest(Wire):
    """How many ids, and of whom; `prefer_full_count` fills a short group with similar people."""

    count: int = Field(ge=1)
    prefer_full_count: bool = True
    criteria: tuple[IdentityCriteria, ...] = (IdentityCriteria(),)


class IdentityData(Wire):
    """The ids, and what was added or is missing."""

    ids: list[int]
    warnings: list[str]


class IdentityResults(Wire):
    """`results.json`, as the original service wrote it."""

    status: str
    data: IdentityData
    message: str
