"""Old downloads become jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from synthesis.errors import DiskError, FailedError, NotFoundError, UsageError
from synthesis.server import admin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.platform import Platform


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Old and current names, job-wide metadata, and what does not belong."""
    folder = tmp_path / "download"
    folder.mkdir()
    for name in ("3.rgb.png", "3.info.json", "4.cam_away.f_2.rgb.png", "metadata.jsonl"):
        (folder / name).write_bytes(name.encode())
    for name in ("notes.txt", ".DS_Store", "5.unknown.png", "x.rgb.png"):
        (folder / name).write_bytes(b"?")
    (folder / "6.cam_a.f_1.rgb.png").mkdir()
    return folder


def test_import(platform: Platform, renders: Path) -> None:
    seen: list[tuple[int, int]] = []
    done = admin.import_folder(
        platform.data, renders, "old ones", platform.org, progress=lambda *at: seen.append(at)
    )
    assert done.files == 4
    assert done.bytes == sum(len(path.read_bytes()) for path in renders.glob("[34m]*"))
    assert done.skipped == (".DS_Store", "5.unknown.png", "6.cam_a.f_1.rgb.png", "notes.txt", "x.rgb.png")
    assert seen[-1] == (4, 4)
    job = platform.job(done.job.id)
    assert (job["name"], job["status"], job["renders_total"], job["images_total"]) == (
        "old ones",
        "completed",
        2,
        2,
    )
    names = [line["n"] for line in platform.manifest(done.job.id)[1:-1]]
    assert names == [
        "metadata.jsonl",
        "3.cam_default.f_1.info.json",
        "3.cam_default.f_1.rgb.png",
        "4.cam_away.f_2.rgb.png",
    ]
    assert platform.get(f"/files/{done.job.id}/3.cam_default.f_1.rgb.png").body == b"3.rgb.png"
    assert platform.manifest(done.job.id)[0]["complete"] is True
    assert platform.get(f"/jobs/{done.job.id}/spec").status == 404
    assert platform.ask("POST", f"/jobs/{done.job.id}/cancel").status == 409


