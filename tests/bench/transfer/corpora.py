"""The files that are downloaded: made once in memory, listed in every form that a tool reads."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIB, MIB = 1024, 1024 * 1024
PAGE = 1_000
"""Keys on one page of an S3 listing."""

ABOUT = {
    "A": "20,000 files of 20 KiB",
    "B": "2,000 files of 1 MiB",
    "C": "8 files of 256 MiB",
    "D": "3,000 renders: json of 5-300 KB, png or tif of 20 KB-1 MB, every 48th with an exr of 4-40 MB",
}
BRIEF = {"A": "20,000 x 20 KiB", "B": "2,000 x 1 MiB", "C": "8 x 256 MiB", "D": "3,000 renders"}


@dataclass(frozen=True)
class File:
    """One file as it should arrive."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """A set of files under `root/NAME/`, which the server hands out."""

    name: str
    root: Path
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)

    def write_lists(self, base: str, out: Path, folder: Path) -> None:
        """Write the list of every tool for files at `base` that go to `out`."""
        folder.mkdir(parents=True, exist_ok=True)
        urls = [f"{base}/{self.name}/{file.name}" for file in self.files]
        (folder / "urls").write_text("".join(f"{url}\n" for url in urls))
        (folder / "keys").write_text("".join(f"{file.name}\n" for file in self.files))
        entries = (
            {"url": url, "name": file.name, "size": file.size, "sha256": file.sha256}
            for url, file in zip(urls, self.files, strict=True)
        )
        (folder / "list.ndjson").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
        pairs = zip(urls, self.files, strict=True)
        lines = (f'url = "{url}"\noutput = "{out}/{file.name}"\n' for url, file in pairs)
        (folder / "curl").write_text("".join(lines))


def build(name: str, root: Path, scale: float = 1) -> Corpus:
    """Make a set under `root`, or read it if it is there in this size already."""
    index = root / f"{name}.{scale:g}.json"
    if index.exists():
        return Corpus(name, root, tuple(File(*entry) for entry in json.loads(index.read_text())))
    folder = root / name
    for former in (folder, root / "listing" / name, root / "api" / "v1" / "jobs" / name):
        shutil.rmtree(former, ignore_errors=True)  # of another size
    for former in root.glob(f"{name}.*.json"):
        former.unlink()
    folder.mkdir(parents=True)
    files = []
    for file, size in _shapes(name, scale):
        digest = hashlib.sha256()
        with (folder / file).open("wb") as out:
            for start in range(0, size, MIB):
                data = os.urandom(min(MIB, size - start))
                out.write(data)
                digest.update(data)
        files.append(File(file, size, digest.hexdigest()))
    corpus = Corpus(name, root, tuple(files))
    _write_listing(corpus)
    write_manifest(corpus)
    index.write_text(json.dumps([(file.name, file.size, file.sha256) for file in files]))
    return corpus


def _shapes(name: str, scale: float) -> Iterator[tuple[str, int]]:
    """Name and size of each file of a set."""
    if name == "D":
        draw = random.Random(20260717)
        for render in range(round(3_000 * scale)):
            stem = f"{render}.cam_default.f_1"
            yield f"{stem}.info.json", _between(draw, 5_000, 300_000)
            kind = "depth.tif" if render % 3 == 0 else "rgb.png"
            yield f"{stem}.{kind}", _between(draw, 20_000, 1_000_000)
            if render % 48 == 47:
                yield f"{stem}.exr", _between(draw, 4_000_000, 40_000_000)
        return
    count, size = {"A": (20_000, 20 * KIB), "B": (2_000, MIB), "C": (8, 256 * MIB)}[name]
    if name == "C":
        # Fewer large files would be another case; smaller ones are the same one.
        size = max(MIB, round(size * scale))
    else:
        count = max(1, round(count * scale))
    for at in range(count):
        yield f"{at}.cam_default.f_1.rgb.png", size


def _between(draw: random.Random, least: int, most: int) -> int:
    """A size, evenly drawn by magnitude."""
    return round(least * (most / least) ** draw.random())


def _write_listing(corpus: Corpus) -> None:
    """Pages of an S3 ListObjectsV2 as static files; the server maps continuation tokens to them."""
    place = corpus.root / "listing" / corpus.name
    place.mkdir(parents=True)
    # S3 lists by name, and tools that compare with a folder rely on it.
    files = sorted(corpus.files, key=lambda file: file.name)
    pages = [files[at : at + PAGE] for at in range(0, len(files), PAGE)]
    for number, page in enumerate(pages):
        is_last = number == len(pages) - 1
        token = "" if is_last else f"<NextContinuationToken>p{number + 1}</NextContinuationToken>"
        # An ETag with a dash is no md5, so nobody pays for one.
        contents = "".join(
            f"<Contents><Key>{file.name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{file.sha256[:32]}-1"</ETag><Size>{file.size}</Size>'
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for file in page
        )
        (place / f"{number}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{corpus.name}</Name><Prefix></Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{str(not is_last).lower()}</IsTruncated>"
            f"{token}{contents}</ListBucketResult>"
        )


def write_manifest(corpus: Corpus) -> None:
    """The same files as the platform would list them."""
    place = corpus.root / "api" / "v1" / "jobs" / corpus.name
    place.mkdir(parents=True, exist_ok=True)
    head = {"job": corpus.name, "generation": 1, "complete": True}
    head |= {
        "count": len(corpus.files),
        "bytes": corpus.size,
        "url": f"/{corpus.name}/{{name}}",
        "expires": None,
    }
    with (place / "manifest").open("w") as out:
        out.write(json.dumps(head) + "\n")
        for at, file in enumerate(corpus.files):
            out.write(
                json.dumps({"n": file.name, "a": "rgb", "r": at, "b": file.size, "h": file.sha256}) + "\n"
            )
        out.write('{"end": true, "next": null}\n')
