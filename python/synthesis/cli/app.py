"""The table of commands, and the one place where errors become exit codes.

A line that names a command costs that command only: the others are neither imported nor built. What
a command needs beside typer it imports when it runs, so that `--version`, `--help` and completion
answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main

from synthesis.cli import version
from synthesis.cli.command import (
    CONTEXT,
    ConfigOption,
    DebugOption,
    Group,
    JsonOption,
    OrgOption,
    QuietOption,
    ServerOption,
    help_when_alone,
)
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

HELP = """Synthetic humans on your own machine: ask for people, render them, fetch every asset.

\b
New here?
  synthesis quickstart           the whole product in one command, in a new folder
  synthesis user init KEY ORG    use an account that you have
  synthesis status               check server, key and org
"""
EPILOG = """\b
The options above are taken before and after any command. Environment: SYNTHESIS_SERVER,
SYNTHESIS_API_KEY, SYNTHESIS_ORG, SYNTHESIS_CONFIG, NO_COLOR.
Exit codes: 0 done, 1 some of it failed, 2 usage, 3 key or membership, 4 not found,
5 worth another run, 6 disk, 7 bytes differ, 130 interrupted, 143 terminated.
"""

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

# In the order of the help. Each is a module of this package with its command, or group, as `app`.
COMMANDS = (
    "apikey",
    "org",
    "user",
    "humans",
    "job",
    "fetch",
    "exr",
    "platform",
    "quickstart",
    "status",
    "serve",
)


class _Commands(dict[str, Any]):
    """From a command's name to the command, imported and built when it is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        if self[name] is None:
            self[name] = typer.main.get_command(import_module(f"synthesis.cli.{name}").app)
            self[name].name = name
        return self[name]


class _Root(Group):
    """`synthesis` itself."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands: MutableMapping[str, Any] = _Commands.fromkeys(COMMANDS)


app = typer.Typer(
    cls=_Root,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings=CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version())
        raise typer.Exit


@app.callback(help=HELP, epilog=EPILOG)
def _root(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    org: OrgOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    del version  # its callback did the work
    session: Session = context.obj
    session.take(config=config, server=server, org=org, as_json=as_json, quiet=quiet, debug=debug)
    help_when_alone(context)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; every error ends here, once."""
    typed = arguments[: arguments.index("--")] if "--" in arguments else arguments
    # A line that cannot be parsed is still answered in the voice that it asks for.
    session = Session(as_json="--json" in typed, debug="--debug" in typed)
    try:
        code = app(args=arguments, prog_name="synthesis", standalone_mode=False, obj=session)
        if code == CancelledError.exit_code:  # typer's answer to Control-C before a command has begun
            raise CancelledError("interrupted")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
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


def _known(error: BaseException) -> SynthesisError:
    """Return the error in our own terms."""
    if isinstance(error, SynthesisError):
        return error
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return CancelledError("interrupted")
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, OSError):
        from pathlib import Path

        from synthesis.files import disk_error

        return disk_error(error, Path(str(error.filename or "output")))
    return FailedError(
        f"unexpected {type(error).__name__}: {error}",
        kind="internal",
        hint="this is a fault of synthesis: run it again with --debug and report what it prints",
    )


def _usage(error: typer.TyperException) -> UsageError:
    """Return typer's complaint as ours: what is wrong, then where to look."""
    message, _, guess = error.format_message().strip().rstrip(".").partition(" Did you mean ")
    message = message.rstrip(".")
    message, _, options = message.partition(" (Possible options: ")
    guess = guess or options.rstrip(")").replace(", ", " or ")
    context = getattr(error, "ctx", None)
    where = getattr(context, "command_path", "synthesis")
    hint = f"did you mean {guess.rstrip('?')}?" if guess else f"see: {where} --help"
    return UsageError(message[:1].lower() + message[1:], hint=hint)
