"""Proxies and certificate authorities come from the environment, for the manifest and the files alike."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, outcome, start

if TYPE_CHECKING:
    from pathlib import Path

FILES = [File(f"{at}.rgb.png", made(3_000, at), render_id=at) for at in range(5)]
NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_is_used(name: str, tmp_path: Path) -> None:
    with FaultyServer(FILES) as proxy:  # it is sent whole URLs and answers for the host in them
        child = start(proxy, tmp_path, url="http://platform.invalid", env={name: proxy.url})
        assert outcome(child)["exit_code"] == 0
        assert {request.headers["host"] for request in proxy.requests} == {"platform.invalid"}
        assert all(request.target.startswith("http://platform.invalid/") for request in proxy.requests)
        assert_complete(proxy, tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_is_asked_for_this_machine(host: str, tmp_path: Path) -> None:
    with FaultyServer(FILES) as server:
        url = server.url.replace("127.0.0.1", host)
        child = start(server, tmp_path, url=url, env={"http_proxy": NOBODY, "no_proxy": ""})
        assert outcome(child)["exit_code"] == 0
        assert_complete(server, tmp_path)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our own authority, `ca.pem`, and a certificate of it for 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for line in (
        f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=Test -days 2",
        f"req {key} -keyout leaf.key -out leaf.csr -subj /CN=leaf",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out leaf.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def context(authority: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "leaf.pem", authority / "leaf.key")
    return context


def test_an_own_authority_is_believed_when_it_is_named(
    authority: Path, context: ssl.SSLContext, tmp_path: Path
) -> None:
    with FaultyServer(FILES, tls=context) as server:
        child = start(server, tmp_path, env={"SSL_CERT_FILE": str(authority / "ca.pem")})
        assert outcome(child)["exit_code"] == 0
        assert_complete(server, tmp_path)


def test_an_unknown_authority_is_refused_by_name(context: ssl.SSLContext, tmp_path: Path) -> None:
    with FaultyServer(FILES, tls=context) as server:
        result = outcome(start(server, tmp_path))
        assert (result["kind"], result["exit_code"]) == ("tls", 5)
        assert server.requests == []
