"""The wait loop under every long call: five behaviours, each with a real call to a mute server."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING

import pytest

from synthesis.errors import CancelledError
from synthesis.ops.cancel import CancelToken
from synthesis.ops.download import download
from synthesis.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from synthesis.ops.transfer import Progress


@pytest.fixture
def mute() -> Iterator[str]:
    """The URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def child(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SIGNALLED = """
    import os, signal, sys, threading, time
    from synthesis.ops.download import download
    from synthesis.transport import Transport

    sent = []
    def interrupt():
        time.sleep(0.3)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    transport = Transport(sys.argv[1])
    try:
        if sys.argv[3] == "download":
            download(transport, "job", assets=["rgb"], directory=sys.argv[2])
        else:
            transport.request("GET", "/")
    except KeyboardInterrupt:
        print(time.monotonic() - sent[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no process can send itself a SIGINT there")
@pytest.mark.parametrize("call", ["download", "request"])
def test_an_interrupt_is_felt_within_100_ms(call: str, mute: str, tmp_path: Path) -> None:
    # The best of three: the machine may be busy with something else.
    felt = [float(child(SIGNALLED, mute, str(tmp_path), call)) for _ in range(3)]
    assert min(felt) < 0.1, felt


def test_progress_is_called_every_interval_on_the_callers_thread(mute: str, tmp_path: Path) -> None:
    seen: list[tuple[Progress, int]] = []
    token = CancelToken()

    def note(now: Progress) -> None:
        seen.append((now, threading.get_ident()))
        if len(seen) == 4:
            token.cancel()

    options = {"assets": ["rgb"], "directory": tmp_path, "interval": 0.01, "cancel": token}
    with pytest.raises(CancelledError):
        download(Transport(mute), "job", progress=note, **options)
    assert len(seen) == 4
    assert {thread for _, thread in seen} == {threading.get_ident()}
    assert [now.seconds for now, _ in seen] == sorted(now.seconds for now, _ in seen)


def test_an_exception_in_the_callback_ends_the_call(mute: str, tmp_path: Path) -> None:
    def fail(_: Progress) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        download(Transport(mute), "job", assets=["rgb"], directory=tmp_path, progress=fail, interval=0.01)
    # The work has ended too: the folder's lock is free, so that the next call gets past it.
    token = CancelToken()
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(CancelledError):
        download(Transport(mute), "job", assets=["rgb"], directory=tmp_path, cancel=token)


@pytest.mark.parametrize("call", ["download", "request"])
def test_a_token_ends_the_call_from_another_thread(call: str, mute: str, tmp_path: Path) -> None:
    token = CancelToken()
    calls: dict[str, Callable[[], object]] = {
        "download": lambda: download(
            Transport(mute), "job", assets=["rgb"], directory=tmp_path, cancel=token
        ),
        "request": lambda: Transport(mute).request("GET", "/", cancel=token),
    }
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        calls[call]()
    timer.join()
    assert token.cancelled


def test_a_token_works_off_the_main_thread(mute: str) -> None:
    token = CancelToken()
    caught: list[BaseException] = []

    def call() -> None:
        try:
            Transport(mute).request("GET", "/", cancel=token)
        except CancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.1)
    token.cancel()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert len(caught) == 1


FORKED = """
    import os, sys, warnings
    from synthesis.errors import FailedError, SynthesisError
    from synthesis.transport import Limits, Transport

    warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads: our point
    transport = Transport(sys.argv[1], limits=Limits(connect=1, first_byte=0.1, idle=0.1))
    try:
        transport.request("POST", "/")
    except SynthesisError:
        pass
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            transport.request("POST", "/")
        except FailedError as error:
            os.write(writer, f"{error.kind}|{error.hint}".encode())
        os._exit(0)
    os.close(writer)
    os.wait()
    print(os.read(reader, 1000).decode())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forked_child_gets_a_clear_error(mute: str) -> None:
    kind, hint = child(FORKED, mute).split("|")
    assert kind == "forked"
    assert "spawn" in hint
    assert "forkserver" in hint
