"""The index of files: totals for the first line of a manifest, pages for the rest, one file by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, func, insert, select, tuple_, update

from synthesis.server.file_name import JOB_WIDE, FileName
from synthesis.server.store.tables import file_totals, files, jobs, orgs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from synthesis.server.store.tables import Record


class IndexedFile(NamedTuple):
    """One file as the index knows it; `sha256` is the digest's 32 bytes."""

    name: FileName
    size: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which files of a job a manifest lists.

    Attributes:
        job: the job's key.
        until: generation of the snapshot: files that arrive later are left out.
        since: only files of later generations; 0 for all.
        flags: asset flags; None for all.
        ranges: inclusive ranges of render ids, sorted and disjoint; None for all. Job-wide files
            match always.
    """

    job: int
    until: int
    since: int = 0
    flags: tuple[str, ...] | None = None
    ranges: tuple[tuple[int, int], ...] | None = None

    @property
    def spans(self) -> tuple[tuple[int, int] | None, ...]:
        """The ranges to walk one after the other, job-wide files first; `(None,)` when not limited."""
        return (None,) if self.ranges is None else ((JOB_WIDE, JOB_WIDE), *self.ranges)


def add(db: Connection, job: int, arrived: Sequence[IndexedFile]) -> int:
    """Index new files of a job under its next generation, which is returned."""
    bump = update(jobs).where(jobs.c.key == job).values(generation=jobs.c.generation + 1)
    generation = int(db.execute(bump.returning(jobs.c.generation)).scalar_one())
    if not arrived:
        return generation
    db.execute(insert(files), [_row(job, generation, file) for file in arrived])
    for flag in {file.name.flag for file in arrived}:
        sizes = [file.size for file in arrived if file.name.flag == flag]
        _add_total(db, job, flag, len(sizes), sum(sizes))
    return generation


def _row(job: int, generation: int, file: IndexedFile) -> dict[str, Any]:
    return {
        "job": job,
        **file.name._asdict(),
        "bytes": file.size,
        "sha256": file.sha256,
        "generation": generation,
    }


def _add_total(db: Connection, job: int, flag: str, count: int, size: int) -> None:
    grow = update(file_totals).where(file_totals.c.job == job, file_totals.c.flag == flag)
    grow = grow.values(count=file_totals.c.count + count, bytes=file_totals.c.bytes + size)
    if db.execute(grow).rowcount == 0:
        db.execute(insert(file_totals).values(job=job, flag=flag, count=count, bytes=size))


def totals(db: Connection, job: int) -> dict[str, tuple[int, int]]:
    """(count, bytes) of every flag the job has files of."""
    query = select(file_totals).where(file_totals.c.job == job)
    return {row.flag: (row[2], row[3]) for row in db.execute(query)}  # `row.count` is a method


def measure(db: Connection, selection: Selection) -> tuple[int, int]:
    """(count, bytes) of a selection; immediate unless it names renders or `since`."""
    if selection.since == 0 and selection.ranges is None:
        kept = [
            pair
            for flag, pair in totals(db, selection.job).items()
            if selection.flags is None or flag in selection.flags
        ]
    else:
        columns = (func.count(), func.coalesce(func.sum(files.c.bytes), 0))
        kept = []
        for span in selection.spans:
            row = db.execute(select(*columns).where(_matches(selection, span))).one()
            kept.append((int(row[0]), int(row[1])))
    return sum(count for count, _ in kept), sum(size for _, size in kept)


def page(
    db: Connection, selection: Selection, span: tuple[int, int] | None, after: FileName | None, limit: int
) -> list[Record]:
    """Up to `limit` files of one span of the selection that sort behind `after`."""
    key = (files.c.render_id, files.c.camera, files.c.frame, files.c.flag)
    if span is not None and after is not None:
        # SQLite searches by one of two lower bounds only: let it be the nearer one.
        span = (max(span[0], after.render_id), span[1])
    query = select(*key, files.c.bytes, files.c.sha256).where(_matches(selection, span))
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return list(db.execute(query.order_by(*key).limit(limit)))


def _matches(selection: Selection, span: tuple[int, int] | None) -> Any:
    conditions = [files.c.job == selection.job, files.c.generation <= selection.until]
    if selection.since > 0:
        conditions.append(files.c.generation > selection.since)
    if selection.flags is not None:
        conditions.append(files.c.flag.in_(selection.flags))
    if span is not None:
        conditions.append(files.c.render_id.between(*span))
    return and_(*conditions)


_FIND = (  # built once: building it would cost more than running it, and every download asks it per file
    select(files.c.bytes, files.c.sha256, orgs.c.name.label("org_name"))
    .join_from(jobs, orgs)
    .outerjoin(
        files,
        and_(
            files.c.job == jobs.c.key,
            *(files.c[part] == bindparam(f"file_{part}") for part in FileName._fields),
        ),
    )
    .where(jobs.c.id == bindparam("job_id"))
)


def find(db: Connection, job_id: str, name: FileName | None) -> Record | None:
    """(bytes, sha256, org_name); the first two None when the job lacks the file; None without such a job."""
    parts = (JOB_WIDE - 1, "", 0, "") if name is None else name
    given = {f"file_{part}": value for part, value in zip(FileName._fields, parts, strict=True)}
    return db.execute(_FIND, {"job_id": job_id, **given}).one_or_none()
