"""nginx on one core, with and without TLS, and with just enough of S3 for its clients."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakes.nginx import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.transfer.network import Network

CORE = "0"
CONFIG = """\
{user}worker_processes 1;
worker_rlimit_nofile 65536;
pid {state}/nginx.pid;
error_log {state}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_temp_path {state}/body;
  proxy_temp_path {state}/proxy;
  fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi;
  scgi_temp_path {state}/scgi;
  default_type application/octet-stream;
  map $args $page {{ default 0; "~continuation-token=p(?<number>[0-9]+)" $number; }}
  server {{
    listen {host}:{port} backlog=4096;
    listen {host}:{tls} ssl backlog=4096;
    ssl_certificate {state}/cert.pem;
    ssl_certificate_key {state}/key.pem;
    root {root};
    # A bucket is a set; its listing is a file for each continuation token.
    location ~ ^/(?<bucket>[A-D])/?$ {{
      default_type application/xml;
      rewrite ^ /listing/$bucket/$page.xml break;
    }}
    location /byte/ {{ return 200 "x"; }}
    location = /status {{ stub_status; }}
  }}
}}
"""


@dataclass(frozen=True)
class Server:
    """Where nginx listens, and the certificate that its clients must trust."""

    http: str
    https: str
    certificate: Path


@contextlib.contextmanager
def serving(root: Path, state: Path, network: Network) -> Iterator[Server]:
    """Serve `root` on the server's side of `network`; `state` takes config, certificate and logs."""
    state.mkdir(parents=True, exist_ok=True)
    host, port, tls = network.host, free_port(), free_port()
    subject = ["-subj", "/CN=bench", "-addext", f"subjectAltName=IP:{host},DNS:localhost"]
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        f"{state}/key.pem",
    ]
    request = ["openssl", "req", "-x509", "-days", "2", *key, "-out", f"{state}/cert.pem", *subject]
    subprocess.run(request, check=True, capture_output=True)
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = state / "nginx.conf"
    config.write_text(CONFIG.format(user=user, state=state, host=host, port=port, tls=tls, root=root))
    pid = state / "nginx.pid"
    pid.unlink(missing_ok=True)
    line = [*network.server, "taskset", "-c", CORE, "nginx", "-c", str(config), "-p", str(state)]
    process = subprocess.Popen([*line, "-e", str(state / "error.log"), "-g", "daemon off;"])
    try:
        end = time.monotonic() + 10
        while not pid.exists():  # written when it listens
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx did not start: {(state / 'error.log').read_text()}")
            time.sleep(0.02)
        yield Server(f"http://{host}:{port}", f"https://{host}:{tls}", state / "cert.pem")
    finally:
        process.terminate()
        process.wait(10)
