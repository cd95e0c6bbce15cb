"""What every wire type shares."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


class Wire(BaseModel):
    """Base of the wire types: frozen; fields that a newer server adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Page(Wire, Generic[Item]):
    """One page of a list; `next` is the `cursor` of the following page, None on the last one."""

    items: list[Item]
    next: str | None = None
