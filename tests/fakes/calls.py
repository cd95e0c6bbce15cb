"""The system calls of a child, seen before they happen: let through, refused, or answered in its place.

    def judge(call: Call) -> Verdict:
        return errno.EIO if call.name == "renameat2" else None

    with Watch(judge) as watch:
        child = start(server, folder, watch=watch)

It is the kernel's user notification of seccomp, so it needs Linux 5.14 or newer, no right and no
compiler, and it sees every call whichever library makes it. As a program, `python -m fakes.calls FD
COMMAND...` lets itself be watched, hands the watch over through the socket FD, and becomes COMMAND.
"""

# ruff: noqa: PTH115, PTH118, PTH123

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import select
import socket
import struct
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = {
    "x86_64": {
        "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "sendfile": 40, "flock": 73,
        "fsync": 74, "fdatasync": 75,
        "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87,
        "statfs": 137, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265,
        "fallocate": 285, "pwritev": 296, "syncfs": 306, "renameat2": 316, "copy_file_range": 326,
        "pwritev2": 328,
    },
    "aarch64": {
        "flock": 32, "mkdirat": 34, "unlinkat": 35, "linkat": 37, "renameat": 38, "statfs": 43,
        "truncate": 45, "ftruncate": 46, "fallocate": 47, "openat": 56, "write": 64, "writev": 66,
        "pwrite64": 68, "pwritev": 70, "sendfile": 71, "fsync": 82, "fdatasync": 83, "syncfs": 267,
        "renameat2": 276, "copy_file_range": 285,
        "pwritev2": 287,
    },
}.get(platform.machine(), {})  # fmt: skip
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}.get(platform.machine(), 0)
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(platform.machine(), 0)
WHERE = {  # which arguments are (folder descriptor, path); None: the working folder
    "open": [(None, 0)], "openat": [(0, 1)], "truncate": [(None, 0)], "statfs": [(None, 0)],
    "rename": [(None, 0), (None, 1)], "renameat": [(0, 1), (2, 3)], "renameat2": [(0, 1), (2, 3)],
    "link": [(None, 0), (None, 1)], "linkat": [(0, 1), (2, 3)], "mkdir": [(None, 0)], "mkdirat": [(0, 1)],
    "rmdir": [(None, 0)], "unlink": [(None, 0)], "unlinkat": [(0, 1)],
}  # fmt: skip
OPENS = ("open", "openat")
RECEIVE, SEND, ADD_FD = 0xC0502100, 0xC0182101, 0x40182103
CONTINUE, SEND_WITH_FD = 1, 2
NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000

Verdict = int | tuple[str, int] | None
"""None: let it happen. A number: that errno instead. ("fd", n): an open that gives our descriptor n,
which is closed then. ("result", n): n, without the call."""


@dataclass(frozen=True)
class Call:
    """One call that is about to happen. `paths` are absolute; for a descriptor, what it stands for."""

    name: str
    pid: int  # of the thread
    args: tuple[int, ...]
    paths: tuple[str, ...]

    @property
    def path(self) -> str:
        """The first path."""
        return self.paths[0]

    def memory(self, at: int, size: int) -> bytes:
        """Bytes of the child's memory."""
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, at)

    def data(self) -> bytes:
        """What a write is about to write."""
        if self.name in ("write", "pwrite64"):
            return self.memory(self.args[1], self.args[2])
        pairs = struct.iter_unpack("QQ", self.memory(self.args[1], 16 * self.args[2]))
        return b"".join(self.memory(at, size) for at, size in pairs)


