"""How long work shows itself: a line on a terminal, a plain line now and then in a log, NDJSON events.

All three are fed with whole snapshots and draw when their time has come, so a fast transfer costs
nothing here.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from synthesis.cli.output import duration, plural, size
from synthesis.record import asdict

if TYPE_CHECKING:
    from synthesis.cli.output import Output
    from synthesis.ops.transfer import Progress

TERMINAL_EVERY = 0.2  # five times a second: smooth for the eye, nothing for the terminal
EVENT_EVERY = 1.0
LOG_EVERY = 10.0
LOG_TRANSFER_EVERY = 30.0  # or a line for each twentieth of the files, whichever comes first
LOG_SHARE = 0.05
LEAST = 1.0  # seconds between two lines of a log
LEAST_SHARE = 0.02  # of a list that must have been read before the rest is reckoned from it
WINDOW = 30.0  # rates are those of the last half minute


class Ticker:
    """Decides when a line is due, and how it is shown."""

    def __init__(self, out: Output, every: float = LOG_EVERY) -> None:
        self._out = out
        self._started = time.monotonic()
        self._is_log = not (out.can_redraw or out.as_json or out.quiet)
        self._terminal = out.can_redraw and not out.as_json and not out.quiet
        self._every = TERMINAL_EVERY if self._terminal else EVENT_EVERY if out.as_json else every
        self._next = self._started + (0 if self._terminal else self._every)

    @property
    def room(self) -> int | None:
        """Letters that a line may have; None if it may have any number."""
        return self._out.room if self._terminal else None

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def due(self, *, early: bool = False) -> bool:
        """True when the next line may be drawn; asking moves the time on.

        A log has its line before its time when there is enough to tell (`early`), but no flood of them.
        """
        now = time.monotonic()
        if now < self._next and not (early and self._is_log and now >= self._next - self._every + LEAST):
            return False
        self._next = now + self._every
        return True

    def show(self, text: str, event: dict[str, object]) -> None:
        """Draw the line, print it, or print the event."""
        if self._terminal:
            self._out.line(text)
        elif self._out.as_json:
            self._out.event("progress", **event)
        else:
            self._out.note(text)

    def done(self) -> None:
        """Take the line away."""
        self._out.end_line()


class TransferLine:
    """Shows the snapshots of a transfer."""

    def __init__(self, out: Output, label: str = "", *, waits: bool = False) -> None:
        self._out = out
        self._ticker = Ticker(out, every=LOG_TRANSFER_EVERY)
        self._label = label
        self._waits = waits  # for more renders, when nothing is under way
        self._window: deque[tuple[float, int, int]] = deque()
        self._told = 0.0  # share of the files that the last line of a log told
        self._paused = 0.0  # throttled seconds at the last snapshot
        self._pausing = False

    def __call__(self, now: Progress) -> None:
        """Take one snapshot in."""
        pausing, self._paused = now.throttled_seconds > self._paused, now.throttled_seconds
        if pausing and not self._pausing:
            self._out.event("throttled", seconds=now.seconds, throttled_seconds=now.throttled_seconds)
        self._pausing = pausing
        share = now.files_done / now.files_total if self._is_whole(now) and now.files_total else 0.0
        if self._ticker.due(early=share >= self._told + LOG_SHARE):
            self._told = max(share, self._told)
            self._ticker.show(self._text(now), asdict(now))

    def done(self) -> None:
        """Take the line away."""
        self._ticker.done()

    def _is_whole(self, now: Progress) -> bool:
        """True when no further file will come."""
        return now.is_whole and not self._waits

    def _text(self, now: Progress) -> str:
        """The line; on a narrow terminal without the parts of the lowest ranks."""
        files_rate, bytes_rate = self._rates(now)
        whole = self._is_whole(now)
        more = "" if whole else "+"
        under_way = f"{now.in_flight:,} at once" if now.in_flight else ""
        waiting = self._waits and not (now.connections or now.in_flight)
        left = "" if self._waits else _time_left(now, files_rate, bytes_rate, whole=whole)
        counts = f"{now.files_done:,}/{now.files_total:,}{more} files"
        if not now.files_total and not whole:
            counts = "no files yet" if waiting else "reading the list"
        parts = [
            (9, f"{self._label} {counts}".strip()),
            (
                5,
                _of(now.bytes_done, now.bytes_total if whole and now.sizes_known else 0)
                if now.files_total
                else "",
            ),
            (2, f"{now.files_present:,} there before" if now.files_present else ""),
            (4, f"{size(bytes_rate)}/s" if bytes_rate else ""),
            (6, f"{files_rate:,.0f} files/s" if files_rate >= 1 else ""),
            (0, plural(now.connections, "conn") if now.connections else under_way),
            (1.5, f"{100 * now.list_share:.0f} % of the list" if now.list_share and not whole else ""),
            (1, f"retries {now.retries:,}" if now.retries else ""),
            (8, f"failed {now.failed:,}" if now.failed else ""),
            (3, _causes(now.failed_by_kind)),
            (2.5, "slowed by the server" if self._pausing else ""),
            (7, "waiting for more renders" if waiting else f"eta {left}" if left else ""),
        ]
        return _fitted(parts, self._ticker.room)

    def _rates(self, now: Progress) -> tuple[float, float]:
        """Files and bytes a second over the window; what was there before counts for nothing."""
        self._window.append((now.seconds, now.files_done - now.files_present, now.bytes_received))
        while len(self._window) > 2 and now.seconds - self._window[0][0] > WINDOW:
            self._window.popleft()
        then, files, count = self._window[0]
        _, files_now, count_now = self._window[-1]
        span = now.seconds - then
        if span <= 0:
            return 0.0, 0.0
        return max(0, files_now - files) / span, max(0, count_now - count) / span


class RenderLine:
    """Shows how many renders of a job there are."""

    def __init__(self, out: Output) -> None:
        self._ticker = Ticker(out)

    def __call__(self, status: str, created: int, failed: int, total: int) -> None:
        """Take one state of the job in."""
        if not self._ticker.due():
            return
        text = f"{created:,}/{total:,} renders created"
        seconds = self._ticker.seconds
        if failed:
            text += f"  {failed:,} failed"
        text += f"  {duration(seconds)}"
        event: dict[str, object] = {"status": status, "renders_created": created, "renders_failed": failed}
        self._ticker.show(text, {**event, "renders_total": total, "seconds": round(seconds, 3)})

    def done(self) -> None:
        """Take the line away."""
        self._ticker.done()


def _of(done: int, total: int) -> str:
    """`38.2/97.0 GB`, with both units if they differ."""
    if not total:
        return size(done)
    (count, unit), whole = size(done).split(" "), size(total)
    return f"{count}/{whole}" if whole.endswith(f" {unit}") else f"{count} {unit}/{whole}"


def _causes(by_kind: dict[str, int]) -> str:
    """The commonest reasons of failures: `(not-found 9, mismatch 3)`."""
    causes = sorted(by_kind.items(), key=lambda cause: -cause[1])
    if not causes:
        return ""
    told = [f"{kind} {count:,}" for kind, count in causes[:2]]
    return f"({causes[0][0]})" if len(causes) == 1 else f"({', '.join(told)}{' ...' * (len(causes) > 2)})"


def _fitted(parts: list[tuple[float, str]], room: int | None) -> str:
    """Join the parts; without those of the lowest ranks if there is no room for all."""
    shown = [part for part in parts if part[1]]
    while room is not None and len(shown) > 1 and len("  ".join(text for _, text in shown)) > room:
        shown.remove(min(shown))
    return "  ".join(text for _, text in shown)


def _time_left(now: Progress, files_rate: float, bytes_rate: float, *, whole: bool) -> str:
    """The later of what files and bytes say; nothing while there is nothing to reckon with."""
    share = 1.0 if whole else now.list_share or 0.0
    files_left = now.files_total / share - now.files_done - now.failed if share >= LEAST_SHARE else 0.0
    if now.seconds < 1 or not files_rate or files_left <= 0:
        return ""
    seconds = files_left / files_rate
    if now.sizes_known and bytes_rate:
        seconds = max(seconds, (now.bytes_total / share - now.bytes_done) / bytes_rate)
    return "~" * (not whole) + duration(seconds) if seconds >= 0.1 else ""
