"""How fast a manifest of 1,000,000 files starts and streams, and what it costs the server in memory.

    python tests/bench/manifest.py [FILES]

Fills the index of a new data folder, starts the real server on it and reads the manifest over HTTP.
"""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.platform import Platform
from synthesis.server.file_name import FileName
from synthesis.server.settings import Settings
from synthesis.server.store import files, jobs, orgs
from synthesis.server.store.engine import open_engine, write
from synthesis.server.store.files import IndexedFile

FLAGS = ("exr", "info", "rgb", "alpha", "depth", "normals", "segments", "clothing_segments")
BATCH = 5000


def fill(platform: Platform, renders: int) -> str:
    """Index `renders` x 8 files; the job's id."""
    engine = open_engine(Settings(data=platform.data).database)
    with write(engine) as db:
        org = orgs.key_of(db, platform.org)
        job = jobs.create(
            db,
            org=org or 0,
            kind="import",
            name="bench",
            spec=None,
            renders_total=renders,
            images_total=renders,
            created_by=None,
            notify_emails=[],
        )
    for start in range(0, renders, BATCH):
        arrived = [
            IndexedFile(FileName(render_id, "default", 1, flag), 100_000 + render_id, os.urandom(32))
            for render_id in range(start, min(start + BATCH, renders))
            for flag in FLAGS
        ]
        with write(engine) as db:
            files.add(db, job.key, arrived)
    engine.dispose()
    return str(job.id)


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(platform: Platform, job: str, query: str, encoding: str) -> str:
    """Read one manifest; a line of a table."""
    assert platform.process is not None
    parts = urlsplit(platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
    head = {"Authorization": f"Bearer {platform.key}", "X-Synthesis-Org": platform.org}
    before = resident(platform.process.pid)
    started = time.perf_counter()
    connection.request(
        "GET", f"/api/v1/jobs/{job}/manifest{query}", headers={**head, "Accept-Encoding": encoding}
    )
    answer = connection.getresponse()
    answer.read(1)
    first = time.perf_counter() - started
    size, peak = 1, before
    while chunk := answer.read(1 << 20):
        size += len(chunk)
        peak = max(peak, resident(platform.process.pid))
    total = time.perf_counter() - started
    connection.close()
    cells = (f"`{query or '(all)'}`", encoding, f"{first * 1000:.0f} ms", f"{total:.1f} s")
    return f"| {' | '.join(cells)} | {size / 1e6:.0f} MB | {peak - before:+.0f} MB |"


def main() -> None:
    """Run and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder) / "data")
        renders = count // len(FLAGS)
        started = time.perf_counter()
        job = fill(platform, renders)
        size = (platform.data / "platform.db").stat().st_size / 1e6
        print(f"indexed {renders * len(FLAGS)} files in {time.perf_counter() - started:.1f} s, {size:.0f} MB")
        platform.start()
        try:
            print("| query | encoding | first byte | all | bytes | server memory |")
            print("| --- | --- | --- | --- | --- | --- |")
            some = f"?assets=rgb,info&render_ids=7,100-{renders - 2}"
            for query in ("", "?assets=rgb", some, f"?render_ids={renders - 1}", "?since=1"):
                for encoding in ("identity", "zstd"):
                    print(measure(platform, job, query, encoding), flush=True)
        finally:
            platform.close()


if __name__ == "__main__":
    main()
