"""Opens hostile EXRs under limits; `tests/faults/test_exr_attacks.py` runs it as a process of its own.

    python tests/exr_victim.py FOLDER FAMILY EVERY

Prints a line with a name before each attack, and one with what became of it behind it.
"""

from __future__ import annotations

import itertools
import json
import re
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import exr_attacks
import exr_seeds
import synthesis.exr
from readers import png_chunks, read_png, read_tiff, tiff_tags
from synthesis.errors import SynthesisError, UsageError
from synthesis.ops.exr_info import exr_info
from synthesis.ops.extract import ASSETS, extract

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 256 << 20
KINDS = {"invalid-exr", "unsupported-exr", "too-large", "missing-channel", "lost-ids"}
OBEYED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]")
"""What a terminal obeys."""
SMALL = 1 << 16
"""Images of so many bytes are read back pixel by pixel."""


class Expected:
    """What must be said of the file at hand."""

    block = False


expects = Expected()


def limit(seconds: int) -> None:
    """A bounded share of memory and time from here on; too much time ends the process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


NAMES_A_BLOCK = re.compile(r": part \d+, block \d+: ")


def lift() -> None:
    """Memory without a limit, to make the next attack in."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def complaint(kind: str, message: str, path: Path) -> None:
    """An error is one of a bad file, and names it, in one line that no terminal obeys."""
    assert kind in KINDS, f"{kind}: {message}"
    assert message.startswith(f"{path}: "), message
    assert not OBEYED.search(message), ascii(message)
    if expects.block and kind in {"invalid-exr", "unsupported-exr", "too-large"}:
        assert NAMES_A_BLOCK.search(message), message


def look(path: Path) -> None:
    """What is in it."""
    try:
        exr_info(path)
    except SynthesisError as error:
        complaint(error.kind, error.message, path)


def make(path: Path, mode: Any, *, partial: bool = False) -> dict[str, bytes]:
    """Every image that can be made of it: whole ones."""
    out = path.parent / "out"
    (result,) = extract([path], assets=ASSETS, directory=out, mode=mode, workers=1, partial=partial)
    for failure in result.failures:
        complaint(failure.kind, failure.message, path)
    assert result.failures or len(result.outputs) == len(ASSETS)
    made = {output.name.split(".", 1)[1]: output.read_bytes() for output in result.outputs}
    assert {entry.name for entry in out.iterdir()} == {output.name for output in result.outputs}
    for name, data in made.items():
        if len(data) > SMALL:
            whole: Any = png_chunks if name.endswith(".png") else tiff_tags
            assert list(whole(data))
        else:
            assert (read_png if name.endswith(".png") else read_tiff)(data).size
    shutil.rmtree(out)
    return made


def fast(path: Path) -> dict[str, bytes]:
    """In the default mode."""
    return make(path, "fast")


def small(path: Path) -> dict[str, bytes]:
    """In the fewest bytes."""
    return make(path, "small")


def exact(path: Path) -> dict[str, bytes]:
    """In the original's bytes."""
    return make(path, "exact")


def partial(path: Path) -> None:
    """What there is of it."""
    make(path, "fast", partial=True)


def alone(path: Path) -> None:
    """Channels under their own names, which may be those of places."""
    try:
        names = list(synthesis.exr.open(path).channels)[:9]
    except SynthesisError:
        return
    out = path.parent / "out"
    try:
        (result,) = extract([path], channels=names, directory=out, workers=1, thumbnail=True)
    except UsageError:  # no file can be called so
        return
    for failure in result.failures:
        complaint(failure.kind, failure.message, path)
    assert {entry.resolve() for entry in out.iterdir()} == {output.resolve() for output in result.outputs}
    assert {entry.name for entry in path.parent.iterdir()} <= {"a.exr", "out"}
    shutil.rmtree(out)


def read(path: Path) -> None:
    """Every channel as an array, and all of one type together."""
    try:
        file = synthesis.exr.open(path)
        for how in ({}, {"verify": True}, {"partial": True}):
            for names in (list(file.channels)[:1], list(file.channels)[:100]):
                array = file.read(names, **how)
                assert array.shape == (*file.size[::-1], len(names))
                assert all(plane.shape == array.shape[:2] for plane in file.planes(names, **how).values())
    except SynthesisError as error:
        if error.kind != "usage":  # numbers and halves in one array
            complaint(error.kind, error.message, path)


WORK: list[Callable[[Path], object]] = [look, fast, small, exact, partial, alone, read]


def say(line: str) -> None:
    """To whoever watches, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(folder: Path, family: str, every: int, seconds: int) -> None:
    """Run every so manieth attack of a family."""
    path = folder / "a.exr"
    whole = {}
    for name, data in exr_seeds.right().items():
        path.write_bytes(data)
        whole[name] = {work.__name__: work(path) for work in WORK}
        assert whole[name]["fast"], name
    for name, data in itertools.islice(exr_attacks.family(family), 0, None, every):
        say(name)
        path.write_bytes(data)
        expects.block = name.endswith(exr_attacks.BLOCK)
        costs = {}
        limit(seconds)
        for work in WORK:
            if work is small and family == "giants":
                continue  # real pixels by the hundred million, at 4 million a second
            start = time.process_time()
            found = work(path)
            costs[work.__name__] = time.process_time() - start
            if family == "cuts" and isinstance(found, dict):
                right = whole[name.split("-")[0]][work.__name__]
                assert isinstance(right, dict)
                assert found.items() <= right.items()
        say(json.dumps(costs))
        lift()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
