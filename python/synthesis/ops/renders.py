"""A job's renders, one by one, as their files are whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthesis import _core
from synthesis.errors import FailedError, SynthesisError, UsageError
from synthesis.ops import render_ids as ids
from synthesis.ops.download import job_transfer
from synthesis.ops.transfer import progress_of, settled, summary_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from typing_extensions import Unpack

    from synthesis.ops.transfer import Options, Summary
    from synthesis.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """A render of which every file that was asked for is under its final name.

    Attributes:
        render_id: its id.
        files: their paths, by name; with `tar` each is the shard that holds it.
        is_old: True if all of them were there before.
    """

    render_id: int
    files: tuple[Path, ...]
    is_old: bool


def renders(
    transport: Transport,
    job: str,
    *,
    assets: Sequence[str],
    directory: str | os.PathLike[str],
    render_ids: Sequence[tuple[int, int]] | None = None,
    ahead: int = 64,
    **options: Unpack[Options],
) -> Iterator[Render]:
    """Bring a job's files to a folder and iterate over its renders as each is whole.

    The work runs in the background as long as the iterator lives: closing it, or leaving its loop,
    cancels the work, waits for it to wind down and keeps what is done.

    Args:
        transport: the server, key and org.
        job: its id.
        assets: flags such as `rgb` or `info`.
        directory: made if it is not there.
        render_ids: inclusive ranges; None for all.
        ahead: finished renders that wait to be taken, at most; further ones are not begun.
        **options: how it is done; `order` is `renders` unless given, and `progress` is called between
            two renders.

    Raises:
        SynthesisError: as `download` does; kind `partial` at the end if files failed.
    """
    options.setdefault("order", "renders")
    how = settled(options)
    if isinstance(assets, str) or not assets:
        raise UsageError(f"assets must be a list of one or more flags, not {assets!r}")
    if how["verify"] or how["dry_run"]:
        raise UsageError("verify and dry_run finish no renders: use download")
    wanted = ids.merge(ids.checked(render_ids)) if render_ids is not None else None
    transfer = job_transfer(transport, job, assets, wanted, how, directory=directory)
    return _each(transport, transfer, how, ahead)


def _each(transport: Transport, transfer: _core.Transfer, how: Options, ahead: int) -> Iterator[Render]:
    stream = _core.Stream(transport.http, transfer, ahead=ahead)
    try:
        while (found := stream.next(cancel=how["cancel"])) is not None:
            if how["progress"] is not None:
                how["progress"](progress_of(stream.snapshot()))
            render_id, files = found
            if render_id is not None:
                yield Render(
                    render_id=render_id,
                    files=tuple(Path(path) for _, path, _, _ in sorted(files)),
                    is_old=all(is_old for _, _, _, is_old in files),
                )
        _raise_failures(summary_of(stream.outcome()))
    except SynthesisError as error:
        raise transport.explained(error) from None
    finally:
        stream.close()


def _raise_failures(summary: Summary) -> None:
    if not summary.failed:
        return
    first = summary.failures[0]
    raise FailedError(
        f"{summary.failed:,} of {summary.files_total:,} files failed, such as {first.name}: {first.message}",
        kind="partial",
        hint="run it again: what is done is kept",
        fields={"failed": summary.failed, "failed_by_kind": summary.failed_by_kind},
    )
