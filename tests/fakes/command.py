"""The real `synthesis` command, run as people run it: in a pipe or on a terminal."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

BINARY = Path(sysconfig.get_path("scripts")) / ("synthesis.exe" if os.name == "nt" else "synthesis")


# Makes the pseudo terminal the controlling one, so that Control-C typed there is a SIGINT.
CONTROLLING = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


HEAVY = ("pydantic", "rich", "asyncio", "starlette", "uvicorn", "sqlalchemy", "numpy", "mitsuba", "zstandard")
LOADED = """
import sys
from synthesis.cli.app import run
code = run(sys.argv[1:])
loaded = {name if name.startswith("synthesis") else name.partition(".")[0] for name in sys.modules}
sys.stderr.write(" ".join(sorted(loaded)))
sys.exit(code)
"""


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command line loads, by the names of their packages unless they are ours."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout
    return set(done.stderr.split())


@dataclass(frozen=True)
class Done:
    """A run that ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    def events(self) -> list[dict[str, Any]]:
        """The NDJSON events on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """`synthesis` in a folder of its own, with a home and a configuration file of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "config.json"
        self.home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
            "SYNTHESIS_CONFIG": str(self.config),
            "PYTHONWARNINGS": "error",
            "TERM": "xterm",
            **environment,
        }

    def __call__(self, *arguments: str | Path, stdin: str | bytes | None = None, timeout: float = 60) -> Done:
        """Run without a terminal and wait."""
        done = subprocess.run(
            self.line(arguments),
            cwd=self.folder,
            env=self.environment,
            input=stdin.encode() if isinstance(stdin, str) else (stdin or b""),
            capture_output=True,
            timeout=timeout,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *arguments: str | Path, stdin: str | bytes | None = None, timeout: float = 60) -> Done:
        """Run and insist on success."""
        done = self(*arguments, stdin=stdin, timeout=timeout)
        assert done.code == 0, done
        return done

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Run in the background, its words in pipes."""
        return subprocess.Popen(
            self.line(arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def terminal(self, *arguments: str | Path, columns: int = 100) -> Terminal:
        """Run on a terminal."""
        return Terminal(self.line(arguments), self.folder, self.environment, columns)

    def settings(self) -> Any:
        """What the configuration file holds."""
        return json.loads(self.config.read_bytes())

    @staticmethod
    def line(arguments: Sequence[str | Path]) -> list[str]:
        """The command line."""
        return [str(BINARY), *map(str, arguments)]


class Terminal:
    """A command on a pseudo terminal: read what it shows, type answers."""

    def __init__(self, line: list[str], folder: Path, environment: dict[str, str], columns: int) -> None:
        import pty

        self._handle, inner = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLING, *line],
            cwd=folder,
            env=environment,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self.shown = ""
        self._seen = 0

    def resize(self, columns: int) -> None:
        """Change the window's width."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def expect(self, text: str, timeout: float = 30) -> None:
        """Wait until `text` is shown after what was expected before."""
        end = time.monotonic() + timeout
        while (at := self.shown.find(text, self._seen)) < 0:
            if time.monotonic() > end or not self._read(end - time.monotonic()):
                raise AssertionError(f"never showed {text!r}:\n{self.shown}")
        self._seen = at + len(text)

    def type(self, text: str) -> None:
        """Type `text`; `\\x03` is Control-C, `\\n` Enter."""
        os.write(self._handle, text.encode())

    def wait(self, timeout: float = 30) -> int:
        """Wait for the end and return the exit code."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self._read(end - time.monotonic()):
            pass
        code = self.process.wait(max(0.1, end - time.monotonic()))
        os.close(self._handle)
        return code

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._handle], [], [], max(0, timeout))
        if not ready:
            return False
        try:
            data = os.read(self._handle, 65536)
        except OSError:  # the other end is closed: Linux says EIO
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)
