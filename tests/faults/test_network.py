"""Between us and the server: names, addresses, proxies, TLS and servers that come and go."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fakes import faults, protocol
from fakes.calls import Call, Verdict, Watch
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, fetch, final_names, outcome, start
from fakes.tls import make_authority, make_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = [File(f"{at}.rgb.png", made(20_000, at), render_id=at) for at in range(60)]
NAME = "files.example.test"
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the user notifications of Linux")


def hosts(place: Path, text: str) -> Callable[[Call], Verdict]:
    """A child that is judged so finds `place` where its table of hosts should be."""
    place.write_text(text)
    return lambda call: ("fd", os.open(place, os.O_RDONLY)) if call.path == "/etc/hosts" else None


def wait_for(folder: Path, count: int) -> None:
    """Return once `count` files are there."""
    end = time.monotonic() + 30
    while len(final_names(folder)) < count:
        assert time.monotonic() < end, "the child fetches nothing"
        time.sleep(0.005)


@contextlib.contextmanager
def black_hole(port: int) -> Iterator[None]:
    """An IPv6 address that takes connections and never answers one: its queue is full."""
    with contextlib.ExitStack() as stack:
        try:
            full = stack.enter_context(socket.socket(socket.AF_INET6))
            full.bind(("::1", port))
        except OSError:
            pytest.skip("no IPv6 here")
        full.listen(0)
        for _ in range(4):
            other = stack.enter_context(socket.socket(socket.AF_INET6))
            other.setblocking(False)
            other.connect_ex(("::1", port))
        time.sleep(0.05)
        yield


@linux
def test_an_ipv6_black_hole_is_walked_around(tmp_path: Path) -> None:
    judge = hosts(tmp_path / "hosts", f"::1 {NAME}\n127.0.0.1 {NAME}\n")
    with FaultyServer(FILES) as server, black_hole(server.port), Watch(judge, {"openat"}) as watch:
        url = f"http://{NAME}:{server.port}"
        begin = time.monotonic()
        assert outcome(start(server, tmp_path / "job", url=url, watch=watch))["exit_code"] == 0
        assert time.monotonic() - begin < 10
        assert_complete(server, tmp_path / "job")


@linux
def test_an_address_that_refuses_is_passed_over(tmp_path: Path) -> None:
    judge = hosts(tmp_path / "hosts", f"127.0.0.9 {NAME}\n127.0.0.1 {NAME}\n")
    with FaultyServer(FILES) as server, Watch(judge, {"openat"}) as watch:
        url = f"http://{NAME}:{server.port}"
        assert outcome(start(server, tmp_path / "job", url=url, watch=watch))["exit_code"] == 0
        assert_complete(server, tmp_path / "job")


@linux
@pytest.mark.parametrize("later", ["127.0.0.9 {}\n", ""], ids=["flips", "vanishes"])
def test_a_name_that_leads_elsewhere_on_the_way_ends_well_or_honestly(later: str, tmp_path: Path) -> None:
    table, folder = tmp_path / "hosts", tmp_path / "job"
    judge = hosts(table, f"127.0.0.1 {NAME}\n")
    with FaultyServer(FILES, pace=0.02) as server, Watch(judge, {"openat"}) as watch:
        for file in FILES[20:40]:
            server.faults[file.name] = [protocol.close_after()]
        child = start(server, folder, url=f"http://{NAME}:{server.port}", watch=watch, concurrency=2)
        wait_for(folder, 5)
        table.write_text(later.format(NAME))
        result = outcome(child)
        # Connections that are open may serve to the end; new ones find nobody.
        assert result["exit_code"] in (0, 1, 5), result
        assert_exact(server, folder)
        server.pace = 0
        assert fetch(server, folder).failures == ()
        assert_complete(server, folder)


@linux
def test_a_name_that_nobody_knows_is_named(tmp_path: Path) -> None:
    judge = hosts(tmp_path / "hosts", "")
    with FaultyServer(FILES) as server, Watch(judge, {"openat"}) as watch:
        result = outcome(start(server, tmp_path / "job", url="http://nobody.invalid", watch=watch))
        assert result["exit_code"] == 5
        assert "nobody.invalid" in result["message"]


def test_a_server_that_goes_away_is_an_honest_end(tmp_path: Path) -> None:
    with FaultyServer(FILES, pace=0.02) as server:
        child = start(server, tmp_path, concurrency=2, attempts=2)
        wait_for(tmp_path, 5)
        server.stop()
        assert outcome(child)["exit_code"] in (1, 5)
        assert_exact(server, tmp_path)


def test_a_server_that_comes_back_is_gone_on_with(tmp_path: Path) -> None:
    with FaultyServer(FILES, pace=0.02) as server:
        child = start(server, tmp_path, concurrency=2, attempts=8)
        wait_for(tmp_path, 5)
        server.stop()
        time.sleep(0.3)
        with FaultyServer(FILES, port=server.port) as again:
            result = outcome(child)
            assert result["exit_code"] == 0, result
            assert result["files_new"] + result["files_present"] == len(FILES)
            assert_complete(again, tmp_path)


def test_a_proxy_that_dies_is_an_honest_end(tmp_path: Path) -> None:
    with FaultyServer(FILES, pace=0.02) as proxy:
        env = {"http_proxy": proxy.url}
        child = start(proxy, tmp_path, url="http://platform.invalid", env=env, attempts=2)
        wait_for(tmp_path, 5)
        proxy.stop()
        result = outcome(child)
        assert result["exit_code"] in (1, 5)
        assert_exact(proxy, tmp_path)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our own authority, `ca.pem`."""
    folder = tmp_path_factory.mktemp("tls")
    make_authority(folder)
    return folder


