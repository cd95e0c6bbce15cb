"""Certificates for servers of the tests, made by the openssl program."""

from __future__ import annotations

import datetime as dt
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
CONFIG = """
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = any
email_in_dn = no
[any]
commonName = supplied
"""


def make_authority(folder: Path) -> Path:
    """Make an authority in `folder`, `ca.pem`; skips where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program")
    (folder / "config").write_text(CONFIG)
    (folder / "index").touch()
    (folder / "serial").write_text("01")
    _openssl(folder, f"req -x509 {KEY} -keyout ca.key -out ca.pem -subj /CN=Test -days 2")
    return folder / "ca.pem"


def make_context(
    folder: Path, *, host: str = "IP:127.0.0.1", start: float = -1, end: float = 1, own: bool = False
) -> ssl.SSLContext:
    """The server's side of TLS for `host`, valid from `start` to `end` (days from now).

    Its certificate is `leaf.pem`, from the authority or, if `own`, from itself, as `openssl req -x509`
    makes them: it says that it is an authority.
    """
    (folder / "ext").write_text(f"subjectAltName={host}\nbasicConstraints=CA:{str(own).upper()}\n")
    now = dt.datetime.now(dt.UTC)
    first, last = (f"{now + dt.timedelta(days=days):%y%m%d%H%M%SZ}" for days in (start, end))
    _openssl(folder, f"req {KEY} -keyout leaf.key -out leaf.csr -subj /CN=leaf")
    signer = "-selfsign -keyfile leaf.key" if own else "-cert ca.pem -keyfile ca.key"
    _openssl(
        folder,
        f"ca -batch -notext -config config {signer} -in leaf.csr -out leaf.pem "
        f"-extfile ext -startdate {first} -enddate {last}",
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")
    (folder / "index").write_text("")
    return context


def _openssl(folder: Path, line: str) -> None:
    done = subprocess.run(["openssl", *line.split()], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
