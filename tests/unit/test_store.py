"""The database of a data folder: opening it, layout versions, pages of files."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from synthesis.errors import DiskError, UsageError
from synthesis.server import admin, folder
from synthesis.server.file_name import FileName
from synthesis.server.settings import Settings
from synthesis.server.store import files, jobs, orgs
from synthesis.server.store.engine import open_engine, write
from synthesis.server.store.files import IndexedFile, Selection
from synthesis.server.store.tables import platform

if TYPE_CHECKING:
    from pathlib import Path


def test_the_database_is_in_wal_mode_and_checks_references(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "platform.db")
    with engine.connect() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "platform.db")
    with write(engine) as db:
        db.execute(update(platform).values(version=99))
    engine.dispose()
    with pytest.raises(UsageError, match="layout 99"):
        open_engine(tmp_path / "platform.db")


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "platform.db").write_bytes(b"no database" * 100)
    with pytest.raises(DiskError, match="cannot open the database"):
        open_engine(tmp_path / "platform.db")


def test_several_processes_may_open_a_new_data_folder_together(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    emails = [f"{index}@example.com" for index in range(4)]
    made = [spawn.Process(target=admin.create_account, args=(tmp_path / "data", email)) for email in emails]
    for process in made:
        process.start()
    for process in made:
        process.join(60)
    assert [process.exitcode for process in made] == [0] * 4
    with sqlite3.connect(tmp_path / "data" / "platform.db") as db:
        assert {email for (email,) in db.execute("SELECT email FROM accounts")} == set(emails)
    db.close()


def test_pages_join_without_gap_or_overlap(tmp_path: Path) -> None:
    admin.create_account(tmp_path, "a@example.com")
    admin.create_org(tmp_path, "acme", "a@example.com")
    engine = open_engine(tmp_path / "platform.db")
    names = [
        FileName(render_id, camera, frame, flag)
        for render_id in range(7)
        for camera in ("a", "b c")
        for frame in (1, 2, 11)
        for flag in ("exr", "rgb")
    ]
    with write(engine) as db:
        org = orgs.key_of(db, "acme")
        assert org is not None
        job = jobs.create(
            db,
            org=org,
            kind="import",
            name=None,
            spec=None,
            renders_total=7,
            images_total=7,
            created_by=None,
            notify_emails=[],
        ).key
        files.add(db, job, [IndexedFile(name, 1, bytes(32)) for name in names[::-1]])
        for span, wanted in ((None, names), ((2, 4), [name for name in names if 2 <= name.render_id <= 4])):
            for limit in (1, 3, 5, 100):
                found: list[FileName] = []
                after = None
                while page := files.page(db, Selection(job=job, until=9), span, after, limit):
                    found += [FileName._make(row[:4]) for row in page]
                    after = found[-1]
                assert found == wanted
    engine.dispose()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE jobs (x)")
    with pytest.raises(UsageError, match="something else"):
        open_engine(path)
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("jobs",)]


def test_the_secret_is_private_and_whole(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    first = folder.secret(settings)
    assert len(first) == 32
    path = tmp_path / "secret"
    path.chmod(0o644)
    assert folder.secret(settings) == first
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="0 bytes instead of 32"):
        folder.secret(settings)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="secret"):
        folder.secret(settings)
