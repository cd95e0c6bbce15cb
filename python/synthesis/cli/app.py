"""One command line: read, run, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys

from synthesis.cli import plain
from synthesis.cli.command import Leave, call
from synthesis.cli.output import reader_gone
from synthesis.cli.session import Session
from synthesis.errors import (
    AccessError,
    CancelledError,
    DiskError,
    FailedError,
    NotFoundError,
    SynthesisError,
    UnavailableError,
    UsageError,
    VerifyError,
)

# For errors that say nothing better about what to do next; the first class that fits.
HINTS: tuple[tuple[type[SynthesisError], str], ...] = (
    (UsageError, "add --help to the command to see what it takes"),
    (AccessError, "see what works: synthesis status"),
    (NotFoundError, "check the name"),
    (UnavailableError, "run it again; see what works: synthesis status"),
    (DiskError, "look at the disk, then run it again"),
    (VerifyError, "run it again with --update"),
    (CancelledError, "run it again to go on"),
    (SynthesisError, "add --debug to see more"),
)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error ends here, once."""
    typed = arguments[: arguments.index("--")] if "--" in arguments else arguments
    # A line that cannot be parsed is still answered in the voice that it asks for.
    session = Session(as_json="--json" in typed, debug="--debug" in typed)
    try:
        code = _run(arguments, session)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return reader_gone()
    except BaseException as error:  # noqa: BLE001 - the one place that turns errors into exit codes
        known = _known(error)
        try:
            if session.debug:
                import traceback

                session.out.trace("".join(traceback.format_exception(error)))
            known.hint = known.hint or next(hint for kind, hint in HINTS if isinstance(known, kind))
            session.out.error(known)
        except OSError:  # nobody can be told
            reader_gone()
        return known.exit_code


def _run(arguments: list[str], session: Session) -> int:
    """Run the command of the line: by our own reading if that is enough, else by typer's."""
    asks = bool(os.environ.get("_SYNTHESIS_COMPLETE"))  # a shell, for what could come next
    if asks:
        from synthesis.cli import complete

        if (said := complete.answer()) is not None:
            session.out.data(f"{said[0]}\n".encode())
            return said[1]
    found = None if asks else plain.read(arguments)
    if found is None:
        from synthesis.cli import typed

        return typed.run(arguments, session)
    before, function, values = found
    session.take(**before)
    try:
        call(function, session, values)
    except Leave as leave:
        return leave.code
    return 0


def _known(error: BaseException) -> SynthesisError:
    """Return the error in our own terms."""
    if isinstance(error, SynthesisError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return CancelledError("interrupted")
    if isinstance(error, SystemExit):
        raise error
    if "typer" in sys.modules:
        from synthesis.cli.typed import known

        if (complaint := known(error)) is not None:
            return complaint
    if isinstance(error, OSError):
        from pathlib import Path

        from synthesis.files import disk_error

        return disk_error(error, Path(str(error.filename or "output")))
    return FailedError(
        f"unexpected {type(error).__name__}: {error}",
        kind="internal",
        hint="this is a fault of synthesis: run it again with --debug and report what it prints",
    )
