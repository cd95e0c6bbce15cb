"""The data folder: creation, the lock of its one server, the signing secret, `server.json`."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from typing import TYPE_CHECKING

import orjson

from synthesis.errors import DiskError, UsageError
from synthesis.files import disk_error, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synthesis.server.settings import Settings

SECRET_BYTES = 32


def prepare(settings: Settings) -> None:
    """Create the folders that are missing; a new data folder is readable by its owner only."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (settings.files, settings.work, settings.logs):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(error, settings.data) from error


@contextlib.contextmanager
def lock(settings: Settings) -> Iterator[None]:
    """Hold the data folder for one server; the system frees it when the process ends, however it ends."""
    with hold(settings.data / "lock") as held:
        if not held:
            raise DiskError(
                f"the data folder {settings.data} is in use by another server",
                kind="locked",
                hint=_who(settings),
                fields={"path": str(settings.data)},
            )
        yield


@contextlib.contextmanager
def lock_imports(settings: Settings) -> Iterator[bool]:
    """Hold the data folder for one import beside the server; False when another one runs."""
    with hold(settings.data / "import.lock") as held:
        yield held


@contextlib.contextmanager
def hold(path: Path) -> Iterator[bool]:
    """Hold a lock for as long as the block runs; False when another process does."""
    try:
        opened = path.open("a+b")
    except OSError as error:
        raise disk_error(error, path) from error
    with opened as file:
        yield _try_lock(file.fileno())


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _who(settings: Settings) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError):
        running = orjson.loads((settings.data / "server.json").read_bytes())
        url, process = running["url"], running["pid"]
        return f"use the server at {url} (process {process}), or name another folder with --data"
    return "stop the other server, or name another folder with --data"


def secret(settings: Settings) -> bytes:
    """The signing secret: 32 random bytes in a file of mode 0600, made on first use.

    A shorter one is refused: whoever guesses it could sign URLs. Rights of others are taken away.
    """
    path = settings.data / "secret"
    if not path.exists():
        try:
            write_file(path, secrets.token_bytes(SECRET_BYTES), overwrite=False, mode=0o600)
        except UsageError as error:  # another process was first
            if error.kind != "file-exists":
                raise
    try:
        if path.stat().st_mode & 0o077 and os.name == "posix":
            path.chmod(0o600)
        found = path.read_bytes()
    except OSError as error:
        raise disk_error(error, path) from error
    if len(found) < SECRET_BYTES:
        raise UsageError(
            f"{path} is no signing secret: it has {len(found)} bytes instead of {SECRET_BYTES}",
            kind="invalid-config",
            hint="restore it, or remove it: a new one is made, and URLs signed with the old one end",
        )
    return found


@contextlib.contextmanager
def announce(settings: Settings, url: str) -> Iterator[None]:
    """Keep `server.json` {url, pid} in the data folder while the server listens."""
    path = settings.data / "server.json"
    write_file(path, orjson.dumps({"url": url, "pid": os.getpid()}) + b"\n", mode=0o600)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make what a file or folder holds outlive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_job_folder(settings: Settings, job_id: str) -> Path:
    """The folder of a job's files; made, for good, when it is not there."""
    path = settings.files / job_id
    if not path.is_dir():
        path.mkdir(exist_ok=True)
        sync(settings.files)
    return path


def empty(path: Path, pattern: str = "*") -> None:
    """Remove everything in a folder, or what matches a pattern; not the folder."""
    for entry in path.glob(pattern):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
