"""The printer: voices, redaction, clean text, tables and units."""

from __future__ import annotations

import json

import pytest

from synthesis.cli import output
from synthesis.cli.output import Output
from synthesis.errors import UsageError


def test_three_voices(capsys: pytest.CaptureFixture[str]) -> None:
    for voice, expected in (({}, "text\n"), ({"as_json": True}, '{"a": 1}\n'), ({"quiet": True}, "bare\n")):
        Output(**voice).result({"a": 1}, "text", bare="bare")
        assert capsys.readouterr().out == expected


def test_only_json_has_events(capsys: pytest.CaptureFixture[str]) -> None:
    Output().event("start", job="x")
    Output(as_json=True).event("start", job="x")
    assert json.loads(capsys.readouterr().out) == {"event": "start", "job": "x"}


def test_an_error_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Output().error(UsageError("what\nfailed", hint="do this"))
    captured = capsys.readouterr()
    assert captured.err == "error: what failed\nhint: do this\n"
    assert captured.out == ""


def test_faults_are_listed_below_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [{"field": f"humans.{n}", "message": "is wrong"} for n in range(25)]
    Output().error(UsageError("25 faults", fields={"errors": faults}))
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "  humans.0: is wrong"
    assert lines[-1] == "  ... and 5 more: --json lists them all"


def test_an_error_with_json_is_one_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).error(UsageError("no", hint="yes", fields={"path": "x"}))
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == {
        "error": {"kind": "usage", "message": "no", "hint": "yes", "fields": {"path": "x"}}
    }


def test_an_error_after_events_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.event("start")
    out.error(UsageError("no"))
    assert json.loads(capsys.readouterr().out.splitlines()[1])["event"] == "error"


def test_secrets_and_signatures_are_stars(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.keep_secret("aB0cdEFgh1IjKlMnopq2")
    out.note("key aB0cdEFgh1IjKlMnopq2, http://x/y?exp=1&sig=deadbeef, Authorization: Bearer abc123def456")
    text = capsys.readouterr().err
    assert "aB0c" not in text
    assert "deadbeef" not in text
    assert "abc123" not in text
    assert "exp=1" in text
    out.note("job bearer of glasses renamed")
    assert "bearer of glasses" in capsys.readouterr().err


@pytest.mark.parametrize("bad", ["\x1b[2J", "\r", "\x07", "\x9b", "\u202e", "\x00"])
def test_data_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    Output().result(None, f"name{bad}end")
    assert bad not in capsys.readouterr().out


def test_quiet_keeps_remarks_and_warnings_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.note("note")
    out.warn("warning")
    out.result({}, "text")
    assert capsys.readouterr() == ("", "")


def test_table_aligns_wide_letters_and_flattens_lines() -> None:
    text = output.table(("NAME", "N"), [("日本", "5"), ("a\nb", "1,000")], right=(1,))
    assert text.splitlines() == ["NAME      N", "日本      5", "a b   1,000"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (20_480, "20.5 KB"),
        (999_960, "1.0 MB"),
        (97e9, "97.0 GB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert output.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (12.4, "12 s"), (59.6, "1:00"), (185, "3:05"), (5650, "1:34:10")]
)
def test_durations(seconds: float, text: str) -> None:
    assert output.duration(seconds) == text
