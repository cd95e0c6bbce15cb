"""What `-o` means, and small files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthesis.cli.files import result_path
from synthesis.errors import NotFoundError, UsageError
from synthesis.files import read_file, write_file


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "spec.json"),
        ("there", "there/spec.json"),
        ("there.d", "there.d/spec.json"),
        ("new", "new/spec.json"),
        ("new/deep", "new/deep/spec.json"),
        ("other.json", "other.json"),
        ("new/other.json", "new/other.json"),
        ("plain", "plain"),
    ],
)
def test_where_a_result_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("there", "there.d"):
        Path(folder).mkdir()
    Path("plain").touch()
    assert result_path(Path(given) if given else None, "spec.json") == Path(expected)


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.json"
    write_file(target, b"1")
    assert target.read_bytes() == b"1"
    assert list(target.parent.iterdir()) == [target]


def test_without_overwrite_what_is_there_stays(tmp_path: Path) -> None:
    target = tmp_path / "c.json"
    target.write_bytes(b"precious")
    with pytest.raises(UsageError) as caught:
        write_file(target, b"new", overwrite=False)
    assert caught.value.kind == "file-exists"
    assert target.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_umask_decides_on_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "c.json", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "c.json").stat().st_mode & 0o777 == 0o640


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_file(tmp_path, b"1")
    with pytest.raises(UsageError):
        read_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError):
        write_file(tmp_path / "file" / "c.json", b"1")


def test_reading_what_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_file(tmp_path / "nothing")
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(UsageError) as caught:
        read_file(tmp_path / "large", limit=4)
    assert caught.value.kind == "too-large"
