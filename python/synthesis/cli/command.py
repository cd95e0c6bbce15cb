"""How a command is declared: a function of a `Session` and its own arguments.

Nothing here needs a library. `plain.py` reads a line that has no surprise by these declarations
alone; `typed.py` makes typer's commands of them, for help, completion and complaints.

The global options (`--config FILE`, `--json`, `--quiet`, ...) are taken before the command by the
root and after it by every command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Concatenate, NamedTuple, ParamSpec, get_type_hints

from synthesis.cli.output import reader_gone
from synthesis.cli.session import Session
from synthesis.errors import CancelledError

P = ParamSpec("P")
Function = Callable[..., None]

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


class Option:
    """An option, in typer's words: its names, then `metavar`, `help`, `min`, `hidden` ..."""

    def __init__(self, *names: str, **about: Any) -> None:
        self.names = names
        self.about = about


class Argument(Option):
    """An argument, which has no name on the command line."""


class Parameter(NamedTuple):
    """One parameter of a command's function."""

    name: str
    kind: Any  # its type, without `None`
    how: Option
    default: Any
    is_required: bool


class Group:
    """Commands and groups by name; the app of a module that is one command has no help of its own."""

    def __init__(self, help: str | None = None) -> None:  # noqa: A002 - typer's own word
        self.help = help
        self.members: dict[str, Group | Function] = {}

    def add(self, name: str, group: Group) -> None:
        """Make `group` known as `name`."""
        self.members[name] = group


class Leave(Exception):  # noqa: N818 - it is none
    """Ends a command with an exit code, when all that there is to say has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


ConfigOption = Annotated[
    Path | None, Option("--config", metavar="FILE", show_default=False, help="Use this configuration file.")
]
ServerOption = Annotated[
    str | None,
    Option("--server", metavar="URL", show_default=False, help="Use this server for this run."),
]
OrgOption = Annotated[
    str | None, Option("--org", metavar="ORG", show_default=False, help="Use this org for this run.")
]
JsonOption = Annotated[bool, Option("--json", help="Write JSON on stdout, and nothing else there.")]
QuietOption = Annotated[bool, Option("--quiet", help="Write only the bare result, and errors.")]
DebugOption = Annotated[bool, Option("--debug", help="Show tracebacks.")]

GLOBALS: dict[str, tuple[Any, Any]] = {
    "config": (ConfigOption, None),
    "server": (ServerOption, None),
    "org": (OrgOption, None),
    "as_json": (JsonOption, False),
    "quiet": (QuietOption, False),
    "debug": (DebugOption, False),
}
GLOBAL = "global_"
"""Stands before the name of a global option: a command may have an argument of its own with that name."""

RARE = frozenset({GLOBAL + name for name in ("server", "org", "debug")})
"""Global options that are taken after a command too, and shown in `synthesis --help` only."""


def group(help: str) -> Group:  # noqa: A002 - typer's own word
    """Return a group of commands; without a command it prints its help."""
    return Group(help)


def single() -> Group:
    """Return the app of a module that is one command."""
    return Group()


def command(
    app: Group, name: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Register a function as the command `name`: `Session` first, then its parameters.

    Each is annotated with its type and an `Option` or `Argument`. One with the name `how` stands for
    all options that transfers share.
    """

    def register(
        function: Callable[Concatenate[Session, P], None],
    ) -> Callable[Concatenate[Session, P], None]:
        app.members[name] = function
        return function

    return register


def load(name: str) -> Group | Function:
    """Return the command, or group, of this name among `COMMANDS`; only its module is imported."""
    app: Group = import_module(f"synthesis.cli.{name}").app
    return app if app.help is not None else app.members[name]


@cache
def parameters(function: Function) -> tuple[Parameter, ...]:
    """Return what a command takes: its own, then those of transfers, then the global options."""
    hints = get_type_hints(function, include_extras=True)
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = names[: code.co_argcount]
    defaults = dict(zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False))
    defaults |= function.__kwdefaults__ or {}
    found = [_parameter(name, hints[name], defaults) for name in names[1:] if name != "how"]
    if "how" in names:
        from synthesis.cli.transfer import How

        how = get_type_hints(How, include_extras=True)
        found += [_parameter(name, how[name], How._field_defaults) for name in How._fields]
    return (*found, *global_parameters())


@cache
def global_parameters() -> tuple[Parameter, ...]:
    """The global options."""
    return tuple(
        _parameter(GLOBAL + name, hint, {GLOBAL + name: default}) for name, (hint, default) in GLOBALS.items()
    )


def _parameter(name: str, hint: Any, defaults: dict[str, Any]) -> Parameter:
    kind = hint.__origin__
    of = [one for one in getattr(kind, "__args__", ()) if one is not type(None)]
    optional = type(None) in getattr(kind, "__args__", ())
    return Parameter(
        name, of[0] if optional else kind, hint.__metadata__[0], defaults.get(name), name not in defaults
    )


def is_list(one: Parameter) -> bool:
    """True for a parameter that takes any number of values."""
    return getattr(one.kind, "__origin__", None) is list


def call(function: Function, session: Session, given: dict[str, Any]) -> None:
    """Call a command with the values of its `parameters`, the global ones among them."""
    session.take(**{name: given.pop(GLOBAL + name) for name in GLOBALS})
    if "how" in function.__annotations__:
        from synthesis.cli.transfer import How

        given["how"] = How(**{name: given.pop(name) for name in How._fields})
    try:
        function(session, **given)
    except KeyboardInterrupt as error:
        raise CancelledError("interrupted") from error
    except BrokenPipeError as error:
        raise Leave(reader_gone()) from error
