"""A cell: one set of files at one round trip, fetched by every tool in turn."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.transfer import corpora, measure
from bench.transfer.network import Network
from bench.transfer.peers import OURS, OURS_CHECKED, Task, Tool
from bench.transfer.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.transfer.corpora import Corpus
    from bench.transfer.measure import Run


@dataclass(frozen=True)
class Place:
    """Where the bench keeps things.

    Attributes:
        base: corpora and outputs, best in memory.
        cache: compiled helpers and the peers' environment.
    """

    base: Path
    cache: Path

    @property
    def root(self) -> Path:
        """What the server hands out."""
        return self.base / "root"

    @property
    def venv(self) -> Path:
        """The peers from PyPI."""
        return self.cache / "peers"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other bench of this machine measures: two at once measure each other."""
        with (Path(tempfile.gettempdir()) / "synthesis-bench.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class Cell:
    """What is measured: a set, a round trip, how many in flight (None: each tool's default), TLS or not.

    With `ours_free`, our own tool is given no number, whatever the others are given.
    """

    corpus: str
    rtt_ms: float
    in_flight: int | None
    tls: bool = False
    ours_free: bool = False
    rate: int = 0
    loss: float = 0

    @property
    def brief(self) -> str:
        """For a line of a table."""
        flight = f"{self.in_flight} in flight" if self.in_flight else "own numbers"
        return (
            f"{corpora.BRIEF[self.corpus]}, {f'{self.rtt_ms:g} ms' if self.rtt_ms else 'loopback'}, {flight}"
        )

    def flight_of(self, tool: Tool) -> int | None:
        """The number that a tool is given."""
        return None if self.ours_free and tool in (OURS, OURS_CHECKED) else self.in_flight

    @property
    def title(self) -> str:
        """For people."""
        where = f"{self.rtt_ms:g} ms round trip" if self.rtt_ms else "loopback"
        flight = f"{self.in_flight} in flight" if self.in_flight else "each tool's own number in flight"
        if self.in_flight and self.ours_free:
            flight += " for the others, ours finds its own number"
        return f"{corpora.ABOUT[self.corpus]}, {where}, {flight}{', TLS' if self.tls else ''}"


@dataclass
class Result:
    """The runs of one cell.

    Attributes:
        runs: for each tool, in order.
        calls: system calls a file, where they were counted.
        refused: why a tool has no runs.
        sweep: medians of our wall time for each fixed number in flight.
        traffic: what the link carried.
    """

    cell: Cell
    files: int
    size: int
    runs: dict[str, list[Run]] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    sweep: dict[int, float] = field(default_factory=dict)
    traffic: str = ""

    def good(self, name: str) -> list[Run]:
        """The runs of a tool whose files were all right."""
        return [run for run in self.runs.get(name, []) if not run.complaint]

    def wall(self, name: str) -> float | None:
        """Median seconds of a tool's good runs; None if there is none."""
        good = self.good(name)
        return statistics.median(run.wall for run in good) if good else None

    def cpu(self, name: str) -> float | None:
        """Median CPU seconds of a tool's good runs; None if there is none."""
        good = self.good(name)
        return statistics.median(run.cpu for run in good) if good else None

    def memory(self, name: str) -> int:
        """The most memory of a tool's runs."""
        return max((run.memory for run in self.runs.get(name, [])), default=0)

    def best_peer(self, by: Callable[[str], float | None]) -> tuple[str, float] | None:
        """The other with the least of something, and how much it is."""
        figures = [(name, figure) for name in self.peers() if (figure := by(name)) is not None]
        return min(figures, key=lambda pair: pair[1], default=None)

    def peers(self) -> list[str]:
        """The others that brought all files."""
        ours = (OURS.name, OURS_CHECKED.name)
        return [name for name in self.runs if name not in ours and self.good(name)]


def run_cell(
    cell: Cell,
    tools: Sequence[Tool],
    place: Place,
    *,
    runs: int,
    scale: float,
    sweep: Sequence[int] = (),
    calls: bool = False,
) -> Result:
    """Run every tool of a cell `runs` times, taking turns, and our own at each number of `sweep`."""
    with place.alone(), Network(cell.rtt_ms, place.cache, cell.rate, cell.loss) as network:
        corpus = corpora.build(cell.corpus, place.root, scale)
        result = Result(cell, len(corpus.files), corpus.size)
        # The first look at every byte is the server's cache's, not the first tool's.
        for file in corpus.files:
            (place.root / corpus.name / file.name).read_bytes()
        with serving(place.root, place.base / "nginx", network) as server:
            stage = Stage(cell, corpus, place, network, server)
            for turn in range(runs):
                for tool in tools:
                    stage.turn(tool, result, turn)
            for number in sweep:
                swept = [stage.run(OURS, number, hashed=False) for _ in range(max(1, runs // 2))]
                good = [run.wall for run in swept if run and not run.complaint]
                if good:
                    result.sweep[number] = statistics.median(good)
            for tool in tools if calls else ():
                stage.count(tool, result)
    result.traffic = network.traffic
    return result


@dataclass
class Stage:
    """A server with its files and a client's side of the network."""

    cell: Cell
    corpus: Corpus
    place: Place
    network: Network
    server: Server

    def turn(self, tool: Tool, result: Result, turn: int) -> None:
        """One run of a tool, noted in `result`; a tool that failed twice is left out."""
        if (
            tool.name in result.refused
            or len(result.runs.get(tool.name, [])) > len(result.good(tool.name)) + 1
        ):
            return
        if not turn and tool.version(self.place.venv) is None:
            result.refused[tool.name] = "not installed"
            return
        run = self.run(tool, self.cell.flight_of(tool), hashed=not turn)
        if run is None:
            result.refused[tool.name] = "cannot do this"
            return
        print(
            f"{tool.name}: {run.wall:.2f} s, CPU {run.cpu:.2f} s {run.complaint}", file=sys.stderr, flush=True
        )
        result.runs.setdefault(tool.name, []).append(run)

    def run(self, tool: Tool, in_flight: int | None, *, hashed: bool) -> Run | None:
        """One cold run into an empty folder, checked."""
        with self.task(in_flight) as task:
            line = tool.line(task)
            if line is None:
                return None
            prefix = self.network.client
            run = measure.run(line, cache=self.place.cache, prefix=prefix, env=self.environment(task))
            if run.complaint:
                return run
            wrong = measure.complaint(task.out, self.corpus.files, hashed=hashed)
            return measure.Run(run.wall, run.cpu, run.memory, run.code, wrong)

    def count(self, tool: Tool, result: Result) -> None:
        """System calls a file: those of the whole less those of a list of two files, which are its start."""
        if not result.good(tool.name) or len(self.corpus.files) < 100:
            return
        few = corpora.Corpus(self.corpus.name, self.corpus.root, self.corpus.files[:2])
        fetched, totals = [], []
        for corpus in (few, self.corpus):
            with self.task(self.cell.flight_of(tool), corpus) as task:
                env = self.environment(task)
                line = tool.line(task) or []
                totals.append(measure.system_calls(line, prefix=self.network.client, env=env))
                fetched.append(sum(1 for _ in task.out.iterdir()))
        if None in totals:
            return
        start = 0 if fetched[0] == fetched[1] else totals[0]  # what lists a bucket takes all of it both times
        result.calls[tool.name] = (totals[1] - start) / (fetched[1] - (fetched[0] if start else 0))

    @contextlib.contextmanager
    def task(self, in_flight: int | None, corpus: Corpus | None = None) -> Iterator[Task]:
        """An empty folder and lists that lead there; both are gone afterwards."""
        corpus = corpus or self.corpus
        out, lists = self.place.base / "out", self.place.base / "lists"
        for folder in (out, lists):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        url = self.server.https if self.cell.tls else self.server.http
        corpus.write_lists(url, out, lists)
        certificate = self.server.certificate if self.cell.tls else None
        large = corpus.size > 8 * corpora.MIB * len(corpus.files)
        yield Task(url, corpus.name, lists, out, in_flight, large, self.place.venv, certificate)
        shutil.rmtree(out)

    def environment(self, task: Task) -> dict[str, str]:
        """Of a user who was never here: nothing learnt, no configuration."""
        home = str(task.lists / "home")
        names = dict.fromkeys(
            ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), home
        )
        trust = {"SSL_CERT_FILE": str(task.certificate)} if task.certificate else {}
        return {
            **names,
            **trust,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SYNTHESIS_CONFIG": f"{home}/config.json",
        }
