"""Let every downloader meet every fault, and write what came of it to docs/faults.md.

    python tests/bench/faults.py [--cases 503,stall] [--tools synthesis,curl] [--limit 45] [--write]

The servers' faults are those of `fakes/catalogue.py`; those of the client's own side (killed, disk full) are
here. Tools are called as a careful user would call them (`transfer/careful.py`). Verdicts:

    ok        all files right and exit 0; where that cannot be, an exit other than 0 and nothing wrong
    missing   files absent that could be had, and an exit other than 0
    WRONG     a bad file under its final name, and an exit other than 0
    LIES      a bad or absent file, and exit 0
    HANG      no end within the limit
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.transfer import measure, peers, report
from bench.transfer.careful import CAREFUL
from bench.transfer.cells import Place
from bench.transfer.corpora import Corpus
from bench.transfer.corpora import File as Listed
from fakes import catalogue, faults
from fakes.faulty import BUCKET, FaultyServer, File, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.transfer.peers import Tool

LARGE = 32_000_000
OURS = ("synthesis, manifest", "synthesis, list")
"""The columns that must be ok throughout."""
LINKS = {"expired", "clock-ahead", "clock-behind"}
"""Only a manifest gives new links for old ones: for a list, an honest end is all that can be."""
TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"


@dataclass(frozen=True)
class Scene:
    """A fault of the client's side: `play` runs a tool through it and returns its last exit code."""

    name: str
    what: str
    play: Callable[[Stage], int | None]
    right: bool = True


