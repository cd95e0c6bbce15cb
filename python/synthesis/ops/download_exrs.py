"""Images made here from the EXRs of a download, as they arrive.

EXRs that nobody asked for stay in `.synthesis/aside/` inside the output folder until their images
are there, so that a finished folder holds what was asked for and a second run skips what is made.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from synthesis.ops import extract as images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from synthesis._core import CancelToken

EXR = "exr"
SUFFIX = ".exr"
ASIDE = Path(".synthesis", "aside")
BATCH = 256
"""EXRs per call, so that the results of millions are never held at once."""


@dataclass
class Exrs:
    """The EXRs of one download, and what is made of them.

    Attributes:
        directory: the output folder.
        assets: flags asked for.
        wanted: ranges of render ids, None for all.
        update: make images again that are there.
        cancel: ends an extraction from another thread.
        files_made: images made so far.
        failures: images, or EXRs, that failed.
    """

    directory: Path
    assets: Sequence[str]
    wanted: tuple[tuple[int, int], ...] | None
    update: bool
    cancel: CancelToken | None
    files_made: int = 0
    failures: list[images.Failure] = field(default_factory=list)
    _failed: set[str] = field(default_factory=set)

    @property
    def made(self) -> tuple[str, ...]:
        """Flags that are made here."""
        return tuple(flag for flag in self.assets if flag in images.ASSETS)

    @property
    def fetched(self) -> tuple[str, ...]:
        """Flags to fetch: EXRs in place of what is made from them."""
        others = [flag for flag in self.assets if flag not in images.ASSETS]
        return tuple(dict.fromkeys([*others, EXR])) if self.made else tuple(others)

    @property
    def aside(self) -> tuple[str, list[str]] | None:
        """What the core keeps aside: suffix and products; None if EXRs are asked for themselves."""
        if not self.made or EXR in self.assets:
            return None
        return SUFFIX, [_suffix(flag) for flag in self.made]

    def make(self, *, most: int | None = None, tick: Callable[[], object] | None = None) -> None:
        """Make the images of EXRs that have arrived aside, at most `most`, and remove those EXRs."""
        if self.aside is None:
            return
        arrived = (path for path in _exrs(self.directory / ASIDE) if path.name not in self._failed)
        for batch in _batches(islice(arrived, most)):
            for result in self._extract(batch, self.made, tick):
                if result.failures:
                    self._failed.add(result.source.name)
                else:
                    result.source.unlink(missing_ok=True)

    def finish(self, tick: Callable[[], object] | None) -> None:
        """Make what is left, once every EXR has arrived; `tick` is called now and then."""
        if not self.made:
            return
        if self.aside is None:
            self._finish_kept(tick)
            return
        self.make(tick=tick)
        for folder in (self.directory / ASIDE, self.directory / ASIDE.parent):
            try:
                folder.rmdir()
            except OSError:  # it holds work that failed or was interrupted, or was never made
                return

    def _finish_kept(self, tick: Callable[[], object] | None) -> None:
        """EXRs stay in the folder: make of each what is missing, all of it on `update`."""
        there = {entry.name for entry in os.scandir(self.directory)}
        needs: dict[tuple[str, ...], list[Path]] = {}
        for name in sorted(name for name in there if name.endswith(SUFFIX) and self._is_wanted(name)):
            stem = name.removesuffix(SUFFIX)
            missing = tuple(flag for flag in self.made if self.update or stem + _suffix(flag) not in there)
            if missing:
                needs.setdefault(missing, []).append(self.directory / name)
        for flags, paths in needs.items():
            for batch in _batches(iter(paths)):
                self._extract(batch, flags, tick)

    def _extract(
        self, batch: list[Path], flags: Sequence[str], tick: Callable[[], object] | None
    ) -> tuple[images.Extracted, ...]:
        results = images.extract(
            batch,
            assets=flags,
            directory=self.directory,
            mode="exact",
            progress=None if tick is None else lambda _: tick(),
            cancel=self.cancel,
        )
        for result in results:
            self.files_made += len(result.outputs)
            self.failures += result.failures
        return results

    def _is_wanted(self, name: str) -> bool:
        if self.wanted is None:
            return True
        digits = name.split(".", 1)[0]
        return digits.isdecimal() and any(start <= int(digits) <= end for start, end in self.wanted)


def _suffix(flag: str) -> str:
    """The end of an asset's file names, with its dot."""
    from synthesis.schema.asset_kind import BY_FLAG

    return f".{BY_FLAG[flag].suffix}"


def _exrs(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(SUFFIX))
    except FileNotFoundError:
        return
    for name in names:
        yield folder / name


def _batches(paths: Iterator[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    for path in paths:
        batch.append(path)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
