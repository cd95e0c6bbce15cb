"""The answer of `GET /health`."""

from __future__ import annotations

from pydantic import AwareDatetime

from synthesis.schema.wire import Wire


class Health(Wire):
    """The platform is up: `status` is "ok", `version` that of the server, `time` its clock in UTC."""

    status: str
    version: str
    time: AwareDatetime
