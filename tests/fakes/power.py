"""A disk that loses power: what a run did to its folder, replayed with the unsynced part in doubt.

    recorder = Recorder(folder)
    with Watch(recorder.judge, Recorder.CALLS) as watch:
        outcome(start(server, folder, watch=watch))
    recorder.lose_power(draw, other_folder)

The rules are those of POSIX, not of a kind file system: what lies before a finished `syncfs`, or a
finished `fsync` of its file or folder, is there. Of the rest any write may be lost or be zeros, and
any name may be made, moved or removed, or not, in any order.
"""

# ruff: noqa: PTH112, PTH116, PTH120

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.calls import NUMBERS, OPENS, Call, Verdict

if TYPE_CHECKING:
    import random

CREATES = os.O_CREAT
TEMPORARY = getattr(os, "O_TMPFILE", 0) & ~getattr(os, "O_DIRECTORY", 0)


@dataclass
class Event:
    """Something done to the folder: `file` is an inode's number, `names` are relative paths."""

    what: str
    thread: int
    file: int = 0
    names: tuple[str, ...] = ()
    at: int = 0
    data: bytes = field(default=b"", repr=False)


class Recorder:
    """Writes down what a child does to one folder."""

    CALLS = frozenset(NUMBERS) - {"flock", "statfs", "truncate", "fallocate"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []

    def judge(self, call: Call) -> Verdict:  # noqa: PLR0912 - one branch a kind of call
        """Note the call, and let it happen; files are made here, so that their numbers are known.

        Copies inside the kernel are refused, so that whoever asks for one writes the bytes instead.
        """
        if call.name in ("copy_file_range", "sendfile"):
            return errno.ENOSYS
        if not any(self._is_inside(path) or self._is_descriptor(path) for path in call.paths):
            return None
        if call.name in OPENS:
            return self._open(call)
        names = tuple(self._name(path) for path in call.paths)
        if call.name.startswith("rename"):
            if not self._refuses(call):
                self._note(call, "rename", file=os.lstat(call.paths[0]).st_ino, names=names)
        elif call.name.startswith("link"):
            if not os.path.lexists(call.paths[1]):
                self._note(call, "link", file=os.stat(call.paths[0]).st_ino, names=names[1:])
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            if os.path.lexists(call.path):
                self._note(call, "unlink", names=names)
        elif call.name.startswith("mkdir"):
            if not os.path.lexists(call.path):
                self._note(call, "mkdir", names=names)
        elif call.name == "syncfs":
            self._note(call, "syncfs")
        else:
            self._descriptor(call, names)
        return None

    def _open(self, call: Call) -> Verdict:
        place = 1 if call.name == "openat" else 0
        flags, mode = call.args[place + 1], call.args[place + 2] & 0o777
        is_temporary = TEMPORARY and flags & TEMPORARY
        if not is_temporary and not (flags & CREATES or flags & os.O_TRUNC):
            return None
        is_new = is_temporary or not os.path.lexists(call.path)
        try:
            made = os.open(call.path, flags, mode)
        except OSError:
            return None  # it fails in the child the same way
        number = os.fstat(made).st_ino
        if is_new:
            names = () if is_temporary else (self._name(call.path),)
            self._note(call, "create", file=number, names=names)
        elif flags & os.O_TRUNC:
            self._note(call, "truncate", file=number)
        return ("fd", made)

    def _descriptor(self, call: Call, names: tuple[str, ...]) -> None:
        status = os.stat(f"/proc/{call.pid}/fd/{call.args[0]}")
        if call.name in ("fsync", "fdatasync"):
            is_folder = os.path.isdir(f"/proc/{call.pid}/fd/{call.args[0]}")
            self._note(call, "fsync-folder" if is_folder else "fsync", file=status.st_ino, names=names)
        elif call.name == "ftruncate":
            self._note(call, "truncate", file=status.st_ino, at=call.args[1])
        else:
            data = call.data()
            if call.name.startswith("pwrite"):
                at = call.args[3]
            else:
                text = Path(f"/proc/{call.pid}/fdinfo/{call.args[0]}").read_text()
                position, flags = (re.findall(rf"{key}:\s+(\d+)", text)[0] for key in ("pos", "flags"))
                at = status.st_size if int(flags, 8) & os.O_APPEND else int(position)
            self._note(call, "write", file=status.st_ino, at=at, data=data)

    def _refuses(self, call: Call) -> bool:
        is_exclusive = call.name == "renameat2" and call.args[4] & 1
        return not os.path.lexists(call.paths[0]) or bool(is_exclusive and os.path.lexists(call.paths[1]))

    def _note(self, call: Call, what: str, **rest: object) -> None:
        self.events.append(Event(what, call.pid, **rest))  # type: ignore[arg-type]

    def _is_inside(self, path: str) -> bool:
        return path == str(self.folder) or path.startswith(f"{self.folder}/")

    def _is_descriptor(self, path: str) -> bool:
        return path.startswith("/proc/") and "/fd/" in path and self._is_inside(os.path.realpath(path))

    def _name(self, path: str) -> str:
        return path.removeprefix(str(self.folder)).lstrip("/")

    def lose_power(self, draw: random.Random, place: Path, *, at: int | None = None) -> int:
        """Make in `place` what a loss of power before event `at` (drawn if None) may leave; returns `at`."""
        at = draw.randrange(1, len(self.events) + 1) if at is None else at
        past = self.events[:at]
        chance = draw.choice([0.0, 0.3, 0.7, 1.0])  # that something unsynced is there all the same
        names: dict[str, int] = {}
        contents: dict[int, bytearray] = {}
        folders: set[str] = {""}
        sure = self._sure(past)
        for number, event in enumerate(past):
            is_there = number in sure or draw.random() < chance
            body = contents.setdefault(event.file, bytearray()) if event.file else bytearray()
            match event.what:
                case "write":
                    end = event.at + len(event.data)
                    if is_there or draw.random() < 0.5:  # else the size is lost, too
                        body.extend(bytes(max(0, end - len(body))))
                        body[event.at : end] = event.data if is_there else body[event.at : end]
                case "truncate" if is_there:
                    body[event.at :] = b""
                    body.extend(bytes(event.at - len(body)))
                case "create" if is_there and event.names:
                    names[event.names[0]] = event.file
                case "rename" if is_there:
                    names.pop(event.names[0], None)
                    names[event.names[1]] = event.file
                case "link" if is_there:
                    names[event.names[0]] = event.file
                case "unlink" if is_there:
                    names.pop(event.names[0], None)
                    folders.discard(event.names[0])
                case "mkdir" if is_there:
                    folders.add(event.names[0])
        for name in sorted(folders):
            (place / name).mkdir(parents=True, exist_ok=True)
        for name, number in names.items():
            if not (place / name).is_dir():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(contents[number])
        return at

    def _sure(self, past: list[Event]) -> set[int]:
        """Numbers of the events that a sync has made durable. One counts from its thread's next event."""
        sure: set[int] = set()
        for number, event in enumerate(past):
            if not event.what.startswith(("sync", "fsync")):
                continue
            if not any(later.thread == event.thread for later in past[number + 1 :]):
                continue
            for before, other in enumerate(past[:number]):
                is_content = other.what in ("write", "truncate")
                folder = os.path.dirname(other.names[-1]) if other.names else None
                in_folder = bool(event.names) and folder == event.names[0]
                if (
                    event.what == "syncfs"
                    or (event.what == "fsync" and is_content and other.file == event.file)
                    or (event.what == "fsync-folder" and not is_content and in_folder)
                ):
                    sure.add(before)
        return sure
