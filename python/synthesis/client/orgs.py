"""`client.orgs`: the orgs a key belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.client.client import segment
from synthesis.schema.org import Org
from synthesis.schema.wire import Page

if TYPE_CHECKING:
    from synthesis.client.client import Client


class Orgs:
    """Calls about orgs; they need a key and no org."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> list[Org]:
        """Return every org the key's account is a member of."""
        orgs: list[Org] = []
        cursor: str | None = None
        while True:
            query = {"cursor": cursor} if cursor else None
            page = self._client.read(Page[Org], self._client.call("GET", "/orgs", org=False, query=query))
            orgs += page.items
            if page.next is None:
                return orgs
            cursor = page.next

    def get(self, name: str) -> Org:
        """Return one org; `AccessError` of kind `not-a-member`, or `NotFoundError`, if it is not yours."""
        return self._client.read(
            Org, self._client.call("GET", f"/orgs/{segment(name, what='org')}", org=False)
        )
