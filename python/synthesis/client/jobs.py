"""`client.jobs`: create, follow, stop and download jobs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthesis.client.client import segment
from synthesis.errors import UnavailableError, UsageError
from synthesis.schema.asset_kind import BY_FLAG

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from os import PathLike

    from typing_extensions import Unpack

    from synthesis.client.client import Client
    from synthesis.ops.renders import Render
    from synthesis.ops.transfer import Options, Summary
    from synthesis.schema.asset import AssetList
    from synthesis.schema.job import Job, JobCreated

# What names a wire type imports it itself: pydantic takes longer to load than a small download to run.

PAGE = 200  # jobs asked for at once
AWAY = 300.0  # seconds without an answer after which `watch` gives up: longer than a restart


class Jobs:
    """Calls about the org's jobs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self, spec: Mapping[str, Any] | bytes, *, name: str | None = None, notify_emails: Sequence[str] = ()
    ) -> JobCreated:
        """Create a job of humans; sending again after a fault on the way never makes a second one.

        Args:
            spec: the input JSON, or what is to be written as JSON; bytes are kept as they are.
            name: need not be unique; the server finds one when it is left out.
            notify_emails: addresses to write to on completion.

        Raises:
            UsageError: kind `invalid-spec`; `fields["errors"]` lists every fault.
        """
        import uuid

        import orjson

        from synthesis.schema.job import JobCreated

        body = spec if isinstance(spec, bytes) else orjson.dumps(dict(spec))
        query = {"name": name, "notify_emails": ",".join(notify_emails) or None}
        answer = self._client.call(
            "POST",
            "/humans/jobs",
            body=body,
            query={key: value for key, value in query.items() if value is not None},
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
        )
        return self._client.read(JobCreated, answer)

    def get(self, job: str) -> Job:
        """Return a job as it stands."""
        from synthesis.schema.job import Job

        return self._client.read(Job, self._client.call("GET", _path(job)))

    def list(self, *, status: str | None = None, limit: int | None = None) -> Iterator[Job]:
        """Iterate over the org's jobs, newest first; `limit` ends it early."""
        from synthesis.schema.job import Job
        from synthesis.schema.wire import Page

        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            query = {"limit": str(PAGE if left is None else min(left, PAGE))}
            query |= {"status": status} if status else {}
            query |= {"cursor": cursor} if cursor else {}
            page = self._client.read(Page[Job], self._client.call("GET", "/jobs", query=query))
            items = page.items if left is None else page.items[:left]
            yield from items
            left = None if left is None else left - len(items)
            cursor = page.next
            if cursor is None:
                return

    def rename(self, job: str, name: str) -> Job:
        """Give a job another name and return it."""
        from synthesis.schema.job import Job

        return self._client.read(Job, self._client.call("PATCH", _path(job), json={"name": name}))

    def cancel(self, job: str) -> Job:
        """Stop a job; what was made stays. `FailedError` of kind `conflict` if it was finished."""
        from synthesis.schema.job import Job

        return self._client.read(Job, self._client.call("POST", _path(job, "/cancel")))

    def spec(self, job: str) -> bytes:
        """Return the bytes that were submitted."""
        return self._client.call("GET", _path(job, "/spec")).body

    def assets(self, job: str) -> AssetList:
        """Return the kinds of files that a job has, with counts and bytes."""
        from synthesis.schema.asset import AssetList

        return self._client.read(AssetList, self._client.call("GET", _path(job, "/assets")))

    def watch(
        self, job: str, *, interval: float = 2.0, progress: Callable[[Job], object] | None = None
    ) -> Job:
        """Ask every `interval` seconds until the job is finished, and return it.

        A server that has answered once may be away for up to five minutes.

        Args:
            job: its id.
            interval: seconds between two looks.
            progress: called with the job after each look.
        """
        from synthesis.schema.job import FINISHED

        heard: float | None = None
        while True:
            try:
                now = self.get(job)
            except UnavailableError:
                if heard is None or time.monotonic() - heard > AWAY:
                    raise
            else:
                heard = time.monotonic()
                if progress is not None:
                    progress(now)
                if now.status in FINISHED:
                    return now
            time.sleep(interval)

    def download(
        self,
        job: str,
        *,
        assets: builtins.list[str] | tuple[str, ...],
        directory: str | PathLike[str],
        render_ids: Sequence[tuple[int, int]] | str | None = None,
        extract: bool = False,
        watch: bool = False,
        **options: Unpack[Options],
    ) -> Summary:
        """Download assets of a job into a folder; what is there already is kept.

        Args:
            job: its id.
            assets: flags as `assets()` lists them, such as `rgb`, `info`, `metadata`.
            directory: made if it is not there.
            render_ids: `"0,3,50-100"` or inclusive pairs; None is all.
            extract: fetch the EXRs only and make the images from them here: the same bytes.
            watch: go on until the job is finished, fetching files as they are made.
            **options: how it is done, by the words of the command line: `concurrency`, `update`,
                `limit_rate`, `progress`, `cancel` ...; `synthesis.ops.transfer.Options` has them all.

        Returns:
            What was done; files that failed are in `failures` and raise nothing.
        """
        from synthesis.ops.download import download

        self._check(job)
        return download(
            self._client.transport,
            job,
            assets=assets,
            directory=Path(directory),
            render_ids=_ranges(render_ids),
            extract=extract,
            watch=watch,
            **options,
        )

    def renders(
        self,
        job: str,
        *,
        assets: builtins.list[str] | tuple[str, ...],
        directory: str | PathLike[str],
        render_ids: Sequence[tuple[int, int]] | str | None = None,
        ahead: int = 64,
        **options: Unpack[Options],
    ) -> Iterator[Render]:
        """Download assets of a job and iterate over its renders as each is whole.

        The download runs in the background and waits while `ahead` renders are not taken; leaving
        the loop ends it. What it brought stays, and a later call goes on. Renders that were there
        before come too.

        Args:
            job: its id.
            assets: flags as `assets()` lists them.
            directory: made if it is not there.
            render_ids: `"0,3,50-100"` or inclusive pairs; None is all.
            ahead: finished renders that wait to be taken, at most.
            **options: as for `download`; renders are completed one after the other unless `order` says
                otherwise.

        Raises:
            UsageError: an option makes no sense, or there is no such asset (`unknown-asset`).
            SynthesisError: from the loop: as `download` does; kind `partial` after the last render if
                files failed.
        """
        from synthesis.ops.renders import renders

        self._check(job)
        found = renders(
            self._client.transport,
            job,
            assets=assets,
            directory=Path(directory),
            render_ids=_ranges(render_ids),
            ahead=ahead,
            **options,
        )
        self._check_flags(job, assets)
        return found

    def _check(self, job: str) -> None:
        """Raise for what is missing or can be no job, before anything is sent."""
        self._client.check_access()
        segment(job, what="job")

    def _check_flags(self, job: str, flags: builtins.list[str] | tuple[str, ...]) -> None:
        """Raise for a flag that there is not; the server is asked about one that is not known here."""
        strange = [flag for flag in flags if flag != "all" and flag not in BY_FLAG]
        there = {kind.flag for kind in self.assets(job).items} if strange else set()
        if unknown := [flag for flag in strange if flag not in there]:
            known = ", ".join(["all", *BY_FLAG, *sorted(there - BY_FLAG.keys())])
            raise UsageError(
                f"there is no asset {unknown[0]!r}", kind="unknown-asset", hint=f"assets are: {known}"
            )


def _ranges(given: Sequence[tuple[int, int]] | str | None) -> Sequence[tuple[int, int]] | None:
    from synthesis.ops.render_ids import parse

    return parse(given) if isinstance(given, str) else given


def _path(job: str, rest: str = "") -> str:
    return f"/jobs/{segment(job, what='job')}{rest}"
