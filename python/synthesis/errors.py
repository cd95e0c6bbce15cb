"""The exception tree, arranged by what a handler would do, with one stable kind per failure.

    SynthesisError            exit code
    ├── FailedError           1    the work itself failed, or part of it
    ├── UsageError            2    the request is wrong: change it
    ├── AccessError           3    key or membership
    ├── NotFoundError         4    job, asset, org or file is not there
    ├── UnavailableError      5    worth another run: network, server
    ├── DiskError             6    the disk is full, read-only, locked ...
    ├── VerifyError           7    bytes on disk are not what they should be
    └── CancelledError        130  a cancel token, or Control-C, ended the work
        └── TerminatedError   143  SIGTERM did

Kinds are kebab-case and append-only: scripts compare them. The extension raises these
classes too, through `from_kind`; `_core.error_kinds()` lists what it can raise.
"""

from __future__ import annotations

from typing import Any


class SynthesisError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        message: one line: what failed, on what, and why. Never holds a secret.
        hint: one line: what to do next, or None.
        kind: stable kebab-case code, a key of `KINDS`.
        fields: plain values about the failure (path, status, job, request_id ...).
    """

    exit_code = 1
    default_kind = "failed"

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        hint: str | None = None,
        fields: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind or self.default_kind
        self.hint = hint
        self.fields = dict(fields or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.kind, self.hint, self.fields))


def _rebuild(
    cls: type[SynthesisError], message: str, kind: str, hint: str | None, fields: dict[str, Any]
) -> SynthesisError:
    return cls(message, kind=kind, hint=hint, fields=fields)


class FailedError(SynthesisError):
    """The work, or a part of it, failed for a reason of its own."""

    exit_code = 1
    default_kind = "failed"


class UsageError(SynthesisError):
    """The request is wrong; the same request will fail again."""

    exit_code = 2
    default_kind = "usage"


class AccessError(SynthesisError):
    """The key is missing or wrong, or it has no part in the org."""

    exit_code = 3
    default_kind = "unauthorized"


class NotFoundError(SynthesisError):
    """The thing named is not there."""

    exit_code = 4
    default_kind = "not-found"


class UnavailableError(SynthesisError):
    """Network or server trouble: another run may well succeed."""

    exit_code = 5
    default_kind = "network"


class DiskError(SynthesisError):
    """The disk refused: full, read-only, in use by another process."""

    exit_code = 6
    default_kind = "disk"


class VerifyError(SynthesisError):
    """Bytes differ from what the manifest says they are."""

    exit_code = 7
    default_kind = "mismatch"


class CancelledError(SynthesisError):
    """A cancel token ended the work; what was done is kept."""

    exit_code = 130
    default_kind = "cancelled"


class TerminatedError(CancelledError):
    """SIGTERM ended the work; what was done is kept."""

    exit_code = 143
    default_kind = "terminated"


KINDS: dict[str, type[SynthesisError]] = {
    "failed": FailedError,
    "conflict": FailedError,  # the state of the job forbids it
    "partial": FailedError,  # some files failed, the others are there
    "differs": FailedError,  # a file here is not the size of the server's
    "missing": FailedError,  # a file of the list is not in the folder
    "invalid-name": FailedError,  # a file name from the server that no folder should hold
    "invalid-exr": FailedError,
    "unsupported-exr": FailedError,
    "missing-channel": FailedError,  # the EXR lacks what the asset is made of
    "lost-ids": FailedError,  # a lossy compression destroyed the cryptomatte ids
    "forked": FailedError,  # a forked child used the parent's runtime
    "internal": FailedError,
    "usage": UsageError,
    "invalid-json": UsageError,
    "invalid-spec": UsageError,
    "invalid-range": UsageError,
    "invalid-list": UsageError,  # not a list of files, or a line of it makes no sense
    "invalid-config": UsageError,
    "unknown-asset": UsageError,
    "file-exists": UsageError,
    "too-large": UsageError,
    "no-org": UsageError,
    "no-key": AccessError,
    "unauthorized": AccessError,
    "not-a-member": AccessError,
    "url-expired": AccessError,
    "not-found": NotFoundError,
    "network": UnavailableError,
    "timeout": UnavailableError,
    "throttled": UnavailableError,
    "server-error": UnavailableError,
    "bad-answer": UnavailableError,  # not our server, or a proxy's page
    "tls": UnavailableError,
    "disk": DiskError,
    "disk-full": DiskError,
    "permission": DiskError,
    "locked": DiskError,
    "mismatch": VerifyError,
    "cancelled": CancelledError,
    "terminated": TerminatedError,
}


def from_kind(
    kind: str, message: str, hint: str | None = None, fields: dict[str, Any] | None = None
) -> SynthesisError:
    """Build the exception of a kind; an unknown kind gives a plain `SynthesisError`."""
    return KINDS.get(kind, SynthesisError)(message, kind=kind, hint=hint, fields=fields)
