"""A manifest and files as plain files behind nginx: no key, no signature, ETags of nginx's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fakes import nginx
from fakes.faulty import File, made
from fakes.fetch import fetch_static

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not nginx.found(), reason="needs nginx")


def lay_out(root: Path, files: list[File]) -> None:
    """Write a static job: the manifest and, beside it, its files."""
    (root / "files").mkdir(parents=True)
    header = {"job": "static", "generation": 1, "complete": True, "count": len(files)}
    header |= {"bytes": sum(len(file.data) for file in files), "url": "files/{name}", "expires": None}
    lines = [
        json.dumps(header).encode() + b"\n",
        *(file.line() for file in files),
        b'{"end": true, "next": null}\n',
    ]
    (root / "manifest.ndjson").write_bytes(b"".join(lines))
    for file in files:
        (root / "files" / file.name).write_bytes(file.data)


def test_a_static_job_arrives_whole(tmp_path: Path) -> None:
    files = [File(f"{at}.cam_default.f_1.rgb.png", made(20_000, at), render_id=at) for at in range(500)]
    files.append(File("500.cam_default.f_1.exr", made(48 * 1024 * 1024 + 7), flag="exr", render_id=500))
    root, state, folder = tmp_path / "root", tmp_path / "nginx", tmp_path / "out"
    state.mkdir()
    lay_out(root, files)
    with nginx.serving(root, state) as url:
        counters = fetch_static(f"{url}/manifest.ndjson", folder)
    assert counters["files_new"] == len(files)
    assert sorted(path.name for path in folder.iterdir()) == sorted(file.name for file in files)
    assert all((folder / file.name).read_bytes() == file.data for file in files)
