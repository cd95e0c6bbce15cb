"""Bytes of files: whole, in ranges, under conditions (RFC 9110)."""

from __future__ import annotations

import hashlib
import http.client
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from fakes.platform import Answer, Platform

SMALL, LARGE, EMPTY = 10, 5 * 1024 * 1024 + 3, 0


@dataclass(frozen=True)
class Files:
    """A job with a small, a large and an empty file."""

    platform: Platform
    job: str
    small: bytes
    large: bytes

    def get(self, render_id: int, method: str = "GET", **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.platform.ask(method, self.path(render_id), headers=given)

    def path(self, render_id: int) -> str:
        return f"/files/{self.job}/{render_id}.cam_default.f_1.rgb.png"


@pytest.fixture(scope="module")
def files(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("renders")
    small, large = b"0123456789", os.urandom(LARGE)
    for render_id, data in enumerate((small, large, b"")):
        (folder / f"{render_id}.cam_default.f_1.rgb.png").write_bytes(data)
    return Files(platform, platform.import_folder(folder), small, large)


def etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


def test_whole(files: Files) -> None:
    for render_id, data in ((0, files.small), (1, files.large), (2, b"")):
        answer = files.get(render_id)
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["content-length"] == str(len(data))
        assert answer.headers["etag"] == etag(data)
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "image/png"
        assert "content-encoding" not in answer.headers


def test_never_encoded(files: Files) -> None:
    answer = files.get(0, Accept_Encoding="zstd, gzip, br")
    assert answer.body == files.small
    assert "content-encoding" not in answer.headers


def test_head(files: Files) -> None:
    for render_id, data in ((0, files.small), (1, files.large)):
        head, get = files.get(render_id, "HEAD"), files.get(render_id)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(data))
        assert head.headers["etag"] == get.headers["etag"]
    assert files.get(0, "HEAD", Range="bytes=0-1").status == 200  # ranges are for GET alone


@pytest.mark.parametrize(
    ("given", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-3", 0, 4),
        ("bytes=3-", 3, 10),
        ("bytes=9-9", 9, 10),
        ("bytes=4-99", 4, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-99", 0, 10),
        ("bytes=0-", 0, 10),
        ("Bytes= 2-3 ", 2, 4),
    ],
)
def test_ranges(files: Files, given: str, start: int, stop: int) -> None:
    answer = files.get(0, Range=given)
    assert answer.body == files.small[start:stop]
    assert answer.headers["content-length"] == str(stop - start)
    if stop - start < SMALL:
        assert answer.status == 206
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/10"
    else:
        assert answer.status == 200
    assert answer.headers["etag"] == etag(files.small)


@pytest.mark.parametrize("given", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999-"])
def test_ranges_outside(files: Files, given: str) -> None:
    answer = files.get(0, Range=given)
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */10")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["etag"] == etag(files.small)


def test_ranges_of_an_empty_file(files: Files) -> None:
    assert files.get(2, Range="bytes=0-").status == 416
    assert files.get(2, Range="bytes=-5").status == 416


@pytest.mark.parametrize(
    "given",
    ["bytes=", "bytes=-", "bytes=5-3", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "bytes=0--1", "0-1"],
)
def test_what_is_no_plain_range_is_ignored(files: Files, given: str) -> None:
    answer = files.get(0, Range=given)
    assert (answer.status, answer.body) == (200, files.small)


def test_large_ranges(files: Files) -> None:
    for start, stop in ((0, LARGE - 1), (1, LARGE), (1_000_000, 3_500_000), (LARGE - 7, LARGE)):
        answer = files.get(1, Range=f"bytes={start}-{stop - 1}")
        assert answer.status == 206
        assert answer.body == files.large[start:stop]


def test_if_range(files: Files) -> None:
    same = files.get(0, Range="bytes=0-1", If_Range=etag(files.small))
    assert (same.status, same.body) == (206, b"01")
    for other in (etag(b"other"), f"W/{etag(files.small)}", "Fri, 20 Nov 2026 10:00:00 GMT"):
        answer = files.get(0, Range="bytes=0-1", If_Range=other)
        assert (answer.status, answer.body) == (200, files.small)
    assert files.get(0, Range="bytes=99-", If_Range=etag(b"other")).status == 200


def test_if_none_match(files: Files) -> None:
    tag = etag(files.small)
    for given in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        answer = files.get(0, If_None_Match=given)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == tag
    assert files.get(0, If_None_Match='"other"').status == 200
    assert files.get(0, "HEAD", If_None_Match=tag).status == 304


def test_a_file_that_was_damaged_is_not_sent(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("renders")
    for render_id in (0, 1):
        (folder / f"{render_id}.cam_default.f_1.rgb.png").write_bytes(b"picture")
    job = platform.import_folder(folder)
    kept = platform.data / "files" / job
    (kept / "0.cam_default.f_1.rgb.png").write_bytes(b"short")
    (kept / "1.cam_default.f_1.rgb.png").unlink()
    for render_id in (0, 1):
        answer = platform.get(f"/files/{job}/{render_id}.cam_default.f_1.rgb.png")
        assert (answer.status, answer.json()["kind"]) == (500, "internal")
        assert str(platform.data) not in answer.body.decode()
    for said in ("is damaged", "is lost"):
        assert said in platform.logs()


def test_clients_that_leave_hold_nothing(files: Files) -> None:
    """Files of connections that were dropped in the middle are closed again."""
    parts = urlsplit(files.platform.url)
    assert files.platform.process is not None
    held = f"/proc/{files.platform.process.pid}/fd"
    if not os.path.isdir(held):  # noqa: PTH112 - a kernel's listing, not a path of ours
        pytest.skip("needs /proc")
    for _ in range(20):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        head = {"Authorization": f"Bearer {files.platform.key}", "X-Synthesis-Org": files.platform.org}
        connection.request("GET", f"/api/v1{files.path(1)}", headers=head)
        connection.getresponse().read(10)
        connection.close()
    for _ in range(100):
        names = [os.path.realpath(f"{held}/{number}") for number in os.listdir(held)]  # noqa: PTH208
        if not any(name.endswith(".png") for name in names):
            return
        assert files.get(0).status == 200
    pytest.fail("files of dropped connections stay open")


def test_many_requests_on_one_connection(files: Files) -> None:
    parts = urlsplit(files.platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    head = {"Authorization": f"Bearer {files.platform.key}", "X-Synthesis-Org": files.platform.org}
    for _ in range(50):
        connection.request("GET", f"/api/v1{files.path(0)}", headers=head)
        assert connection.getresponse().read() == files.small
    connection.close()
