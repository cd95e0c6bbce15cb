"""API keys: shown once, stored hashed."""

from __future__ import annotations

from pydantic import AwareDatetime

from synthesis.schema.wire import Wire


class ApiKey(Wire):
    """A key as lists show it: `prefix` is its first characters, enough to recognise it."""

    id: str
    prefix: str
    created_at: AwareDatetime


class NewApiKey(ApiKey):
    """The answer of `POST /apikeys`: the only time that the whole `key` is seen."""

    key: str
