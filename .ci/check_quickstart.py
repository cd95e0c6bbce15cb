"""Look hard at what `synthesis quickstart` left in its folder; exit 1 with every fault found."""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import zlib
from pathlib import Path

RENDERS, SIDE = 6, 512
SUFFIXES = {"exr", "info.json", "rgb.png", "alpha.tif", "depth.tif", "normals.tif", "segments.png"}
NAME = re.compile(r"(\d+)\.cam_([^.]+)\.f_(\d+)\.(.+)")


def png_rows(path: Path) -> tuple[int, int, bytes]:
    """Width, height and the filtered rows of a PNG whose chunks all check."""
    data = path.read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG signature")
    at, body, width, height = 8, b"", 0, 0
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        chunk = data[at + 8 : at + 8 + length]
        if zlib.crc32(kind + chunk) != struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]:
            raise ValueError(f"chunk {kind!r} fails its check")
        if kind == b"IHDR":
            width, height = struct.unpack(">II", chunk[:8])
        if kind == b"IDAT":
            body += chunk
        at += 12 + length
    return width, height, zlib.decompress(body)


def check(folder: Path) -> list[str]:
    """Every fault of the folder."""
    faults: list[str] = []
    width, height, rows = png_rows(folder / "contact_sheet.png")
    if width < RENDERS * 100 or height < 400 or len(set(rows)) < 100:
        faults.append(f"contact_sheet.png is {width} x {height} with {len(set(rows))} byte values")
    downloads = folder / "downloads"
    seen: dict[str, set[str]] = {}
    for entry in sorted(downloads.iterdir()):
        match = NAME.fullmatch(entry.name)
        if match:
            seen.setdefault(match[1], set()).add(match[4])
            if entry.suffix == ".png" and png_rows(entry)[:2] != (SIDE, SIDE):
                faults.append(f"{entry.name} is not {SIDE} x {SIDE}")
            if entry.suffix == ".json" and json.loads(entry.read_bytes())["version"] != "1.5":
                faults.append(f"{entry.name} is not version 1.5")
        elif entry.name != "metadata.jsonl":
            faults.append(f"{entry.name} does not belong in a finished folder")
    if set(seen) != {str(n) for n in range(RENDERS)}:
        faults.append(f"renders {sorted(seen)} instead of {RENDERS}")
    faults += [f"render {r} lacks {sorted(SUFFIXES - have)}" for r, have in seen.items() if SUFFIXES - have]
    lines = [json.loads(line) for line in (downloads / "metadata.jsonl").read_bytes().splitlines()]
    if [line["render_id"] for line in lines] != list(range(RENDERS)):
        faults.append("metadata.jsonl does not list the renders in order")
    if len({line["scene"]["identity"]["id"] for line in lines}) != 3:
        faults.append("metadata.jsonl does not name three identities")
    home = Path(os.environ["HOME"])
    faults += [f"{p} was touched" for p in (home / ".config" / "synthesis",) if p.exists()]
    mode = (folder / "config.json").stat().st_mode & 0o777
    if mode != 0o600:
        faults.append(f"config.json has mode {mode:o}")
    if (folder / "data" / "server.json").exists():
        faults.append("the platform still runs")
    return faults


if __name__ == "__main__":
    found = check(Path(sys.argv[1]))
    for fault in found:
        print(f"quickstart: {fault}", file=sys.stderr)
    print("quickstart: looks right" if not found else f"quickstart: {len(found)} faults")
    sys.exit(bool(found))
