"""The line that a transfer shows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthesis.cli.download import Wanted
from synthesis.cli.output import Output
from synthesis.cli.progress import TransferLine
from synthesis.ops.transfer import Progress
from synthesis.record import replace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

START = Progress(
    files_done=3,
    files_total=9,
    is_whole=False,
    sizes_known=True,
    list_share=None,
    bytes_done=3_000,
    bytes_total=9_000,
    files_present=0,
    retries=0,
    failed=0,
    failed_by_kind={},
    in_flight=0,
    seconds=0.5,
    permits=35,
    most_permits=35,
    connections=0,
    throttled_seconds=0.0,
    bytes_received=3_000,
)


def text(**changed: Any) -> str:
    return TransferLine(Output(), waits="waits" in changed)._text(
        replace(START, **{name: count for name, count in changed.items() if name != "waits"})
    )


def test_nothing_under_way_is_not_counted() -> None:
    assert text() == "3/9+ files  3.0 KB"
    assert text(in_flight=2).endswith("  2 at once")
    assert text(in_flight=2, connections=1).endswith("  1 conn")
    assert text(connections=35).endswith("  35 conns")


def test_a_watch_says_that_it_waits() -> None:
    assert text(waits=1).endswith("  waiting for more renders")
    assert "waiting" not in text(waits=1, connections=1)
    assert text(waits=1, files_total=0) == "no files yet  waiting for more renders"
    assert text(files_total=0, connections=1) == "reading the list  1 conn"
    assert "3/9 files" in text(is_whole=True)
    assert "3/9+ files" in text(waits=1, is_whole=True, in_flight=2)  # more will come


def test_a_narrow_line_keeps_what_matters_most(monkeypatch: pytest.MonkeyPatch) -> None:
    line = TransferLine(Output(), "rgb")
    line._text(START)
    now = replace(
        START,
        files_done=1_003,
        files_total=9_000,
        is_whole=True,
        sizes_known=False,
        bytes_done=20_003_000,
        bytes_total=0,
        seconds=10.5,
        connections=35,
        retries=12,
        failed=4,
        failed_by_kind={"not-found": 3, "mismatch": 1},
        bytes_received=20_003_000,
        throttled_seconds=2.0,
    )
    line(now)
    line(later := replace(now, seconds=12.6, throttled_seconds=3.0))
    whole = line._text(later)
    assert whole == (
        "rgb 1,003/9,000 files  20.0 MB  1.7 MB/s  83 files/s  35 conns  retries 12  "
        "failed 4  (not-found 3, mismatch 1)  slowed by the server  eta 1:37"
    )
    monkeypatch.setattr(type(line._ticker), "room", 79)
    assert line._text(later) == "rgb 1,003/9,000 files  20.0 MB  1.7 MB/s  83 files/s  failed 4  eta 1:37"
    monkeypatch.setattr(type(line._ticker), "room", 55)
    assert line._text(later) == "rgb 1,003/9,000 files  83 files/s  failed 4  eta 1:37"


def test_the_time_left_is_reckoned_from_the_share_of_the_list() -> None:
    line = TransferLine(Output())
    line._text(START)
    now = replace(START, files_done=1_003, files_total=2_000, seconds=10.5, sizes_known=False)
    assert "eta" not in line._text(now)
    assert "eta" not in line._text(replace(now, list_share=0.01))
    shown = line._text(replace(now, list_share=0.2))
    assert shown.startswith("1,003/2,000+ files  3.0 KB  100 files/s  20 % of the list  eta ~1:30")


def test_files_that_failed_are_not_waited_for() -> None:
    line = TransferLine(Output())
    line._text(START)
    line._text(
        ended := replace(
            START, is_whole=True, files_done=8, failed=1, failed_by_kind={"not-found": 1}, seconds=9.0
        )
    )
    assert line._text(ended).endswith("failed 1  (not-found)")


def test_assets_are_called_as_they_were_asked_for(tmp_path: Path) -> None:
    many = ["rgb", "info", "depth", "alpha"]
    assert Wanted(job="1", flags="all", directory=tmp_path).label(many) == "all assets"
    assert Wanted(job="1", flags=",".join(many), directory=tmp_path).label(many) == "4 assets"
    assert Wanted(job="1", flags="rgb,info", directory=tmp_path).label(many[:2]) == "rgb,info"
