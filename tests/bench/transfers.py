"""Times downloads of two sets of files from a local nginx, ours beside curl, aria2 and wget2.

Server on core 0, client on core 1, 35 in flight, output in memory (`/dev/shm`) or a folder of choice. The
tools take turns, `--runs` times; every run's output is counted and sized, the first one's hashed. Wall
and CPU time and peak memory are those of the whole child process, the interpreter included. Set N is a
manifest of a million files that are all there: what a second run costs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fakes import nginx

KIB, MIB = 1024, 1024 * 1024
IN_FLIGHT = 35
SETS = {"A": (20_000, 20 * KIB), "C": (8, 256 * MIB), "N": (1_000_000, 0)}
AGAIN = "synthesis, run again: nothing to do"
OURS = """
import sys
from synthesis.ops.download import download
from synthesis.transport import Transport
url, job, folder, concurrency = sys.argv[1:]
summary = download(Transport(url), job, assets=["rgb"], directory=folder, concurrency=int(concurrency))
sys.exit(len(summary.failures))
"""
SERVER, CLIENT = ("taskset", "-c", "0"), ("taskset", "-c", "1")


@dataclass(frozen=True)
class Run:
    """One child process: seconds, CPU seconds, peak memory in bytes."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Case:
    """One set of files as it is served, with the lists that the tools read."""

    name: str
    count: int
    size: int
    url: str
    lists: Path

    def commands(self, out: Path) -> dict[str, list[str]]:
        """What each tool is asked to run; the first is ours."""
        flight = str(IN_FLIGHT)
        ours = [sys.executable, "-c", OURS, self.url, self.name, str(out), flight]
        curl = ["curl", "-sS", "-Z", "--parallel-max", flight, "-K", f"{self.lists}/curl"]
        hashed = f"{shlex.join(curl)} && cd {out} && openssl dgst -sha256 -r *"
        aria = ["-i", f"{self.lists}/urls", "-d", str(out), "-j", flight, "-x4", "-s4", "-q"]
        return {
            "synthesis": ours,
            "curl -Z": curl,
            "curl -Z, then sha256 by openssl": ["sh", "-c", hashed],
            "wget2": ["wget2", "-q", "--max-threads", flight, "-i", f"{self.lists}/urls", "-P", str(out)],
            "aria2": [
                "aria2c",
                *aria,
                "--file-allocation=none",
                "--allow-overwrite=true",
                "--summary-interval=0",
            ],
        }


def make_set(name: str, count: int, size: int, root: Path) -> None:
    """Write the files of a set and, where the platform would have it, its manifest under `root`."""
    folder, place = root / name / "files", root / "api" / "v1" / "jobs" / name
    folder.mkdir(parents=True)
    place.mkdir(parents=True)
    header = {"job": name, "generation": 1, "complete": True, "count": count, "bytes": count * size}
    lines = [json.dumps({**header, "url": f"/{name}/files/{{name}}", "expires": None})]
    for at in range(count):
        file, digest = f"{at}.cam_default.f_1.rgb.png", hashlib.sha256()
        with (folder / file).open("wb") as out:
            for start in range(0, size, MIB):
                data = os.urandom(min(MIB, size - start))
                out.write(data)
                digest.update(data)
        lines.append(json.dumps({"n": file, "a": "rgb", "r": at, "b": size, "h": digest.hexdigest()}))
    lines.append('{"end": true, "next": null}')
    (place / "manifest").write_text("\n".join(lines) + "\n")


def make_lists(case: Case, out: Path) -> None:
    """Write the URL lists of curl (with its outputs), aria2 and wget2."""
    case.lists.mkdir()
    names = [f"{at}.cam_default.f_1.rgb.png" for at in range(case.count)]
    (case.lists / "urls").write_text("".join(f"{case.url}/{case.name}/files/{name}\n" for name in names))
    pairs = (f'url = "{case.url}/{case.name}/files/{name}"\noutput = "{out}/{name}"\n' for name in names)
    (case.lists / "curl").write_text("".join(pairs))


