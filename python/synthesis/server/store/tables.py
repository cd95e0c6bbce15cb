"""Every table of the platform. Times are seconds since 1970 in UTC; `key` columns never leave the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

VERSION = 1
"""Layout of the tables; a change of it comes with a migration."""

metadata = MetaData()

if TYPE_CHECKING:
    from sqlalchemy import Row

    Record = Row[*tuple[Any, ...]]
    """A row of any query."""


def _key() -> Column[int]:
    return Column("key", Integer, primary_key=True)


platform = Table("platform", metadata, Column("version", Integer, nullable=False))

accounts = Table(
    "accounts",
    metadata,
    _key(),
    Column("email", String(254), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
)

apikeys = Table(
    "apikeys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("account", ForeignKey("accounts.key"), nullable=False, index=True),
    Column("prefix", String(8), nullable=False, index=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("created_at", Float, nullable=False),
)

orgs = Table(
    "orgs",
    metadata,
    _key(),
    Column("name", String(63), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("org", ForeignKey("orgs.key"), nullable=False),
    Column("account", ForeignKey("accounts.key"), nullable=False),
    Column("role", String(16), nullable=False),
    PrimaryKeyConstraint("account", "org"),
)

jobs = Table(
    "jobs",
    metadata,
    _key(),
    Column("id", String(36), nullable=False, unique=True),
    Column("org", ForeignKey("orgs.key"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),  # "humans": rendered here; "import": brought along
    Column("status", String(16), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("renders_total", BigInteger, nullable=False),
    Column("renders_created", BigInteger, nullable=False, default=0),
    Column("renders_failed", BigInteger, nullable=False, default=0),
    Column("images_total", BigInteger, nullable=False),
    Column("next_render", BigInteger, nullable=False, default=0),  # renders from here on were never claimed
    Column("generation", BigInteger, nullable=False, default=0),
    Column("sealed", Boolean, nullable=False, default=False),  # no file will ever be added
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("created_by", String(254)),
    Column("notify_emails", JSON, nullable=False),
    Column("error", Text),
    Index("jobs_by_org", "org", "key"),
    Index("jobs_open", "sealed", "key"),
)

specs = Table(
    "specs",
    metadata,
    Column("job", ForeignKey("jobs.key"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

renders = Table(
    "renders",
    metadata,
    # A row exists only while a render is claimed, waits for another try, or has failed for good.
    Column("job", ForeignKey("jobs.key"), nullable=False),
    Column("render_id", BigInteger, nullable=False),
    Column("state", String(8), CheckConstraint("state IN ('claimed', 'waiting', 'failed')"), nullable=False),
    Column("worker", String(64)),
    Column("lease_until", Float),
    Column("attempts", Integer, nullable=False),  # claims
    Column("errors", Integer, nullable=False),  # tries that raised; the others' workers died
    Column("error", Text),
    PrimaryKeyConstraint("job", "render_id"),
    Index("renders_by_state", "state", "lease_until"),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    # The name of a file is made of its key (`file_name.py`); the key is also the manifest's order.
    Column("job", ForeignKey("jobs.key"), nullable=False),
    Column("render_id", BigInteger, nullable=False),
    Column("camera", Text, nullable=False),
    Column("frame", Integer, nullable=False),
    Column("flag", String(32), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    PrimaryKeyConstraint("job", "render_id", "camera", "frame", "flag"),
    Index("files_by_generation", "job", "generation", "flag", "bytes"),
    sqlite_with_rowid=False,
)

file_totals = Table(
    "file_totals",
    metadata,
    Column("job", ForeignKey("jobs.key"), nullable=False),
    Column("flag", String(32), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("job", "flag"),
)

metadata_lines = Table(
    "metadata_lines",
    metadata,
    # Lines of `metadata.jsonl`, kept until the job's file is written.
    Column("job", ForeignKey("jobs.key"), nullable=False),
    Column("render_id", BigInteger, nullable=False),
    Column("camera", Text, nullable=False),
    Column("frame", Integer, nullable=False),
    Column("line", LargeBinary, nullable=False),
    PrimaryKeyConstraint("job", "render_id", "camera", "frame"),
    sqlite_with_rowid=False,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account", ForeignKey("accounts.key"), nullable=False),
    Column("idempotency_key", String(255), nullable=False),
    Column("request", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    PrimaryKeyConstraint("account", "idempotency_key"),
)