def test_links_by_default_copies_when_asked(platform: Platform, renders: Path) -> None:
    source = renders / "3.rgb.png"
    for copy, links in ((False, 2), (True, 2)):
        done = admin.import_folder(platform.data, renders, None, platform.org, copy=copy)
        assert done.job.name == "download"
        kept = platform.data / "files" / done.job.id / "3.cam_default.f_1.rgb.png"
        assert kept.samefile(source) is not copy
        assert source.stat().st_nlink == links


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few people make links")
def test_a_symbolic_link_is_followed(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (tmp_path / "real").write_bytes(b"real")
    (folder / "0.rgb.png").symlink_to(tmp_path / "real")
    job = platform.import_folder(folder)
    (folder / "0.rgb.png").unlink()
    assert platform.get(f"/files/{job}/0.cam_default.f_1.rgb.png").body == b"real"
    assert not (platform.data / "files" / job / "0.cam_default.f_1.rgb.png").is_symlink()


def test_two_names_of_one_file(platform: Platform, tmp_path: Path) -> None:
    for name in ("0.rgb.png", "0.cam_default.f_1.rgb.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match="are the same file"):
        platform.import_folder(tmp_path)


def test_nothing_to_import(platform: Platform, tmp_path: Path) -> None:
    jobs = len(platform.get("/jobs?limit=500").json()["items"])
    (tmp_path / "notes.txt").write_bytes(b"")
    with pytest.raises(UsageError, match="named like a render"):
        platform.import_folder(tmp_path)
    with pytest.raises(NotFoundError):
        platform.import_folder(tmp_path / "absent")
    with pytest.raises(NotFoundError, match="no org"):
        admin.import_folder(platform.data, tmp_path, None, "absent")
    assert len(platform.get("/jobs?limit=500").json()["items"]) == jobs


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root reads everything")
def test_a_failure_leaves_no_job(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "0.rgb.png").write_bytes(b"")
    (tmp_path / "0.rgb.png").chmod(0)
    with pytest.raises(FailedError):
        platform.import_folder(tmp_path)


def test_an_interrupted_import_leaves_no_job(platform: Platform, renders: Path) -> None:
    before = {path.name for path in (platform.data / "files").iterdir()}
    jobs = platform.get("/jobs?limit=500").body

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        admin.import_folder(platform.data, renders, None, platform.org, progress=interrupt)
    assert {path.name for path in (platform.data / "files").iterdir()} == before
    assert platform.get("/jobs?limit=500").body == jobs


def test_real_samples(platform: Platform, samples: Path) -> None:
    done = admin.import_folder(platform.data, samples / "synthesis", "samples", platform.org, copy=True)
    assets = {item["flag"] for item in platform.get(f"/jobs/{done.job.id}/assets").json()["items"]}
    assert {"rgb", "depth", "normals", "alpha", "segments", "info", "metadata"} <= assets
    assert "README.md" in done.skipped
    body = platform.get(f"/files/{done.job.id}/24.cam_default.f_1.info.json").body
    assert json.loads(body)["version"] == "1.5"


def test_administration_says_what_is_wrong(platform: Platform) -> None:
    data = platform.data
    with pytest.raises(FailedError, match="exists") as caught:
        admin.create_account(data, "ada@example.com")
    assert caught.value.kind == "conflict"
    with pytest.raises(UsageError, match="e-mail"):
        admin.create_account(data, "nobody")
    with pytest.raises(FailedError, match="exists"):
        admin.create_org(data, "acme", "ada@example.com")
    with pytest.raises(UsageError, match="cannot name an org"):
        admin.create_org(data, "Acme Inc", "ada@example.com")
    with pytest.raises(NotFoundError):
        admin.create_org(data, "new", "absent@example.com")
    with pytest.raises(NotFoundError):
        admin.create_key(data, "absent@example.com")
    with pytest.raises(UsageError, match="role"):
        admin.add_member(data, "acme", "ada@example.com", "king")
    with pytest.raises(FailedError, match="member already"):
        admin.add_member(data, "acme", "ada@example.com")
    with pytest.raises(NotFoundError, match="no org"):
        admin.add_member(data, "absent", "ada@example.com")


KILLED = """
import sys, time
from pathlib import Path
from synthesis.server import admin

def linger(done, total):
    print("half-way", flush=True)
    time.sleep(60)

admin.import_folder(Path(sys.argv[1]), Path(sys.argv[2]), "killed", sys.argv[3], progress=linger)
"""


def killed_import(platform: Platform, renders: Path) -> str:
    """An import that dies before its end; the job it left."""
    command = [sys.executable, "-c", KILLED, str(platform.data), str(renders), platform.org]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as importing:
        assert importing.stdout is not None
        assert importing.stdout.readline().strip() == b"half-way"
        with pytest.raises(DiskError, match="another import"):
            platform.import_folder(renders)
        importing.kill()
    left = platform.get("/jobs?status=submitted").json()["items"]
    assert [job["name"] for job in left] == ["killed"]
    answer = platform.ask("POST", f"/jobs/{left[0]['id']}/cancel")
    assert (answer.status, answer.json()["kind"]) == (409, "conflict")
    return str(left[0]["id"])


def test_what_a_killed_import_left_goes_with_the_next_start(
    start: Callable[..., Platform], renders: Path
) -> None:
    platform = start()
    job = killed_import(platform, renders)
    platform.stop()
    platform.start()
    assert platform.get(f"/jobs/{job}").status == 404
    assert not (platform.data / "files" / job).exists()
    assert (renders / "3.rgb.png").read_bytes() == b"3.rgb.png"


def test_what_a_killed_import_left_goes_with_the_next_import(
    start: Callable[..., Platform], renders: Path
) -> None:
    platform = start()
    job = killed_import(platform, renders)
    following = platform.import_folder(renders)
    assert [one["id"] for one in platform.get("/jobs").json()["items"]] == [following]
    assert not (platform.data / "files" / job).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_names_that_are_no_text(platform: Platform, renders: Path) -> None:
    (renders / "7.cam_\udcff.f_1.rgb.png").write_bytes(b"?")
    odd = renders.rename(renders.with_name("odd\udcff\n name"))
    done = admin.import_folder(platform.data, odd, None, platform.org)
    assert done.job.name == "odd name"
    assert "7.cam_\udcff.f_1.rgb.png" in done.skipped


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "a" * 201, " "])
def test_names_that_no_job_can_have(platform: Platform, renders: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        admin.import_folder(platform.data, renders, name, platform.org)
