"""`client.identities`: ids for a distribution of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthesis.schema.identities import IdentityResults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthesis.client.client import Client


class Identities:
    """Calls about identities."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def request(self, criteria: Mapping[str, Any] | bytes) -> IdentityResults:
        """Return ids for `{"count": N, "prefer_full_count": bool, "criteria": [...]}`, or that as JSON.

        Raises:
            UsageError: the request is wrong; `fields["errors"]` lists every fault.
        """
        import orjson

        body = criteria if isinstance(criteria, bytes) else orjson.dumps(dict(criteria))
        headers = {"Content-Type": "application/json"}
        answer = self._client.call("POST", "/humans/identities", body=body, headers=headers)
        return self._client.read(IdentityResults, answer)
