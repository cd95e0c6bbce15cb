"""Small files written whole or not at all, and what the system says when it refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from typing import TYPE_CHECKING

from synthesis.errors import DiskError, NotFoundError, SynthesisError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def write_file(path: Path, data: bytes, *, overwrite: bool = True, mode: int | None = None) -> Path:
    """Write `data` to `path` through a temporary name beside it; folders that miss are made.

    A symbolic link is followed, so that the file it points at is replaced and not the link.

    Args:
        path: the file.
        data: its whole contents.
        overwrite: False refuses a file that is there (`UsageError`, kind `file-exists`).
        mode: permission bits; None leaves them to the umask.

    Raises:
        DiskError: kinds `permission`, `disk-full`, `disk`.
    """
    temporary: Path | None = None
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _place(temporary, path, overwrite=overwrite)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return path


def _place(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    if path.exists():
        raise file_exists(path)
    try:
        # A hard link fails where the name is taken: no gap between looking and writing.
        os.link(temporary, path)
    except FileExistsError as error:
        raise file_exists(path) from error
    except OSError:
        temporary.replace(path)  # a file system without hard links


def file_exists(path: Path) -> UsageError:
    """Return the error that says `path` is there and stays as it is."""
    return UsageError(
        f"{path} is already there and was left as it is",
        kind="file-exists",
        hint="choose another name with -o, or replace the file with --force",
        fields={"path": str(path)},
    )


def read_file(path: Path, *, limit: int = 256 * 1024 * 1024) -> bytes:
    """Return the bytes of an input file; a missing one is a `NotFoundError`, a huge one a `UsageError`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise disk_error(error, path) from error
    if len(data) > limit:
        raise UsageError(
            f"{path} is larger than {limit // (1024 * 1024)} MiB, too large for an input file",
            kind="too-large",
            fields={"path": str(path)},
        )
    return data


def disk_error(error: OSError, path: Path) -> SynthesisError:
    """Return our error for what the system said about `path`."""
    reason = (error.strerror or str(error)).lower()
    message, fields = f"{path}: {reason}", {"path": str(path)}
    if error.errno == errno.ENOENT:
        return NotFoundError(f"{path}: there is no such file or folder", hint="check the path", fields=fields)
    if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        return UsageError(message, hint="check which part of the path is a file", fields=fields)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DiskError(
            message, kind="permission", hint="choose a place you may read and write", fields=fields
        )
    if error.errno in _FULL:
        return DiskError(message, kind="disk-full", hint="free some space and run it again", fields=fields)
    return DiskError(message, hint="look at the disk, then run it again", fields=fields)
