"""Where the platform keeps things, and its few limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

API = "/api/v1"
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One platform.

    Attributes:
        data: the data folder: database, files, secret, logs.
        url_lifetime: seconds that a manifest's file URLs stay valid.
        spec_limit: largest spec in bytes; more is answered with 413.
        body_limit: largest other body in bytes.
        lease: seconds after which a render whose worker fell silent is claimed again.
        attempts: tries of one render that may raise before it counts as failed.
    """

    data: Path
    url_lifetime: int = 3600
    spec_limit: int = 64 * MIB
    body_limit: int = MIB
    lease: float = 60.0
    attempts: int = 3

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data / "platform.db"

    @property
    def files(self) -> Path:
        """Finished files, `files/<job>/<name>`: only what the index lists is served."""
        return self.data / "files"

    @property
    def work(self) -> Path:
        """Renders in the making; emptied when the server starts."""
        return self.data / "work"

    @property
    def logs(self) -> Path:
        """`server.log` and one `worker-N.log` per worker."""
        return self.data / "logs"
