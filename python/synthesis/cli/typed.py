"""typer's commands, made of our declarations: for help, completion and complaints.

A line that names a command costs that command only: the others are neither imported nor built.
"""

from __future__ import annotations

import inspect
from collections.abc import MutableMapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from synthesis.cli import version
from synthesis.cli.command import (
    COMMANDS,
    GLOBAL,
    RARE,
    Argument,
    Function,
    Group,
    Leave,
    Parameter,
    call,
    global_parameters,
    load,
    parameters,
)
from synthesis.cli.session import Session
from synthesis.errors import CancelledError, SynthesisError, UsageError

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
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
STYLE: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": CONTEXT,
}


class _Command(typer.core.TyperCommand):
    """A command whose help writes arguments plainly, `FILE...` and not `{FILE}... <list[Path]>`."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _light(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            records = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.param_type_name == kind]
            plain = [(record[0].partition(" <")[0], record[1]) for record in records if record]
            if plain:
                with formatter.section(title):
                    formatter.write_dl(plain)


class _Commands(dict[str, Any]):
    """From a command's name to the command, imported and built when it is asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        if self[name] is None:
            self[name] = typer.main.get_command(_typer(name, load(name)))
            self[name].name = name
        return self[name]


class _Group(typer.core.TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _light(super().get_params(ctx))


class _Root(_Group):
    """`synthesis` itself."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands: MutableMapping[str, Any] = _Commands.fromkeys(COMMANDS)


def _light(parameters: list[Any]) -> list[Any]:
    """Let parameters take text and paths as they are, and what was not given.

    Typer has pydantic convert every value, which takes longer to load than all the rest of it.
    """
    for one in parameters:
        if (described := getattr(one, "type_descriptor", None)) is not None:
            one.process_value = partial(_processed, one, described.annotation, type(one).process_value)
    return parameters


def _processed(one: Any, kind: Any, typers: Any, context: Any, value: Any) -> Any:
    if value is None and not one.required:
        value = () if one.multiple or one.nargs == -1 else None
    elif kind in {str, Path} and isinstance(value, str):
        value = kind(value)
    elif kind not in {int, float} or type(value) is not kind:  # else it is a default
        return typers(one, context, value)
    return value if one.callback is None else one.callback(context, one, value)


def run(words: list[str], session: Session) -> int:
    """Let typer read a line and run its command; returns the exit code, raises typer's complaints."""
    code = _root()(args=words, prog_name="synthesis", standalone_mode=False, obj=session)
    if code == CancelledError.exit_code:  # typer's answer to Control-C before a command has begun
        raise CancelledError("interrupted")
    return code if isinstance(code, int) else 0


def known(error: BaseException) -> SynthesisError | None:
    """Return typer's complaint as ours: what is wrong, then where to look; None if it is not typer's."""
    if isinstance(error, typer.Abort):
        return CancelledError("interrupted")
    if not isinstance(error, typer.TyperException):
        return None
    message, _, guess = error.format_message().strip().rstrip(".").partition(" Did you mean ")
    message = message.rstrip(".")
    message, _, options = message.partition(" (Possible options: ")
    guess = guess or options.rstrip(")").replace(", ", " or ")
    context = getattr(error, "ctx", None)
    where = getattr(context, "command_path", "synthesis")
    hint = f"did you mean {guess.rstrip('?')}?" if guess else f"see: {where} --help"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _root() -> typer.Typer:
    app = typer.Typer(cls=_Root, invoke_without_command=True, **STYLE)
    shown = typer.Option(
        "--version",
        callback=_version,
        is_eager=True,
        help="Print the version and leave.",
    )

    def root(*, context: typer.Context, version: bool, **given: Any) -> None:
        del version  # its callback did the work
        context.obj.take(**{name.removeprefix(GLOBAL): value for name, value in given.items()})
        _help_when_alone(context)

    version_option = inspect.Parameter(
        "version", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[bool, shown], default=False
    )
    options = [_signed(one) for one in global_parameters()]
    app.callback(help=HELP, epilog=EPILOG)(_with_signature(root, [*options, version_option]))
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version())
        raise typer.Exit


def _typer(name: str, found: Group | Function) -> typer.Typer:
    """Return a group, or a command alone, as typer's."""
    if not isinstance(found, Group):
        app = typer.Typer(add_completion=False, **STYLE)
        app.command(name, cls=_Command)(_function(found))
        return app
    app = typer.Typer(cls=_Group, help=found.help, invoke_without_command=True, add_completion=False, **STYLE)

    @app.callback()
    def _alone(context: typer.Context) -> None:
        _help_when_alone(context)

    for inner, member in found.members.items():
        if isinstance(member, Group):
            app.add_typer(_typer(inner, member), name=inner)
        else:
            app.command(inner, cls=_Command)(_function(member))
    return app


def _help_when_alone(context: typer.Context) -> None:
    """Print the help of a group that was called without a command, and leave with 2."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _function(function: Function) -> Function:
    """Return a command's function as typer wants it: a context, then every parameter with its option."""

    def called(*, context: typer.Context, **given: Any) -> None:
        try:
            call(function, context.obj, given)
        except Leave as leave:
            raise typer.Exit(leave.code) from leave

    called.__doc__ = function.__doc__
    return _with_signature(called, [_signed(one, hidden=one.name in RARE) for one in parameters(function)])


def _signed(one: Parameter, *, hidden: bool = False) -> inspect.Parameter:
    """Return a parameter with typer's annotation."""
    about = {**one.how.about, **({"hidden": True} if hidden else {})}
    make = typer.Argument if isinstance(one.how, Argument) else typer.Option
    kind = one.kind if one.default is not None or one.is_required else one.kind | None
    default = inspect.Parameter.empty if one.is_required else one.default
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, make(*one.how.names, **about)],
        default=default,
    )


def _with_signature(function: Function, parameters: list[inspect.Parameter]) -> Function:
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    function.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    function.__annotations__ = {one.name: one.annotation for one in (context, *parameters)}
    return function
