"""A line that we read ourselves means what typer reads in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.cli import plain, typed
from synthesis.cli.command import COMMANDS, Function, Group, load, parameters
from synthesis.cli.session import Session


def every_command() -> list[tuple[tuple[str, ...], Function]]:
    found: list[tuple[tuple[str, ...], Function]] = []

    def walk(words: tuple[str, ...], member: Group | Function) -> None:
        if isinstance(member, Group):
            for name, inner in member.members.items():
                walk((*words, name), inner)
        else:
            found.append((words, member))

    for name in COMMANDS:
        walk((name,), load(name))
    return found


VALUES = (
    "list.txt",
    "-",
    "7",
    "0",
    "1.5",
    "70000",
    "007",
    "٣",
    "-3",
    "-x",
    "",
    "a=b",
    "/tmp/über",
    "1/2",
    "--",
)
BEFORE = (["--json"], ["--org", "acme"], ["--config=c.json"], ["--quiet"], ["--debug", "--debug"])


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Lines that are mostly right: a command, its options with values, its arguments, some rubbish."""
    words, function = draw(st.sampled_from(every_command()))
    wanted = parameters(function)
    value = st.sampled_from(VALUES) | st.text(min_size=1, max_size=5)
    names = st.sampled_from([(name, one.kind) for one in wanted for name in one.how.names])
    parts: list[list[str]] = []
    for name, kind in draw(st.lists(names, max_size=4)):
        if kind is bool:
            parts.append([name])
        else:
            text = draw(value)
            parts.append(draw(st.sampled_from([[name, text], [f"{name}={text}"], [name + text]])))
    arguments = sum(not one.how.names for one in wanted) + draw(st.sampled_from([0, 0, 0, 1]))
    parts += [[draw(value)] for _ in range(arguments)]
    before = draw(st.lists(st.sampled_from(BEFORE), max_size=2))
    return [word for part in (*before, words, *draw(st.permutations(parts))) for word in part]


def by_typer(line: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Function, dict[str, Any], Session]:
    called: list[tuple[Function, dict[str, Any]]] = []
    session = Session()
    with monkeypatch.context() as patched:
        patched.setattr(typed, "call", lambda function, _session, values: called.append((function, values)))
        assert typed.run(line, session) == 0, line
    ((function, values),) = called
    return function, values, session


@settings(deadline=None)
@given(line=lines())
def test_both_read_a_line_alike(line: list[str]) -> None:
    found = plain.read(line)
    if found is None:
        return
    before, function, values = found
    session = Session()
    session.take(**before)
    monkeypatch = pytest.MonkeyPatch()
    by_other, others, other_session = by_typer(line, monkeypatch)
    assert function is by_other
    assert {name: value or None for name, value in values.items()} == {
        name: (list(value) if isinstance(value, tuple) else value) or None for name, value in others.items()
    }
    assert {**vars(session), "out": vars(session.out)} == {
        **vars(other_session),
        "out": vars(other_session.out),
    }


@pytest.mark.parametrize(
    "line",
    [
        ["fetch", "list.txt", "-o", "out", "-c", "50", "--json"],
        ["--quiet", "fetch", "-", "--header", "A: b", "--header", "@c", "--tar", "t", "--tar-renders", "5"],
        ["job", "assets", "download", "1a", "--assets", "rgb,info", "-r", "0,3-5", "--watch"],
        ["job", "list", "--limit", "3"],
        ["exr", "info", "a.exr", "b.exr"],
        ["org", "use"],
    ],
)
def test_common_lines_are_plain(line: list[str]) -> None:
    assert plain.read(line) is not None