@dataclass
class Stage:
    """One tool before one fault.

    Attributes:
        tool: who downloads.
        folder: everything of this run.
        venv: the peers' environment.
        limit: seconds that a run may take.
        refetched: share of the bytes that a second run fetched again, where there was one.
        short: files that were short under their final names after a kill.
    """

    tool: Tool
    folder: Path
    venv: Path
    limit: float
    refetched: float | None = None
    short: int = 0

    @property
    def out(self) -> Path:
        """Where files go."""
        return self.folder / "out"

    def start(self, base: str, names: list[Listed]) -> subprocess.Popen[bytes]:
        """Start the tool on the files of the bucket at `base`."""
        lists = self.folder / "lists"
        Corpus(BUCKET, self.folder, tuple(names)).write_lists(base, self.out, lists)
        self.out.mkdir(exist_ok=True)
        line = self.tool.line(peers.Task(base, BUCKET, lists, self.out, 16, False, self.venv)) or []
        home = {"HOME": str(self.folder / "home"), "AWS_EC2_METADATA_DISABLED": "true"}
        with (self.folder / "words").open("ab") as log:
            return subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=measure.environment(home),
                start_new_session=True,
            )

    def finish(self, process: subprocess.Popen[bytes]) -> int | None:
        """Its exit code, or None if our limit ended it."""
        try:
            return process.wait(self.limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to all that the tool started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def listed(server: FaultyServer) -> list[Listed]:
    """The server's files as lists have them."""
    return [Listed(file.name, len(file.data), file.sha256) for file in server.lines]


def killed(prepare: Callable[[FaultyServer], None]) -> Callable[[Stage], int | None]:
    """SIGKILL when half has been sent, then `prepare` the server and run again."""

    def play(stage: Stage) -> int | None:
        large = [File(f"{at:03}.exr", made(LARGE, at), render_id=at) for at in range(4)]
        with FaultyServer(large, key=None) as server:
            server.pace = 0.004
            files = listed(server)
            first = stage.start(server.url, files)
            end = time.monotonic() + stage.limit
            while sum(server.sent.values()) < 2 * LARGE and time.monotonic() < end and first.poll() is None:
                time.sleep(0.01)
            stop(first)
            sizes = [p.stat().st_size for f in files if (p := stage.out / f.name).is_file()]
            stage.short = sum(1 for size in sizes if size < LARGE)
            sent = sum(server.sent.values())
            server.pace = 0
            prepare(server)
            code = stage.finish(stage.start(server.url, files))
            stage.refetched = (sum(server.sent.values()) - sent) / (4 * LARGE)
            expected = {file.name: file.sha256 for file in listed(server)}
        (stage.folder / "expected.json").write_text(json.dumps(expected))
        return code

    return play


def ignore_ranges(server: FaultyServer) -> None:
    """From now on the whole file comes, whatever range is asked for."""
    server.faults = {file.name: [faults.always(faults.no_range())] for file in server.lines}


def full(stage: Stage) -> int | None:
    """A disk that holds a third."""
    stage.out.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={LARGE * 4 // 3}", "tmpfs", str(stage.out)]
    subprocess.run(mount, check=True, capture_output=True)
    files = [File(f"{at:03}.exr", made(LARGE, at), render_id=at) for at in range(4)]
    with FaultyServer(files, key=None) as server:
        code = stage.finish(stage.start(server.url, listed(server)))
        expected = {file.name: file.sha256 for file in server.lines}
    (stage.folder / "expected.json").write_text(json.dumps(expected))
    return code


def as_before(server: FaultyServer) -> None:
    """Nothing happened meanwhile."""


SCENES = {
    scene.name: scene
    for scene in (
        Scene("killed", "SIGKILL at half, run again", killed(as_before)),
        Scene("killed-200", "the same, and the server now ignores Range", killed(ignore_ranges)),
        Scene("disk-full", "the disk is full after a third", full, right=False),
    )
}


def serve(case: str, stage: Stage) -> int | None:
    """A server's fault, served by a process of its own."""
    place = stage.folder / "served"
    line = [sys.executable, "-m", "fakes.catalogue", "serve", case, "--out", str(place)]
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    server = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        said = json.loads(server.stdout.readline())
        lines = [json.loads(line) for line in (place / "list.ndjson").read_text().splitlines()]
        files = [Listed(line["name"], line["size"], line["sha256"]) for line in lines]
        code = stage.finish(stage.start(said["url"], files))
    finally:
        server.kill()
        server.wait()
    (stage.folder / "expected.json").write_text(json.dumps({file.name: file.sha256 for file in files}))
    return code


def meet(tool: Tool, name: str, place: Place, limit: float) -> str:
    """What comes of one tool and one fault: a verdict, with a word more where there is one to say."""
    folder = Path(tempfile.mkdtemp(prefix="bench-faults-", dir=place.base))
    stage = Stage(tool, folder, place.venv, limit)
    scene = SCENES.get(name)
    try:
        started = time.monotonic()
        code = scene.play(stage) if scene else serve(name, stage)
        if code is None:
            return "HANG"
        expected = json.loads((folder / "expected.json").read_text())
        case = scene or catalogue.CASES[name]
        if name == "resume-changed" and tool.name not in OURS:
            expected = as_changed(expected, stage.out)
        if name in LINKS and tool.name != OURS[0]:
            case = dataclasses.replace(catalogue.CASES[name], right=False)
        word = catalogue.verdict(case, expected, stage.out, code)
        more = [f"{time.monotonic() - started:.0f} s"] if time.monotonic() - started > 10 else []
        if stage.refetched is not None:
            more = [f"{stage.refetched:.0%} again", *([f"{stage.short} short"] if stage.short else [])]
        return f"{word} ({', '.join(more)})" if more else word
    finally:
        subprocess.run(["umount", "-q", str(stage.out)], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def as_changed(expected: dict[str, str], out: Path) -> dict[str, str]:
    """Who knows no sha256 may bring the file as it is now, if it is whole."""
    new = hashlib.sha256(made(catalogue.BIG, seed=99)).hexdigest()
    whole = {name for name in expected if (out / name).is_file() and measure.sha256(out / name) == new}
    return {name: new if name in whole else old for name, old in expected.items()}


def table(found: dict[tuple[str, str], str], names: list[str], tools: list[Tool]) -> str:
    """A row for each fault, a column for each tool, and the sums."""
    what = {name: case.what for name, case in {**catalogue.CASES, **SCENES}.items()}
    lines = [f"| fault | {' | '.join(tool.name for tool in tools)} |", "| --- " * (len(tools) + 1) + "|"]
    for name in names:
        hashed = " #" if getattr(catalogue.CASES.get(name), "needs_hash", False) else ""
        cells = [found[tool.name, name] for tool in tools]
        lines.append(f"| {what[name]}{hashed} | {' | '.join(_shown(cell) for cell in cells)} |")
    sums = []
    for tool in tools:
        count = Counter(found[tool.name, name].partition(" ")[0] for name in names)
        sums.append(f"**{count['ok']} of {len(names)}**")
    return "\n".join([*lines, f"| **ok** | {' | '.join(sums)} |"])


def _shown(cell: str) -> str:
    word, _, more = cell.partition(" ")
    return cell if word in {"ok", "missing"} else f"**{word}** {more}".strip()


def options() -> argparse.Namespace:
    """The command line."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "synthesis-bench"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", default="", help="names of faults; all if not given")
    parser.add_argument("--tools", default="", help="beginnings of tools' names; all if not given")
    parser.add_argument("--limit", type=float, default=45, help="seconds until it is called a hang")
    parser.add_argument("--jobs", type=int, default=4, help="how many at one time")
    parser.add_argument("--cache", type=Path, default=cache, help="for the peers")
    parser.add_argument("--no-install", action="store_true", help="take only peers that are there")
    parser.add_argument("--write", action="store_true", help="put the table into docs/faults.md")
    return parser.parse_args()


@contextlib.contextmanager
def somewhere(cache: Path) -> Iterator[Place]:
    """A folder in memory for all runs."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as base:
        yield Place(Path(base), cache)


def main() -> int:
    """Run, print, and write."""
    asked = options()
    with somewhere(asked.cache) as place:
        if not asked.no_install:
            peers.install(place.venv)
        known = [
            *catalogue.CASES,
            *(SCENES if os.geteuid() == 0 else [n for n in SCENES if n != "disk-full"]),
        ]
        names = asked.cases.split(",") if asked.cases else known
        wanted = [word.strip().lower() for word in asked.tools.split(",") if word.strip()]
        tools = [t for t in CAREFUL if not wanted or any(t.name.lower().startswith(w) for w in wanted)]
        absent = [tool.name for tool in tools if tool.version(place.venv) is None]
        tools = [tool for tool in tools if tool.name not in absent]
        found: dict[tuple[str, str], str] = {}

        def one(pair: tuple[Tool, str]) -> None:
            tool, name = pair
            found[tool.name, name] = meet(tool, name, place, asked.limit)
            print(f"{tool.name}: {name}: {found[tool.name, name]}", file=sys.stderr, flush=True)

        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(one, [(tool, name) for name in names for tool in tools]))
        text = f"{report.machine(place)}\n\n{table(found, names, tools)}"
        text += f"\n\nNot there: {', '.join(absent)}." if absent else ""
    print(text)
    if asked.write:
        report.write_between(PAGE, "matrix", text)
    return int(any(not found.get((ours, name), "ok").startswith("ok") for name in names for ours in OURS))


if __name__ == "__main__":
    sys.exit(main())
