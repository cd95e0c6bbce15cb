"""Claims on renders: leases, tries, cancelling, and what a late worker may not do."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from synthesis.files import disk_error
from synthesis.server import admin, folder
from synthesis.server.file_name import FileName
from synthesis.server.jobs import queue
from synthesis.server.jobs.finish import finish_next
from synthesis.server.jobs.worker import LOST_CLAIM, is_disk_full
from synthesis.server.settings import Settings
from synthesis.server.store import files, jobs, orgs
from synthesis.server.store.engine import open_engine, read, write
from synthesis.server.store.files import IndexedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from synthesis.server.jobs.queue import Claim


class Board:
    """A data folder and short names for what a worker does."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.placed: list[int] = []

    def job(self, renders: int) -> str:
        with write(self.engine) as db:
            org = orgs.key_of(db, "acme")
            assert org is not None
            row = jobs.create(
                db,
                org=org,
                kind="humans",
                name=None,
                spec=b"{}",
                renders_total=renders,
                images_total=renders,
                created_by=None,
                notify_emails=[],
            )
        return str(row.id)

    def row(self, job_id: str) -> Any:
        with read(self.engine) as db:
            org = orgs.key_of(db, "acme")
            assert org is not None
            return jobs.find(db, org, job_id)

    def claim(self, worker: str = "w", *, lease: float = 60) -> Claim | None:
        return queue.claim(self.engine, worker, lease=lease)

    def take(self, worker: str = "w", *, lease: float = 60) -> Claim:
        claim = self.claim(worker, lease=lease)
        assert claim is not None
        return claim

    def complete(self, claim: Claim) -> bool:
        name = FileName(claim.render_id, "default", 1, "rgb")
        line = f'{{"render_id":{claim.render_id}}}\n'.encode()
        return queue.complete(
            self.engine,
            claim,
            [IndexedFile(name, 5, bytes(32))],
            [(name, line)],
            lambda: self.placed.append(claim.render_id),
        )

    def finish(self) -> bool:
        return finish_next(self.engine, self.settings)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    admin.create_account(tmp_path, "a@example.com")
    admin.create_org(tmp_path, "acme", "a@example.com")
    settings = Settings(data=tmp_path)
    engine = open_engine(settings.database)
    yield Board(settings, engine)
    engine.dispose()


def test_renders_are_claimed_in_order_and_once(board: Board) -> None:
    first, second = board.job(2), board.job(1)
    claims = [board.take(), board.take(), board.take()]
    assert [(claim.job_id, claim.render_id) for claim in claims] == [(first, 0), (first, 1), (second, 0)]
    assert board.claim() is None
    assert board.row(first).status == "rendering"


def test_a_job_ends_when_its_last_render_is_done(board: Board) -> None:
    job = board.job(2)
    one, two = board.take(), board.take()
    assert board.complete(two)
    assert not board.finish()
    assert board.complete(one)
    assert board.finish()
    assert not board.finish()
    row = board.row(job)
    assert (row.status, row.sealed, row.renders_created, row.generation) == ("completed", True, 2, 3)
    text = (board.settings.files / job / "metadata.jsonl").read_text()
    assert text == '{"render_id":0}\n{"render_id":1}\n'


def test_a_lease_that_ran_out_is_claimed_again(board: Board) -> None:
    job = board.job(1)
    slow = board.take("slow", lease=-1)
    quick = board.take("quick")
    assert (quick.render_id, quick.attempts) == (0, 2)
    assert not queue.heartbeat(board.engine, slow, lease=60)
    assert not board.complete(slow)
    assert board.placed == []
    queue.fail(board.engine, slow, "too late", attempts=3)
    assert queue.heartbeat(board.engine, quick, lease=60)
    assert board.complete(quick)
    assert not board.complete(quick)
    assert board.row(job).renders_created == 1


def test_a_heartbeat_prolongs_the_lease(board: Board) -> None:
    board.job(1)
    claim = board.take("w", lease=-1)
    assert queue.heartbeat(board.engine, claim, lease=60)
    assert board.claim("other") is None


def test_a_render_that_fails_is_tried_again_then_given_up(board: Board) -> None:
    job = board.job(2)
    for attempt in (1, 2, 3):
        claim = board.take()
        assert (claim.render_id, claim.attempts) == (0, attempt)
        queue.fail(board.engine, claim, f"no luck {attempt}", attempts=3)
    other = board.take()
    assert other.render_id == 1
    assert board.complete(other)
    assert board.finish()
    row = board.row(job)
    assert (row.status, row.renders_created, row.renders_failed) == ("completed", 1, 1)
    assert row.error == "no luck 3"


