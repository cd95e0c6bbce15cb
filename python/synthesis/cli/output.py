"""The only printer: results on stdout, everything else on stderr.

Three voices, one call each: people read `text`, `--json` writes the document and nothing else on
stdout, `--quiet` writes only the bare value (a job id, a path) and errors. What comes from a server
or a file is cleaned of control characters, and no known secret leaves this file.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from synthesis.errors import SynthesisError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SIGNATURE = re.compile(r"(?<=[?&])(sig|X-Amz-Signature|X-Amz-Credential|token)=[^&\s'\"]+", re.IGNORECASE)
_BEARER = re.compile(r"(?i)\b(bearer)\s+[^\s'\"]{12,}")  # a key, and not the next word of a job's name
FAULTS = 20  # of one error, as many as fit a screen
CLOSED = 141  # what a shell reports of any program whose reader went away
_COLOURS = {"red": "1;31", "yellow": "33", "cyan": "36", "dim": "2"}


class Output:
    """Where a command's words go."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._secrets: set[str] = set()
        self._streaming = False  # NDJSON events were printed
        self.label = ""  # stands before the progress line
        self.is_typed_into = False  # somebody types meanwhile: no line is drawn over that
        self._line = 0  # cells of the unfinished progress line
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    # -- results -----------------------------------------------------------------------------

    def result(self, document: Any, text: str, *, bare: str | None = None) -> None:
        """Print the answer of a command: `document` for --json, `bare` for --quiet, else `text`."""
        if self.as_json:
            self._write(sys.stdout, _json(document) + "\n")
        elif self.quiet:
            if bare is not None:
                self._write(sys.stdout, clean(bare) + "\n")
        else:
            self._write(sys.stdout, clean(text) + "\n")
        sys.stdout.flush()

    def event(self, event: str, /, **fields: Any) -> None:
        """Print one NDJSON event; only --json has events."""
        if self.as_json:
            self._streaming = True
            line = _json({"event": event, **fields})
            self._write(sys.stdout, line + "\n")
            sys.stdout.flush()

    def summary(self, document: dict[str, Any], text: str, *, bare: str | None = None) -> None:
        """Print the answer of long work: the last event with --json, else as `result`."""
        if self.as_json:
            self.event("done", **document)
        else:
            self.result(document, text, bare=bare)

    def data(self, data: bytes) -> None:
        """Write bytes to stdout, exactly these."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    # -- remarks -----------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Say something to a person watching: stderr, not with --quiet or --json."""
        if not (self.quiet or self.as_json):
            self._remark(clean(text))

    def say(self, text: str) -> None:
        """Say a part of a dialogue: stderr, always."""
        self._remark(clean(text))

    def warn(self, text: str) -> None:
        """Say what may surprise: stderr, not with --quiet."""
        if not self.quiet:
            self._remark(f"{paint('warning:', 'yellow')} {clean(text)}")

    def error(self, error: SynthesisError) -> None:
        """Print an error: two lines on stderr (and a line per fault), or one document with --json."""
        faults = [fault for fault in error.fields.get("errors") or () if isinstance(fault, dict)]
        if self.as_json:
            body = {"kind": error.kind, "message": error.message, "hint": error.hint, "fields": error.fields}
            document = {"event": "error", "error": body} if self._streaming else {"error": body}
            self._write(sys.stdout, _json(document) + "\n")
            sys.stdout.flush()
            return
        lines = [f"{paint('error:', 'red')} {_one_line(error.message)}"]
        told = [f"{f.get('field') or '(root)'}: {f.get('message')}" for f in faults]
        if len(told) > 1 or (told and str(faults[0].get("message")) not in error.message):
            lines += [f"  {_one_line(fault)}" for fault in told[:FAULTS]]
        if len(told) > FAULTS:
            lines.append(f"  ... and {len(told) - FAULTS} more: --json lists them all")
        if error.hint:
            lines.append(f"{paint('hint:', 'cyan')} {_one_line(error.hint)}")
        self._remark("\n".join(lines))

    def trace(self, text: str) -> None:
        """Print a traceback (--debug)."""
        self._remark(clean(text.rstrip()))

    # -- the progress line -------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Draw `text` as the one line that is drawn over and over, cut to the terminal's width."""
        width = _width(sys.stderr)
        text = clean(self.label + text if text else "").replace("\n", " ")[: max(1, width - 1)]
        # When the window got narrower the terminal has folded the old line: go up to its start.
        folded = (self._line - 1) // width if self._line else 0
        up = f"\x1b[{folded}A" if folded else ""
        self._line = len(text)
        sys.stderr.write(f"\r{up}{text}\x1b[J")
        sys.stderr.flush()

    @property
    def can_redraw(self) -> bool:
        """True when stderr is a terminal on which a line can be drawn over; a dumb one is like a log."""
        return _obeys(sys.stderr) and not self.is_typed_into

    @property
    def room(self) -> int:
        """Letters of a progress line that are not cut off."""
        return max(1, _width(sys.stderr) - 1 - len(self.label))

    def end_line(self) -> None:
        """Take the progress line away, so that what follows starts on a clean line."""
        if self._line:
            self.line("")
            self._line = 0

    # -- questions ---------------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """True when a person sits at both ends."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> str:
        """Ask on stderr and return the answer, stripped; end of input is an interrupt."""
        sys.stderr.write(clean(question))
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            sys.stderr.write("\n")
            raise KeyboardInterrupt
        return answer.strip()

    def ask_secret(self, question: str) -> str:
        """Ask without echo."""
        import getpass

        try:
            return getpass.getpass(question, stream=sys.stderr).strip()
        except (EOFError, KeyboardInterrupt) as error:
            sys.stderr.write("\n")  # what is said next begins its own line
            raise KeyboardInterrupt from error

    # -- inside ------------------------------------------------------------------------------

    def keep_secret(self, secret: str | None) -> None:
        """Replace `secret` by stars wherever it would be printed."""
        if secret and len(secret) >= 8:
            self._secrets.add(secret)

    def redact(self, text: str) -> str:
        """Return `text` without keys and signatures."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _BEARER.sub(r"\1 ***", _SIGNATURE.sub(r"\1=***", text))

    def _remark(self, text: str) -> None:
        self.end_line()
        self._write(sys.stderr, text + "\n")
        sys.stderr.flush()

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(self.redact(text))


def reader_gone() -> int:
    """Nobody takes our words any more: be quiet from here on, and return the exit code for it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
            continue
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return CLOSED