class Watch:
    """Judges the calls of every program started with `command`, and of its children."""

    def __init__(self, judge: Callable[[Call], Verdict], names: set[str] | None = None) -> None:
        if sys.platform != "linux" or not NUMBERS:
            pytest.skip("needs the user notifications of Linux")
        self.judge = judge
        self.names = {number: name for name, number in NUMBERS.items() if names is None or name in names}
        self.error: BaseException | None = None
        self._ours, self._theirs = socket.socketpair()
        self._stop, self._stopping = os.pipe()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._stopping)
        self._thread.join(5)
        os.close(self._stop)
        self._ours.close()
        self._theirs.close()
        if self.error is not None and exc[0] is None:
            raise self.error

    @property
    def fd(self) -> int:
        """What the child must inherit."""
        return self._theirs.fileno()

    def command(self, command: list[str]) -> list[str]:
        """The command line under watch."""
        numbers = ",".join(str(number) for number in self.names)
        return [sys.executable, "-m", "fakes.calls", str(self.fd), numbers, *command]

    def _work(self) -> None:
        try:
            ready, _, _ = select.select([self._ours, self._stop], [], [])
            if self._ours not in ready:
                return
            _, (listener,), _, _ = socket.recv_fds(self._ours, 1, 1)
            poll = select.poll()
            poll.register(listener, select.POLLIN)
            poll.register(self._stop, select.POLLIN | select.POLLHUP)
            while True:
                events = dict(poll.poll())
                if events.get(listener, 0) & select.POLLIN:
                    self._one(listener)
                elif events:
                    break
            os.close(listener)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error

    def _one(self, listener: int) -> None:
        notice = bytearray(80)
        if not _ioctl(listener, RECEIVE, notice):
            return  # the thread is gone already
        ident, pid, _, number, *rest = struct.unpack("QIIiIQ6Q", notice)
        try:
            verdict = self.judge(self._call(self.names[number], pid, tuple(rest[2:])))
        except (OSError, ProcessLookupError):  # it was killed while we looked
            verdict = None
        if isinstance(verdict, tuple) and verdict[0] == "fd":
            flags = os.O_CLOEXEC
            _ioctl(
                listener, ADD_FD, bytearray(struct.pack("QIIII", ident, SEND_WITH_FD, verdict[1], 0, flags))
            )
            os.close(verdict[1])
            return
        value = verdict[1] if isinstance(verdict, tuple) else 0
        error = -verdict if isinstance(verdict, int) else 0
        answer = struct.pack("QqiI", ident, value, error, CONTINUE if verdict is None else 0)
        _ioctl(listener, SEND, bytearray(answer))

    def _call(self, name: str, pid: int, args: tuple[int, ...]) -> Call:
        if name in WHERE:
            paths = tuple(_path(pid, args, *place) for place in WHERE[name])
        else:
            paths = (_link(f"/proc/{pid}/fd/{args[0]}"),)
        return Call(name, pid, args, paths)


def _path(pid: int, args: tuple[int, ...], folder: int | None, place: int) -> str:
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        while b"\0" not in text:
            at = args[place] + len(text)
            text += os.pread(memory.fileno(), 4096 - at % 4096, at)
    path = os.fsdecode(text.partition(b"\0")[0])
    number = ctypes.c_int(args[folder]).value if folder is not None else -100
    base = f"/proc/{pid}/cwd" if number == -100 else f"/proc/{pid}/fd/{number}"
    if not path:
        return base if number != -100 else ""  # AT_EMPTY_PATH: the descriptor itself
    if path.startswith("/proc/self/"):
        return f"/proc/{pid}/{path.removeprefix('/proc/self/')}"
    return path if path.startswith("/") else os.path.normpath(os.path.join(_link(base), path))


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


_LIBC = ctypes.CDLL(None, use_errno=True)


def _ioctl(fd: int, request: int, buffer: bytearray) -> bool:
    data = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    return int(_LIBC.ioctl(ctypes.c_int(fd), ctypes.c_ulong(request), data)) >= 0


def let_watch(numbers: list[int]) -> int:
    """From here on these calls of this process wait for a verdict; returns the listener."""
    steps = [(0x20, 0, 0, 4), (0x15, 0, len(numbers) + 1, ARCH), (0x20, 0, 0, 0)]
    steps += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, NOTIFY)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    _LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    listener = int(_LIBC.syscall(SECCOMP, 1, 8, program))  # SET_MODE_FILTER, NEW_LISTENER
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def main() -> None:
    """The program; see the module's text."""
    place, numbers, *command = sys.argv[1:]
    listener = let_watch([int(number) for number in numbers.split(",")])
    with socket.socket(fileno=int(place)) as handover:
        socket.send_fds(handover, [b"."], [listener])
    with contextlib.suppress(OSError):
        os.close(listener)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
