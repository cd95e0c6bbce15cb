"""A job that still renders: look now and then, until it is finished.

One look at the job is one small request; the manifest is read again only when there is more in it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from synthesis.errors import CancelledError, UnavailableError
from synthesis.record import replace

if TYPE_CHECKING:
    from synthesis.ops.transfer import Options, Progress, Summary
    from synthesis.transport import Transport

SHORTEST, LONGEST = 1.0, 30.0
"""Seconds between two looks: they grow while nothing happens."""

SHARE = 10
"""A pass is followed by a pause of at least this many times its own length, up to `LONGEST`."""

AWAY = 300.0
"""Seconds without an answer after which waiting gives up: longer than a restart."""

LAST = 3
"""Passes after the job's end at most: a cancelled job's last files come a moment after it."""

TICK = 0.05
FINISHED = frozenset({"completed", "cancelled", "failed"})


class Passes:
    """The passes over one job's manifest, and the pauses between them."""

    def __init__(self, transport: Transport, job: str, how: Options) -> None:
        self._transport = transport
        self._path = f"/api/v1/jobs/{quote(job, safe='')}"
        self._cancel = how["cancel"]
        self._progress = how["progress"]
        self._interval = how["interval"]
        self._started = time.monotonic()
        self._seen: Progress | None = None
        self._state: object = None
        self._last = 0  # passes since the job's end
        self._passed: list[Summary] = []

    def tell(self, now: Progress) -> None:
        """Pass a snapshot of one pass on as one of the whole: what we brought is not old."""
        self._seen = replace(
            now,
            files_present=max(0, now.files_present - sum(one.files_new for one in self._passed)),
            bytes_received=now.bytes_received + sum(one.bytes_received for one in self._passed),
            retries=now.retries + sum(one.retries for one in self._passed),
            throttled_seconds=now.throttled_seconds + sum(one.throttled_seconds for one in self._passed),
            most_permits=max(now.most_permits, *(one.most_permits for one in self._passed), 0),
            seconds=time.monotonic() - self._started,
        )
        if self._progress is not None:
            self._progress(self._seen)

    def is_over(self, summary: Summary) -> bool:
        """True when no pass after this one will bring more."""
        return summary.complete or self._last >= LAST

    def wait(self, summary: Summary) -> None:
        """Return when another pass is worth it: there are more renders, or the job has ended."""
        self._passed.append(summary)
        pause = min(LONGEST, max(SHORTEST, SHARE * summary.seconds))
        heard = time.monotonic()
        while True:
            self._sleep(pause)
            try:
                job = self._transport.request("GET", self._path, cancel=self._cancel).json()
                state = (job["status"] in FINISHED, job["renders_created"])
            except UnavailableError:
                if time.monotonic() - heard > AWAY:
                    raise
                continue
            except (KeyError, TypeError):
                raise UnavailableError(
                    f"{self._transport.server} did not answer with a job", kind="bad-answer"
                ) from None
            heard = time.monotonic()
            self._last += state[0]
            if state != self._state or state[0]:
                self._state = state
                return
            pause = min(LONGEST, 1.5 * pause)

    def whole(self, last: Summary) -> Summary:
        """Return the last pass's summary with what the former ones brought."""
        passes = [*self._passed, last]
        files_new = sum(one.files_new for one in passes)
        return replace(
            last,
            files_new=files_new,
            files_present=last.files_done - files_new,
            bytes_new=sum(one.bytes_new for one in passes),
            bytes_received=sum(one.bytes_received for one in passes),
            retries=sum(one.retries for one in passes),
            seconds=time.monotonic() - self._started,
            throttled_seconds=sum(one.throttled_seconds for one in passes),
            most_permits=max(one.most_permits for one in passes),
            listed=tuple(sorted({flag for one in passes for flag in one.listed})),
        )

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        told = 0.0
        while (left := end - time.monotonic()) > 0:
            if self._cancel is not None and self._cancel.cancelled:
                raise CancelledError("cancelled")
            if time.monotonic() - told >= self._interval:
                told = time.monotonic()
                self._still()
            time.sleep(min(left, TICK))

    def _still(self) -> None:
        """Tell that we are at it, with nothing under way."""
        if self._progress is not None and self._seen is not None:
            seconds = time.monotonic() - self._started
            self._seen = replace(self._seen, in_flight=0, connections=0, seconds=seconds)
            self._progress(self._seen)
