"""One run of one command: what it cost, and whether its files are right."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.transfer.network import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.transfer.corpora import File

CORE = "1"
"""Of the client; the server and the delay link have core 0."""


@dataclass(frozen=True)
class Run:
    """What a process and its children used.

    Attributes:
        wall: seconds from its start to its end.
        cpu: user and system seconds.
        memory: peak of resident bytes of the largest process.
        code: exit code; 128 + the signal's number, and 124 where our time limit ended it.
        complaint: what is wrong with its files, or its last words if it failed; empty if all is well.
    """

    wall: float
    cpu: float
    memory: int
    code: int
    complaint: str = ""


def run(
    command: Sequence[str],
    *,
    cache: Path,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: int | None = None,
    timeout: float = 600,
) -> Run:
    """Run `command` on the client's core; `prefix` goes before it (a namespace)."""
    result, words = cache / f"result.{os.getpid()}", cache / f"words.{os.getpid()}"
    line = [*prefix, "taskset", "-c", CORE, str(build("measure", cache)), str(result), *command]
    with words.open("wb") as log:
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=log,
            stderr=log,
            env=environment(env or {}),
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Run(timeout, 0, 0, 124, f"no end in {timeout:.0f} s")
    said = words.read_text(errors="replace").strip()
    wall, cpu, memory, code = result.read_text().split()
    complaint = f"exit {code}: {said[-300:]}" if code != "0" else ""
    return Run(float(wall), float(cpu), int(memory) * 1024, int(code), complaint)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's and `more`, without what leads a tool elsewhere: proxies, certificates, accounts."""
    odd = re.compile(r".*_proxy$|AWS_.*|SSL_CERT_.*|.*_CA_BUNDLE|SYNTHESIS_.*", re.IGNORECASE)
    return {**{name: value for name, value in os.environ.items() if not odd.match(name)}, **more}


def complaint(out: Path, files: Iterable[File], *, hashed: bool) -> str:
    """What is missing, of another size or (`hashed`) of another content; empty if nothing is."""
    for file in files:
        path = out / file.name
        try:
            size = path.stat().st_size
        except OSError:
            return f"{file.name} is missing"
        if size != file.size:
            return f"{file.name} has {size} bytes, not {file.size}"
        if hashed and sha256(path) != file.sha256:
            return f"{file.name} is wrong"
    return ""


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def system_calls(command: Sequence[str], *, prefix: Sequence[str], env: Mapping[str, str]) -> int | None:
    """How many system calls a run makes in all, by strace; None where it is not installed or not allowed."""
    if not shutil.which("strace"):
        return None
    line = [*prefix, "strace", "-f", "-c", "-S", "calls", *command]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(env), timeout=600)
    total = re.search(r"^100\.00\s.*?\s(\d+)(?:\s+\d+)?\s+total$", done.stderr, re.MULTILINE)
    return int(total[1]) if total else None
