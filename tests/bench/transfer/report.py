"""Results as Markdown tables, and their place in the documents."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.transfer.peers import OURS, TOOLS

if TYPE_CHECKING:
    from bench.transfer.cells import Place, Result

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "benchmarks.md"


def machine(place: Place) -> str:
    """Date, machine, and the version of everything that took part."""
    cpu = _word("/proc/cpuinfo", "model name")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    control = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.partition("/")[2].strip()
    versions = {tool.name: tool.version(place.venv) for tool in TOOLS[2:]}
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    absent = ", ".join(name for name, version in versions.items() if not version)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip()}; {os.cpu_count()} cores of {cpu}, "
        f"{memory:.0f} GiB, Linux {platform.release()}, TCP {control}, Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f}. nginx {nginx}; {there}."
        + (f" Not there: {absent}." if absent else "")
    )


def table(result: Result) -> str:
    """One cell: the tools by time; ratios are to ours with the plain list."""
    ours = result.wall(OURS.name)
    cell = result.cell
    head = "| tool | wall s | ratio | files/s | MB/s | CPU ms a file | peak MiB | system calls a file |"
    lines = [f"**{cell.title}**", "", head, "| --- " + "| ---: " * 7 + "|"]
    names = sorted(result.runs, key=lambda name: result.wall(name) or 1e9)
    for name in names:
        wall, cpu = result.wall(name), result.cpu(name)
        if wall is None or cpu is None:
            lines.append(f"| {name} | {_short(result.runs[name][-1].complaint)} | | | | | | |")
            continue
        ratio = f"{wall / ours:.2f}" if ours else ""
        each = cpu / result.files * 1000
        calls = f"{result.calls[name]:.1f}" if name in result.calls else ""
        figures = [f"{wall:.2f}", ratio, f"{result.files / wall:,.0f}", f"{result.size / wall / 1e6:,.0f}"]
        figures += [f"{each:.3f}" if each < 1 else f"{each:.0f}", f"{result.memory(name) / 2**20:.0f}", calls]
        bad = len(result.runs[name]) - len(result.good(name))
        lines.append(f"| {name}{f' ({bad} runs wrong)' if bad else ''} | {' | '.join(figures)} |")
    lines += [f"| {name} | {why} | | | | | | |" for name, why in result.refused.items()]
    if result.sweep:
        numbers = " | ".join(str(number) for number in result.sweep)
        walls = " | ".join(f"{wall:.2f}" for wall in result.sweep.values())
        lines += [
            "",
            f"| ours at a fixed number | {numbers} |",
            "| --- " + "| ---: " * len(result.sweep) + "|",
        ]
        lines += [f"| wall s | {walls} |"]
    return "\n".join(lines)


def write_between(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a page."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = page.read_text()
    before, found, rest = whole.partition(start)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{page} has no place called {name}")
    page.write_text(f"{before}{start}\n\n{text.strip()}\n\n{end}{after}")


def _short(text: str) -> str:
    """A complaint that fits a cell."""
    line = " ".join(text.split()).replace("|", "/")
    return line[:60] or "failed"


def _word(path: str, key: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "unknown")


def tools_there() -> str | None:
    """What the bench itself lacks, or None."""
    absent = [name for name in ("nginx", "openssl", "taskset", "cc") if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else None
