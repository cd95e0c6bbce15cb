"""How long work shows itself: a line on a terminal, a plain line now and then in a log, NDJSON events.

All three are fed with whole snapshots and draw when their time has come, so a fast transfer costs
nothing here.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING

from synthesis.cli.output import duration, size

if TYPE_CHECKING:
    from synthesis.cli.output import Output
    from synthesis.ops.download import Progress

TERMINAL_EVERY = 0.2  # five times a second: smooth for the eye, nothing for the terminal
EVENT_EVERY = 1.0
LOG_EVERY = 10.0
WINDOW = 30.0  # rates are those of the last half minute


class Ticker:
    """Decides when a line is due, and how it is shown."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty() and not out.as_json and not out.quiet
        self._every = TERMINAL_EVERY if self._terminal else EVENT_EVERY if out.as_json else LOG_EVERY
        self._next = self._started + (0 if self._terminal else self._every)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def due(self) -> bool:
        """True when the next line may be drawn; asking moves the time on."""
        now = time.monotonic()
        if now < self._next:
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
    """Shows the snapshots of a download."""

    def __init__(self, out: Output) -> None:
        self._ticker = Ticker(out)
        self._window: deque[tuple[float, int, int]] = deque()

    def __call__(self, now: Progress) -> None:
        """Take one snapshot in."""
        if self._ticker.due():
            self._ticker.show(self._text(now), asdict(now))

    def done(self) -> None:
        """Take the line away."""
        self._ticker.done()

    def _text(self, now: Progress) -> str:
        files_rate, bytes_rate = self._rates(now)
        parts = [f"{now.files_done:,}/{now.files_total:,} files", _of(now.bytes_done, now.bytes_total)]
        if bytes_rate:
            parts.append(f"{size(bytes_rate)}/s")
        if left := _time_left(now, files_rate, bytes_rate):
            parts.append(f"{left} left")
        parts.append(f"{now.in_flight} at once")
        if now.retries:
            parts.append(f"{now.retries:,} retries" if now.retries > 1 else "1 retry")
        if now.failed:
            parts.append(f"{now.failed:,} failed")
        return "  ".join(parts)

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
    return f"{size(done)} of {size(total)}" if total else size(done)


def _time_left(now: Progress, files_rate: float, bytes_rate: float) -> str | None:
    """The later of what files and bytes say; None while there is nothing to reckon with."""
    spans = []
    if files_rate and now.files_total > now.files_done:
        spans.append((now.files_total - now.files_done) / files_rate)
    if bytes_rate and now.bytes_total > now.bytes_done:
        spans.append((now.bytes_total - now.bytes_done) / bytes_rate)
    return duration(max(spans)) if spans and now.seconds >= 1 else None
