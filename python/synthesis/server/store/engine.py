"""Opening the database: short reads beside one writer at a time (SQLite in WAL mode)."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from synthesis.errors import DiskError, UsageError
from synthesis.server.store.tables import VERSION, metadata, platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

BUSY_SECONDS = 30
POOL = 48
"""More than the threads that may ask at once, so that no request waits for a connection."""


def open_engine(path: Path) -> Engine:
    """Open the database at `path`, creating it and its tables when missing."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        pool_size=POOL,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)
    try:
        _create(engine, path)
    except DatabaseError as error:
        engine.dispose()
        raise DiskError(
            f"cannot open the database {path}: {error.orig}",
            hint="look at the file and the disk, or name another folder with --data",
            fields={"path": str(path)},
        ) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def _connect(raw: Any, _record: Any) -> None:
    # The driver's own transactions begin too late (at the first change); ours begin in `_begin`.
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = FULL")  # what was answered with 201 survives a power cut
    raw.execute("PRAGMA cache_size = -4096")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail half-way in WAL mode: writers say so at once.
    begin = connection.get_execution_options().get("begin", "BEGIN")
    if begin is not None:
        connection.exec_driver_sql(begin)


def _create(engine: Engine, path: Path) -> None:
    _enable_wal(engine)
    with write(engine) as db:
        known = inspect(db).get_table_names()
        if known and platform.name not in known:
            raise UsageError(
                f"{path} is a database of something else",
                kind="invalid-config",
                hint="name another folder with --data",
            )
        metadata.create_all(db)
        version = db.execute(select(platform.c.version)).scalar()
        if version is None:
            db.execute(insert(platform).values(version=VERSION))
        elif version != VERSION:
            raise UsageError(
                f"the database {path} has layout {version}; this version reads layout {VERSION}",
                kind="invalid-config",
                hint="run the version of synthesis that made it, or name another folder with --data",
            )


def _enable_wal(engine: Engine) -> None:
    """Switch to WAL once; two processes that open a new database together may collide for a moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with engine.connect() as db:
                db.execution_options(begin=None).exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A consistent view for a few queries; never waits for the writer."""
    with engine.connect() as db, db.begin():
        yield db


@contextlib.contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """The one writer, for as short as possible: everything in the block happens, or nothing."""
    with engine.connect() as plain:
        db = plain.execution_options(begin="BEGIN IMMEDIATE")
        with db.begin():
            yield db


def is_busy(error: BaseException) -> bool:
    """Whether the database was only busy for too long: another try may succeed."""
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def is_full(error: BaseException) -> bool:
    """Whether the database could not grow; what was asked for can be done once there is room."""
    return isinstance(error, OperationalError) and "is full" in str(error.orig)
