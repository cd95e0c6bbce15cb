"""Is the platform up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from synthesis import __version__
from synthesis.schema.health import Health
from synthesis.server.endpoint import json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from synthesis.server.endpoint import Call


def get_health(_call: Call) -> Response:
    """Status, version and time."""
    return json_answer(Health(status="ok", version=__version__, time=datetime.now(UTC)))