BAD = {
    "expired": {"start": -2, "end": -1},
    "not-yet-valid": {"start": 1, "end": 2},
    "other-host": {"host": "DNS:somebody-else.example"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_certificate_that_is_not_right_is_named(
    bad: dict[str, float], authority: Path, tmp_path: Path
) -> None:
    with FaultyServer(FILES, tls=make_context(authority, **bad)) as server:  # type: ignore[arg-type]
        result = outcome(start(server, tmp_path, env={"SSL_CERT_FILE": str(authority / "ca.pem")}))
        assert (result["kind"], result["exit_code"]) == ("tls", 5)
        assert server.requests == []
        assert final_names(tmp_path) == []


@pytest.mark.parametrize(
    ("named", "bad", "code"),
    [("leaf.pem", {}, 0), ("ca.pem", {}, 5), *(("leaf.pem", bad, 5) for bad in BAD.values())],
    ids=["named", "not-named", *BAD],
)
def test_a_certificate_of_its_own_is_believed_if_it_is_named(
    named: str, bad: dict[str, float], code: int, authority: Path, tmp_path: Path
) -> None:
    context = make_context(authority, own=True, **bad)  # type: ignore[arg-type]
    with FaultyServer(FILES, tls=context) as server:
        result = outcome(start(server, tmp_path, env={"SSL_CERT_FILE": str(authority / named)}))
        assert (result.get("kind"), result["exit_code"]) == ("tls" if code else None, code)
        assert bool(server.requests) == (code == 0)


@pytest.fixture
def context(authority: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    return make_context(authority)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for-ever"])
def test_tls_cut_without_goodbye_is_no_end_of_a_body(
    lasting: bool, authority: Path, context: ssl.SSLContext, tmp_path: Path
) -> None:
    hit = FILES[7].name
    with FaultyServer(FILES, tls=context) as server:
        cut = protocol.truncated_tls()
        server.faults[hit] = [faults.always(cut) if lasting else cut]
        result = outcome(start(server, tmp_path, env={"SSL_CERT_FILE": str(authority / "ca.pem")}))
        assert result["exit_code"] == (1 if lasting else 0)
        assert_exact(server, tmp_path)
        assert len(final_names(tmp_path)) == len(FILES) - lasting


def test_tls_cut_inside_a_record_is_asked_for_again(
    authority: Path, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """A relay that knows no TLS drops the first connections in the middle of what they carry."""
    with (
        FaultyServer(FILES, tls=context) as server,
        Relay(server.port, cuts=[5_000, 30_001]) as relay,
    ):
        child = start(
            server,
            tmp_path,
            url=f"https://127.0.0.1:{relay.port}",
            env={"SSL_CERT_FILE": str(authority / "ca.pem")},
            concurrency=3,
        )
        assert outcome(child)["exit_code"] == 0
        assert relay.cuts == []
        assert_complete(server, tmp_path)


class Relay:
    """Passes bytes on to a port of this machine; each cut ends a connection after so many bytes."""

    def __init__(self, target: int, cuts: list[int]) -> None:
        self.target = target
        self.cuts = cuts
        self._open: list[socket.socket] = []
        self._is_over = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Relay:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_over = True
        with contextlib.suppress(OSError):  # nothing else wakes accept() on every system
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in (*self._open, self._listener):
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_over:
                    near.close()
                    return
                far = socket.create_connection(("127.0.0.1", self.target))
                self._open += [near, far]
                most = self.cuts.pop(0) if self.cuts else 1 << 60
                for pair, limit in (((near, far), 1 << 60), ((far, near), most)):
                    thread = threading.Thread(target=self._pass, args=(*pair, limit), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, most: int) -> None:
        with contextlib.suppress(OSError):
            while most > 0 and (data := source.recv(min(65536, most))):
                sink.sendall(data)
                most -= len(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
