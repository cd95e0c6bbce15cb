"""How fast the embedded server hands out files: many small ones, and a few large ones.

    python tests/bench/files.py [FILES]

The client is a bare asyncio loop in this process; server and client share the machine.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.platform import Platform

SMALL, LARGE, LARGE_COUNT = 20_000, 256 << 20, 4


async def fetch(platform: Platform, targets: list[str], connections: int) -> int:
    """GET every target over a few kept-alive connections; bytes received."""
    parts = urlsplit(platform.url)
    waiting = iter(targets)
    received = 0

    async def work() -> None:
        nonlocal received
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 22)
        for target in waiting:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert head.startswith("http/1.1 200"), head
            left = int(head.split("content-length: ")[1].split("\r\n")[0])
            while left:
                chunk = await reader.read(min(left, 1 << 20))
                left -= len(chunk)
                received += len(chunk)
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return received


def run(platform: Platform, job: str, connections: int) -> str:
    """Fetch a whole job; a line of a table."""
    head, *lines, _ = platform.manifest(job)
    targets = [head["url"].replace("{name}", quote(line["n"])) for line in lines]
    started, cpu = time.perf_counter(), used(platform)
    received = asyncio.run(fetch(platform, targets, connections))
    seconds = time.perf_counter() - started
    assert received == head["bytes"]
    each = (used(platform) - cpu) / len(lines) * 1000
    cells = [f"{len(lines)} x {lines[0]['b']:,} B", str(connections), f"{seconds:.2f} s"]
    cells += [f"{len(lines) / seconds:,.0f}", f"{received / seconds / 1e6:,.0f}", f"{each:.2f} ms"]
    return f"| {' | '.join(cells)} |"


def used(platform: Platform) -> float:
    """CPU seconds that the server has used."""
    assert platform.process is not None
    fields = Path(f"/proc/{platform.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        platform = Platform(root / "data")
        for name, number, size in (("small", count, SMALL), ("large", LARGE_COUNT, LARGE)):
            (root / name).mkdir()
            block = os.urandom(size)
            for index in range(number):
                (root / name / f"{index}.rgb.png").write_bytes(block)
        jobs = [platform.import_folder(root / name) for name in ("small", "large")]
        platform.start()
        try:
            print("| files | connections | time | files/s | MB/s | server CPU per file |")
            print("| --- | --- | --- | --- | --- | --- |")
            for job, connections in ((jobs[0], 1), (jobs[0], 16), (jobs[1], 1), (jobs[1], 4)):
                print(run(platform, job, connections), flush=True)
        finally:
            platform.close()


if __name__ == "__main__":
    main()
