"""Who is calling."""

from __future__ import annotations

from synthesis.schema.apikey import ApiKey
from synthesis.schema.org import Org
from synthesis.schema.wire import Wire


class Me(Wire):
    """The answer of `GET /me`: the key's account, the key itself (not its secret), the account's orgs."""

    email: str
    key: ApiKey
    orgs: list[Org]
