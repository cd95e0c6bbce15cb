"""Names come from the server, so they are data: they never leave the folder or shadow each other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, fetch, final_names

if TYPE_CHECKING:
    from pathlib import Path

GOOD = [File(f"{at}.rgb.png", made(2_000, at), render_id=at) for at in range(4)]

HOSTILE = {
    "parent": "../escaped.png",
    "parents": "../../../../../../../../tmp/escaped.png",
    "parent-inside": "a/../../escaped.png",
    "absolute": "/tmp/escaped-from-synthesis.png",
    "folder": "a/b.png",
    "backslash": "..\\escaped.png",
    "drive": "C:escaped.png",
    "unc": "\\\\host\\share\\escaped.png",
    "dot": ".",
    "dots": "..",
    "empty": "",
    "state-folder": ".synthesis",
    "state-file": ".synthesis/lock",
    "device": "CON",
    "device-with-suffix": "nul.png",
    "device-lower": "com1.rgb.png",
    "null": "a\x00b.png",
    "newline": "a\nb.png",
    "escape": "\x1b[31mred.png",
    "delete": "a\x7fb.png",
    "stream": "a.png:hidden",
    "trailing-dot": "a.png.",
    "trailing-space": "a.png ",
    "too-long": "x" * 300 + ".png",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_refused_and_the_rest_arrives(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    with FaultyServer([*GOOD[:2], File(name, b"hostile"), *GOOD[2:]]) as server:
        summary = fetch(server, folder)
        assert summary.files_done == 4
        assert summary.failed == len(summary.failures) == 1
        assert not any(request.path.endswith(name) for request in server.requests if name.strip("./"))
    assert final_names(folder) == [file.name for file in GOOD]
    assert [path.name for path in tmp_path.iterdir()] == ["job"]
    assert b"\x1b" not in str(summary.failures[0].message).encode()


@pytest.mark.parametrize(
    "name", ["ünïcödé.rgb.png", "a b+c%20&d=é#.png", "日本語.png", "console.png", "0..png"]
)
def test_an_odd_name_is_still_a_name(name: str, tmp_path: Path) -> None:
    with FaultyServer([*GOOD, File(name, made(1_000, 7))]) as server:
        summary = fetch(server, tmp_path)
        assert summary.failures == ()
        assert (tmp_path / name).read_bytes() == server.content[name].data


def test_the_same_line_twice_is_one_file(tmp_path: Path) -> None:
    with FaultyServer([*GOOD, GOOD[1]]) as server:
        fetch(server, tmp_path)
        assert final_names(tmp_path) == [file.name for file in GOOD]
        assert (tmp_path / GOOD[1].name).read_bytes() == GOOD[1].data


def test_one_name_for_two_contents_never_mixes_them(tmp_path: Path) -> None:
    other = File(GOOD[1].name, made(2_000, 99))
    with FaultyServer([*GOOD, other]) as server:
        fetch(server, tmp_path)
    assert set(final_names(tmp_path)) <= {file.name for file in GOOD}
    if (path := tmp_path / other.name).exists():
        assert path.read_bytes() in (GOOD[1].data, other.data)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
def test_a_link_in_the_folder_is_not_followed_out_of_it(tmp_path: Path) -> None:
    folder, outside = tmp_path / "job", tmp_path / "outside.txt"
    folder.mkdir()
    outside.write_bytes(b"precious")
    (folder / GOOD[0].name).symlink_to(outside)
    with FaultyServer(GOOD) as server:
        fetch(server, folder)
    assert outside.read_bytes() == b"precious"


def test_a_folder_in_the_place_of_a_file_is_an_honest_failure(tmp_path: Path) -> None:
    (tmp_path / GOOD[0].name).mkdir()
    with FaultyServer(GOOD) as server:
        summary = fetch(server, tmp_path)
    assert [failure.name for failure in summary.failures] == [GOOD[0].name]
    assert summary.files_done == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.rgb.png", "A.rgb.png"), ("\u00e9.rgb.png", "e\u0301.rgb.png")],
    ids=["capitals", "accents"],
)
@pytest.mark.parametrize("update", [False, True], ids=["plain", "update"])
def test_names_that_are_one_to_the_disk_never_replace_each_other(
    one: str, other: str, update: bool, tmp_path: Path
) -> None:
    (tmp_path / one).touch()
    is_one = (tmp_path / other).exists()
    (tmp_path / one).unlink()
    folder = tmp_path / "job"
    files = [File(one, made(2_000, 1)), File(other, made(2_000, 2))]
    with FaultyServer([*GOOD, *files]) as server:
        for _ in range(2):
            summary = fetch(server, folder, update=update)
            assert summary.failed == (1 if is_one else 0)
            found = [
                path.read_bytes() for path in folder.iterdir() if path.name not in [f.name for f in GOOD]
            ]
            assert len(found) == (1 if is_one else 2)
            assert set(found) <= {file.data for file in files}


def test_a_deep_folder_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a-folder-with-a-rather-long-name-" + "x" * 20] * 6)
    assert len(str(folder)) > 260  # where Windows needs another form of a path
    with FaultyServer([*GOOD, File("big.exr", made(1_500_000), flag="rgb")]) as server:
        assert fetch(server, folder).failures == ()
        assert_complete(server, folder)


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with FaultyServer(GOOD) as server:
        fetch(server, tmp_path)
    assert final_names(tmp_path) == [*(file.name for file in GOOD), "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"