def test_a_full_disk_costs_no_tries(board: Board) -> None:
    board.job(1)
    for _ in range(5):
        claim = board.take()
        assert claim.attempts == 1
        queue.postpone(board.engine, claim)
    assert board.complete(board.take())


def test_a_render_that_kills_its_workers_is_given_up(board: Board) -> None:
    job = board.job(1)
    for attempt in range(1, queue.DEATHS + 1):  # more often than it may raise
        assert board.take(f"w{attempt}").attempts == attempt
        queue.release(board.engine, f"w{attempt}")
    assert board.claim() is None
    assert board.finish()
    row = board.row(job)
    assert (row.status, row.renders_failed) == ("failed", 1)
    assert "died" in row.error


def test_a_server_that_is_killed_often_costs_no_tries(board: Board) -> None:
    board.job(1)
    for _ in range(10):
        assert board.take().attempts == 1
        queue.release_all(board.engine)
    assert board.complete(board.take())


def test_a_dead_worker_frees_only_its_own(board: Board) -> None:
    board.job(3)
    mine, theirs = board.take("mine"), board.take("theirs")
    queue.release(board.engine, "mine")
    assert board.complete(theirs)
    assert not board.complete(mine)
    assert board.take("next").render_id == mine.render_id


def test_a_cancelled_job_takes_no_late_render(board: Board) -> None:
    job = board.job(3)
    done, late = board.take(), board.take()
    assert board.complete(done)
    with write(board.engine) as db:
        jobs.cancel(db, board.row(job))
    assert not queue.heartbeat(board.engine, late, lease=60)
    assert not board.complete(late)
    assert board.claim() is None
    assert board.finish()
    row = board.row(job)
    assert (row.status, row.sealed, row.renders_created) == ("cancelled", True, 1)


def test_nothing_happens_when_files_cannot_be_placed(board: Board) -> None:
    job = board.job(1)
    claim = board.take()

    def refuse() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        queue.complete(
            board.engine, claim, [IndexedFile(FileName(0, "a", 1, "rgb"), 1, bytes(32))], [], refuse
        )
    row = board.row(job)
    assert (row.renders_created, row.generation) == (0, 0)
    with read(board.engine) as db:
        assert files.totals(db, row.key) == {}
    assert board.complete(claim)


def test_two_workers_that_finish_together_seal_once(board: Board) -> None:
    job = board.job(1)
    assert board.complete(board.take())
    assert board.finish()
    generation = board.row(job).generation
    assert not board.finish()
    assert board.row(job).generation == generation


def test_one_worker_finishes_at_a_time(board: Board) -> None:
    job = board.job(1)
    assert board.complete(board.take())
    with folder.hold(board.settings.data / "finish.lock") as alone:
        assert alone
        assert not board.finish()
    assert not board.row(job).sealed
    assert board.finish()
    assert board.row(job).sealed


def test_the_work_folder_is_emptied_by_worker(tmp_path: Path) -> None:
    for name in ("job.0.w1", "job.1.w2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"")
    (tmp_path / "job.w1.more").write_bytes(b"")
    folder.empty(tmp_path, "*w1*")
    assert [path.name for path in tmp_path.iterdir()] == ["job.1.w2"]
    folder.empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_counts_as_a_full_disk() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(full)
    assert is_disk_full(disk_error(full, Path("x")))
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_disk_full(ValueError())


LATE = """
import sys, time
from pathlib import Path
from synthesis.server.jobs import queue, worker
from synthesis.server.store.engine import open_engine

engine = open_engine(Path(sys.argv[1]) / "platform.db")
claim = queue.claim(engine, "late", lease=60)
with worker._heartbeat(engine, claim, 0.2):
    print("rendering", flush=True)
    time.sleep(60)
"""


def test_a_worker_gives_up_a_render_that_nobody_wants_any_more(board: Board) -> None:
    job = board.job(1)
    command = [sys.executable, "-c", LATE, str(board.settings.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as late:
        assert late.stdout is not None
        assert late.stdout.readline().strip() == b"rendering"
        with write(board.engine) as db:
            jobs.cancel(db, board.row(job))
        assert late.wait(30) == LOST_CLAIM


def test_a_database_that_cannot_grow_is_a_full_disk(board: Board) -> None:
    board.job(2)
    claim = board.take()
    with board.engine.connect() as db:
        db.execution_options(begin=None).exec_driver_sql("PRAGMA max_page_count = 1")
    lines = [(FileName(0, f"c{n}", 1, "metadata"), bytes(1000)) for n in range(2000)]
    with pytest.raises(OperationalError) as caught:
        queue.complete(board.engine, claim, [], lines, lambda: None)
    assert is_disk_full(caught.value)
    assert board.claim("other") is not None, "the database works on"