def clean(text: str) -> str:
    """Return `text` with control characters made visible, so that data cannot drive the terminal."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def _json(document: object) -> str:
    import json  # people do without

    return json.dumps(document, ensure_ascii=False, default=str)


def _one_line(text: str) -> str:
    return " ".join(clean(text).split("\n"))


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Colour `text` when the stream is a terminal that wants it (`NO_COLOR`, `TERM=dumb`)."""
    if os.environ.get("NO_COLOR") or not _obeys(stream or sys.stderr):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def _obeys(stream: TextIO) -> bool:
    """Whether a stream is a terminal that obeys escape sequences."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return False
    return _console_obeys(stream.fileno())


def _console_obeys(number: int) -> bool:
    """Let a console of Windows obey escape sequences, which it does when asked; False if it cannot."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    kernel = ctypes.windll.kernel32
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(number))
    mode = ctypes.c_uint32()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return True  # no console: another terminal, which knows them
    obeys = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
    return bool(mode.value & obeys or kernel.SetConsoleMode(handle, mode.value | obeys))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Lay rows out in columns two blanks apart; the columns of `right` are flush right."""
    from rich.cells import cell_len

    grid = [[clean(cell).replace("\n", " ") for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*grid, strict=True)]
    lines = []
    for row in grid:
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blanks = " " * (width - cell_len(cell))
            cells.append(blanks + cell if index in right else cell + blanks)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def size(count: float) -> str:
    """Write bytes as people do: `512 B`, `20.1 KB`, `97.0 GB` (powers of 1000)."""
    unit = "B"
    for unit in ("B", "KB", "MB", "GB", "TB", "PB"):
        if abs(count) < 999.95 or unit == "PB":
            break
        count /= 1000
    return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """Write a time span: `0.4 s`, `12 s`, `3:05`, `1:34:10`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: `1 file`, `12,000 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
