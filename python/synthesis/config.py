"""Server, key and org: file < environment < argument.

The file is JSON, `{"server", "api_key", "org"}`, readable by its owner alone, written by rename.
Keys that this version does not know stay in it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from synthesis.errors import NotFoundError, UsageError
from synthesis.files import read_file, write_file

DEFAULT_SERVER = "http://127.0.0.1:8470"
VARIABLES = {"server": "SYNTHESIS_SERVER", "api_key": "SYNTHESIS_API_KEY", "org": "SYNTHESIS_ORG"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings in force.

    Attributes:
        path: the configuration file, whether it exists or not.
        server: root URL of the platform, without a final slash.
        api_key: the key, or None; never shown in `repr`.
        org: the org in use, or None.
        sources: setting -> `file`, an environment variable's name, `argument` or `default`.
    """

    path: Path
    server: str
    api_key: str | None = field(repr=False)
    org: str | None
    sources: dict[str, str]


def default_path() -> Path:
    """Return where the configuration file lies when nothing else is said.

    macOS `~/Library/Preferences/synthesis/config.json`, Linux `$XDG_CONFIG_HOME/synthesis/config.json`,
    Windows `%APPDATA%\\synthesis\\config.json`; `SYNTHESIS_CONFIG` names another file.
    """
    if named := os.environ.get("SYNTHESIS_CONFIG"):
        return Path(named).expanduser()
    if sys.platform == "darwin":  # platformdirs says Application Support; the original says Preferences
        return Path.home() / "Library" / "Preferences" / "synthesis" / "config.json"
    import platformdirs

    return platformdirs.user_config_path("synthesis", appauthor=False, roaming=True) / "config.json"


def default_data() -> Path:
    """Return the platform's data folder when nothing else is said, such as `~/.local/share/synthesis`."""
    import platformdirs

    return platformdirs.user_data_path("synthesis", appauthor=False)


def load(
    file: Path | None = None,
    *,
    server: str | None = None,
    api_key: str | None = None,
    org: str | None = None,
) -> Config:
    """Return the settings in force: the file's, over them the environment's, over them the arguments.

    A file that is not there counts as empty. Blanks around a value are dropped, as secrets that come
    from files end in a newline; empty strings count as not given.

    Raises:
        UsageError: kind `invalid-config`: the file is not what it should be, or the server is no URL.
    """
    path = file if file is not None else default_path()
    stored = _read(path)
    arguments = {"server": server, "api_key": api_key, "org": org}
    values: dict[str, str | None] = {}
    sources: dict[str, str] = {}
    for name, variable in VARIABLES.items():
        layers = (
            ("argument", arguments[name]),
            (variable, os.environ.get(variable)),
            ("file", stored.get(name)),
        )
        given = ((source, value.strip()) for source, value in layers if value)
        sources[name], values[name] = next(((s, v) for s, v in given if v), ("default", None))
    where = str(path) if sources["server"] == "file" else sources["server"]
    return Config(
        path=path,
        server=check_server(values["server"] or DEFAULT_SERVER, where=where),
        api_key=values["api_key"],
        org=values["org"],
        sources=sources,
    )


def save(file: Path, **changes: str | None) -> Path:
    """Change settings of the file and keep the others; None removes one. Returns the file's path."""
    stored = _read(file)
    for name, value in changes.items():
        if value is None:
            stored.pop(name, None)
        else:
            stored[name] = value
    text = json.dumps(stored, indent=2, ensure_ascii=False) + "\n"
    return write_file(file, text.encode(), mode=0o600)


def check_server(url: str, *, where: str = "argument") -> str:
    """Return the platform's root URL without a final slash; raise `invalid-config` if it is none."""
    try:
        parts = urlsplit(url)
        plain = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        )
        safe = parts.username is None and parts.password is None
        _ = parts.port  # raises when it is no number
    except ValueError:
        plain = safe = False
    if not (plain and safe):
        shown = "the server" if "@" in url else f"the server {url!r}"
        raise UsageError(
            f"{shown} ({where}) is not a plain http:// or https:// address",
            kind="invalid-config",
            hint=f"write it like {DEFAULT_SERVER}",
        )
    return url.rstrip("/")


def check_key(key: str) -> str:
    """Return the key without surrounding blanks; raise `UsageError` if it cannot be one."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        problem = "is empty" if not key else "holds blanks or characters that no key has"
        raise UsageError(f"the API key {problem}", hint="copy the key again, all of it and nothing else")
    return key


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_file(path, limit=1024 * 1024)
    except NotFoundError:
        return {}
    try:
        stored = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"is not JSON ({error})") from error
    if not isinstance(stored, dict):
        raise _broken(path, "is not a JSON object")
    for name in VARIABLES:
        if not isinstance(stored.get(name), str | None):
            raise _broken(path, f"gives {name} as something else than a string")
    return stored


def _broken(path: Path, problem: str) -> UsageError:
    return UsageError(
        f"the configuration file {path} {problem}",
        kind="invalid-config",
        hint="mend or remove the file, then run: synthesis apikey set",
        fields={"path": str(path)},
    )
