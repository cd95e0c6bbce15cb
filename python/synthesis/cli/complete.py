"""What could come next on a command line, for the shell that asks.

The scripts that `--install-completion` writes are typer's, and so is the way in which they ask: by
the environment. They ask at each press of a key, so the answer comes from the declarations alone.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from synthesis.cli.command import (
    COMMANDS,
    RARE,
    Argument,
    Function,
    Group,
    Parameter,
    global_parameters,
    is_list,
    load,
    parameters,
)

ASKED = "_SYNTHESIS_COMPLETE"
"""Set by a shell that asks: `complete_bash` ..."""

HELP = (("--help", "Show this message and exit."), ("-h", "Show this message and exit."))
ROOT = (
    ("--version", "Print the version and leave."),
    ("--install-completion", "Install completion for the current shell."),
    (
        "--show-completion",
        "Show completion for the current shell, to copy it or customize the installation.",
    ),
)


class Next(NamedTuple):
    """A word that could come next, and what it is."""

    word: str
    about: str = ""


def answer() -> tuple[str, int] | None:
    """Return what to print for the shell that asks, and the exit code; None if typer knows that shell."""
    asked = os.environ[ASKED]
    if asked == "complete_bash":
        at = int(os.environ["COMP_CWORD"])
        words = [*_split(os.environ["COMP_WORDS"]), ""]
        found = candidates(words[1:at], words[min(at, len(words) - 1)])
        return "\n".join(one.word for one in found), 0
    if asked not in {"complete_zsh", "complete_fish"}:
        return None
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(line)[1:]
    last = words.pop() if words and not line.endswith(" ") else ""
    found = candidates(words, last)
    if asked == "complete_zsh":
        told = "\n".join(f'"{_zsh(one.word)}"' + f':"{_zsh(one.about)}"' * bool(one.about) for one in found)
        return (f"_arguments '*: :(({told}))'" if found else "_files"), 0
    if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if found else 1
    return "\n".join(f"{word}\t{about}" if about else word for word, about in found), 0


def candidates(before: list[str], begun: str) -> list[Next]:
    """Return what could stand after the words `before` and begins with `begun`."""
    here, given, waiting = _place(before)
    if begun.startswith("-") and "=" in begun:
        name, _, begun = begun.partition("=")
        waiting = next((one for one in _known(here) if name in one.how.names and one.kind is not bool), None)
    elif begun.startswith("-") and "--" not in before:
        return [one for one in _options(here, given) if one.word.startswith(begun)]
    elif begun == "=":
        begun = ""
    if waiting is not None:
        complete = waiting.how.about.get("autocompletion")
        return [Next(word) for word in complete(begun)] if complete is not None else []
    if isinstance(here, Group):
        members = sorted(here.members.items(), key=lambda member: isinstance(member[1], Group))
        return [Next(name, _about(member)) for name, member in members if name.startswith(begun)]
    if here is None:
        return [Next(name, _about(load(name))) for name in COMMANDS if name.startswith(begun)]
    return []


def _place(words: list[str]) -> tuple[Group | Function | None, set[str], Parameter | None]:
    """Where a line has come to: what it has named, the options given there, the one that wants a value."""
    here: Group | Function | None = None
    given: set[str] = set()
    waiting: Parameter | None = None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            one = next((one for one in _known(here) if name in one.how.names), None)
            given.add(one.name if one is not None else name)
            waiting = one if one is not None and one.kind is not bool and not equals else None
        elif here is None and word in COMMANDS:
            here, given = load(word), set()
        elif isinstance(here, Group) and word in here.members:
            here, given = here.members[word], set()
    return here, given, waiting


def _known(here: Group | Function | None) -> tuple[Parameter, ...]:
    """The parameters that there are at a place."""
    if here is None:
        return global_parameters()
    return () if isinstance(here, Group) else parameters(here)


def _options(here: Group | Function | None, given: set[str]) -> list[Next]:
    """The names of options that may be given at a place."""
    found = []
    for one in _known(here):
        hidden = one.how.about.get("hidden") or (here is not None and one.name in RARE)
        if not (hidden or isinstance(one.how, Argument) or (one.name in given and not is_list(one))):
            found += [Next(name, one.how.about.get("help", "")) for name in one.how.names]
    more = (*(ROOT if here is None else ()), *HELP)
    return found + [Next(name, about) for name, about in more if name not in given]


def _about(member: Group | Function) -> str:
    """The first sentence of a command's help."""
    text = member.help if isinstance(member, Group) else member.__doc__
    return " ".join((text or "").split("\n\n")[0].split()).partition(". ")[0]


def _split(line: str) -> list[str]:
    """The words of a line that may end within quotes."""
    import shlex

    words = shlex.shlex(line, posix=True, punctuation_chars=False)
    words.whitespace_split = True
    words.commenters = ""
    found: list[str] = []
    try:
        found.extend(words)
    except ValueError:
        found.append(words.token)
    return found


def _zsh(text: str) -> str:
    text = re.sub(r"\s+", " ", text).replace('"', '""').replace("'", "''")
    return text.replace("$", "\\$").replace("`", "\\`").replace(":", "\\\\:")