def measure(command: list[str], record: Path) -> Run:
    """Run a command on the client's core; GNU time measures it, because a child of ours would start
    its peak memory at this interpreter's."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    timed = ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", str(record), *CLIENT, *command]
    began = time.perf_counter()
    done = subprocess.run(timed, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}\n{done.stderr[-2000:]}")
    user, system, memory = record.read_text().split()
    return Run(wall, float(user) + float(system), int(memory) * KIB)


def check(case: Case, out: Path, source: Path, *, hashes: bool) -> None:
    """Count and size the output; compare hashes when asked."""
    sizes = [path.stat().st_size for path in out.iterdir()]
    if len(sizes) != case.count or set(sizes) != {case.size}:
        raise SystemExit(f"{case.name}: {len(sizes)} files of {sorted(set(sizes))[:3]} bytes")
    for path in out.iterdir() if hashes else ():
        with path.open("rb") as one, (source / path.name).open("rb") as two:
            if hashlib.file_digest(one, "sha256").digest() != hashlib.file_digest(two, "sha256").digest():
                raise SystemExit(f"{case.name}: {path.name} is wrong")


def run_case(case: Case, out: Path, source: Path, runs: int) -> dict[str, list[Run]]:
    """Let the tools take turns `runs` times, after one round that warms up and is hashed, not counted."""
    make_lists(case, out)
    results: dict[str, list[Run]] = {}
    tools = list(case.commands(out).items())
    for turn in range(runs + 1):
        for tool, command in tools[turn % len(tools) :] + tools[: turn % len(tools)]:
            out.mkdir()
            results.setdefault(tool, []).append(measure(command, case.lists / "time"))
            check(case, out, source, hashes=turn == 0)
            if tool == "synthesis":
                results.setdefault(AGAIN, []).append(measure(command, case.lists / "time"))
                check(case, out, source, hashes=False)
            shutil.rmtree(out)
    return {tool: counted for tool, (_, *counted) in results.items()}


def run_present(case: Case, out: Path, runs: int) -> dict[str, list[Run]]:
    """Run ours alone on a folder that has every file."""
    case.lists.mkdir()
    out.mkdir()
    for at in range(case.count):
        (out / f"{at}.cam_default.f_1.rgb.png").touch()
    command = case.commands(out)["synthesis"]
    results = [measure(command, case.lists / "time") for _ in range(runs)]
    shutil.rmtree(out)
    return {"synthesis": results}


def table(case: Case, results: dict[str, list[Run]]) -> str:
    """The medians as Markdown; ratios are to ours."""
    rows = {
        tool: [statistics.median(getattr(run, key) for run in runs) for key in ("wall", "cpu", "memory")]
        for tool, runs in results.items()
    }
    ours = rows["synthesis"][0]
    total = case.count * case.size / MIB
    lines = [
        f"**{case.name}: {case.count:,} files of {case.size // KIB:,} KiB**",
        "",
        "| tool | wall s | against ours | files/s | MiB/s | CPU us a file | peak memory MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for tool, (wall, cpu, memory) in sorted(rows.items(), key=lambda row: row[1][0]):
        cells = [f"{wall:.2f}", f"{wall / ours:.2f}", f"{case.count / wall:,.0f}", f"{total / wall:,.0f}"]
        cells += [f"{cpu / case.count * 1e6:,.0f}", f"{memory / MIB:.0f}"]
        lines.append(f"| {tool} | {' | '.join(cells)} |")
    return "\n".join(lines)


def versions() -> str:
    """One line that names what was measured, and on what."""
    asked = (["nginx", "-v"], ["curl", "--version"], ["wget2", "--version"], ["aria2c", "--version"])
    lines = [subprocess.run(command, capture_output=True, text=True, check=True) for command in asked]
    tools = [(line.stdout + line.stderr).splitlines()[0].split(" (")[0] for line in lines]
    return (
        f"{', '.join(tools)}; Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    )


def main() -> None:
    """Parse, prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="A,C,N", help="which sets to run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="a share of each set's files")
    parser.add_argument(
        "--folder", type=Path, default=Path("/dev/shm"), help="where files come from and go to"
    )
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="bench-transfers-", dir=options.folder))
    try:
        (base / "nginx").mkdir()
        print(versions(), flush=True)
        for name in options.sets.split(","):
            count, size = SETS[name]
            count = max(1, round(count * options.scale))
            make_set(name, count, size, base / "root")
            with nginx.serving(base / "root", base / "nginx", prefix=SERVER) as url:
                case = Case(name, count, size, url, base / f"lists-{name}")
                if size:
                    results = run_case(case, base / "out", base / "root" / name / "files", options.runs)
                else:
                    results = run_present(case, base / "out", options.runs)
            print("\n" + table(case, results), flush=True)
            shutil.rmtree(base / "root")
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
