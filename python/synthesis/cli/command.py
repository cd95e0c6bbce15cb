"""How a command is declared: a function of a `Session` and its own arguments.

The global options (`--config FILE`, `--json`, `--quiet`, ...) are taken before the command by the
root and after it by every command; `command` adds them to the function's signature.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer
import typer.core

from synthesis.cli.output import reader_gone
from synthesis.cli.session import Session
from synthesis.cli.values import simplify
from synthesis.errors import CancelledError

P = ParamSpec("P")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", show_default=False, help="Use this configuration file."),
]
ServerOption = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", show_default=False, help="Use this server for this run."),
]
OrgOption = Annotated[
    str | None, typer.Option("--org", metavar="ORG", show_default=False, help="Use this org for this run.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON on stdout, and nothing else there.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Write only the bare result, and errors.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

GLOBALS: dict[str, tuple[Any, Any]] = {
    "global_config": (ConfigOption, None),
    "global_server": (ServerOption, None),
    "global_org": (OrgOption, None),
    "global_as_json": (JsonOption, False),
    "global_quiet": (QuietOption, False),
    "global_debug": (DebugOption, False),
}
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_RARE = (
    "global_server",
    "global_org",
    "global_debug",
)  # taken after a command too, shown in `synthesis --help` only


class _Command(typer.core.TyperCommand):
    """A command whose help writes arguments plainly, `FILE...` and not `{FILE}... <list[Path]>`."""

    def get_params(self, ctx: Any) -> list[Any]:
        return simplify(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            records = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.param_type_name == kind]
            plain = [(record[0].partition(" <")[0], record[1]) for record in records if record]
            if plain:
                with formatter.section(title):
                    formatter.write_dl(plain)


class Group(typer.core.TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, converting simple values by themselves."""
        return simplify(super().get_params(ctx))


def group(help: str) -> typer.Typer:  # noqa: A002 - typer's own word
    """Return a group of commands; without a command it prints its help."""
    app = typer.Typer(
        cls=Group,
        help=help,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        invoke_without_command=True,
        context_settings=CONTEXT,
    )

    @app.callback()
    def _alone(context: typer.Context) -> None:
        help_when_alone(context)

    return app


def single() -> typer.Typer:
    """Return the app of a module that is one command."""
    return typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings=CONTEXT,
    )


def help_when_alone(context: typer.Context) -> None:
    """Print the help of a group that was called without a command, and leave with 2."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Register a function as the command `name`: `Session` first, then typer's parameters.

    A parameter `how` stands for all options that transfers share.
    """

    def register(
        function: Callable[Concatenate[Session, P], None],
    ) -> Callable[Concatenate[Session, P], None]:
        app.command(name, cls=_Command)(with_globals(function))
        return function

    return register


def with_globals(function: Callable[..., None]) -> Callable[..., None]:
    """Return `function` as typer wants it: a context instead of a session, and the global options."""
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    shared = _shared_options() if any(p.name == "how" for p in own) else {}
    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [
        p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for p in own
        if p.name != "how"
    ]
    parameters += [_parameter(name, *option) for name, option in shared.items()]
    parameters += _global_parameters()

    @functools.wraps(function)
    def called(*, context: typer.Context, **given: Any) -> None:
        session: Session = context.obj
        session.take(**{name.removeprefix("global_"): given.pop(name) for name in GLOBALS})
        if shared:
            from synthesis.cli.transfer import How

            given["how"] = How(**{name: given.pop(name) for name in shared})
        try:
            function(session, **given)
        except KeyboardInterrupt as error:
            raise CancelledError("interrupted") from error
        except BrokenPipeError as error:
            raise typer.Exit(reader_gone()) from error

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    return called


def _shared_options() -> dict[str, tuple[Any, Any]]:
    from synthesis.cli.transfer import OPTIONS

    return OPTIONS


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


@functools.cache
def _global_parameters() -> tuple[inspect.Parameter, ...]:
    """The global options as a command takes them: the rare ones are not in its help."""
    import copy

    parameters = []
    for name, (annotation, default) in GLOBALS.items():
        option = copy.copy(annotation.__metadata__[0])
        option.hidden = name in _RARE
        parameters.append(_parameter(name, Annotated[annotation.__origin__, option], default))
    return tuple(parameters)
