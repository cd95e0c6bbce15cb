"""A round trip of any length between two network namespaces, by `delaylink.c`.

    with Network(rtt_ms=40, cache=folder) as network:
        network.server  # words before a command that make it run on the server's side
        network.client  # the same for the client's side
        network.host    # the server's address

With a round trip of 0 both sides are this machine's loopback and there are no words. Needs Linux, root,
`ip` and a C compiler; `missing()` says which of them is not there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).resolve().parent
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
QUEUE = 20_000
"""Packets that a device holds until the link looks: more than come in a tick."""


def missing() -> str | None:
    """Why no link can be made here, or None."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid():
        return "network namespaces need root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return next((f"{name} is not installed" for name in ("ip", "cc") if not shutil.which(name)), None)


def build(name: str, cache: Path) -> Path:
    """Compile `name.c` of this folder into `cache`, unless that is done."""
    source, program = HERE / f"{name}.c", cache / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        cache.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(fresh), str(source)], check=True)
        fresh.rename(program)
    return program


@dataclass
class Network:
    """Two namespaces and the link between them; a context manager.

    Attributes:
        rtt_ms: the round trip in milliseconds; 0 for loopback.
        cache: where the compiled link is kept.
        rate: bits a second each way; 0 for no cap.
        loss: share of packets lost, 0 to 1.
        mtu: 9001 as in clouds, or 1500 as on the way home (taken with a rate or loss).
        core: the core that carries the packets.
        traffic: after the end, what the link says it carried.
    """

    rtt_ms: float
    cache: Path
    rate: int = 0
    loss: float = 0
    mtu: int = 0
    core: int = 0
    traffic: str = ""
    _link: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The server's address, as the client reaches it."""
        return SERVER if self._link else "127.0.0.1"

    @property
    def server(self) -> tuple[str, ...]:
        """Goes before a command that shall run on the server's side."""
        return self._inside("s")

    @property
    def client(self) -> tuple[str, ...]:
        """Goes before a command that shall run on the client's side."""
        return self._inside("c")

    def __enter__(self) -> Network:
        if self.rtt_ms or self.rate or self.loss:
            try:
                self._open()
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _name(self, side: str) -> str:
        return f"bench{os.getpid()}{side}"

    def _inside(self, side: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._name(side)) if self._link else ()

    def _open(self) -> None:
        delay = round(self.rtt_ms * 1000 / 2)
        # A router holds about what is under way: one round trip, and at least 64 KiB.
        queue = max(64 * 1024, round(self.rate / 8 * self.rtt_ms / 1000))
        words = [str(n) for n in (delay, self.rate, queue, round(self.loss * 1e6))]
        program = build("delaylink", self.cache)
        # Before its neighbours on the core: a late link would be a longer one.
        line = ["nice", "-n", "-20", "taskset", "-c", str(self.core), str(program)]
        self._link = subprocess.Popen(
            [*line, self._name("s"), self._name("c"), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._link.stdout is not None
        if self._link.stdout.readline() != "ready\n":
            message = "the delay link did not start"
            raise RuntimeError(message)
        mtu = str(self.mtu or (1500 if self.rate or self.loss else 9001))
        for side, address, peer in (("s", SERVER, CLIENT), ("c", CLIENT, SERVER)):
            name = self._name(side)
            ip("netns", "add", name)
            ip("link", "set", name, "netns", name)
            inside = ("-n", name)
            ip(*inside, "link", "set", "lo", "up")
            ip(*inside, "addr", "add", address, "peer", peer, "dev", name)
            ip(*inside, "link", "set", name, "mtu", mtu, "txqueuelen", str(QUEUE), "up")
            # What one run learnt of the path must not help the next one.
            settings = ["net.ipv4.tcp_no_metrics_save=1", "net.ipv4.ip_local_port_range=10000 65000"]
            subprocess.run([*self._inside(side), "sysctl", "-q", "-w", *settings], check=True)

    def _close(self) -> None:
        if self._link:
            with contextlib.suppress(BrokenPipeError):
                self.traffic = self._link.communicate(timeout=10)[0].strip()
            for side in "sc":
                subprocess.run(["ip", "netns", "del", self._name(side)], stderr=subprocess.DEVNULL)
            self._link = None


def ip(*words: str) -> None:
    """Run `ip`; fails with what it said."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
