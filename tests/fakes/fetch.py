"""Downloads from a `FaultyServer`: here, or in a child process that can be killed.

As a program, `python -m fakes.fetch URL FOLDER OPTIONS` downloads and prints one JSON object: the
summary's counters and failures, or the error's kind; the exit code is the error's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.faulty import JOB, KEY, ORG
from synthesis import _core
from synthesis.errors import SynthesisError
from synthesis.ops.download import download
from synthesis.ops.transfer import core_transfer, settled
from synthesis.record import asdict, names, replace
from synthesis.transport import Limits, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.calls import Watch
    from fakes.faulty import FaultyServer
    from synthesis.ops.transfer import Summary

TESTS = Path(__file__).resolve().parent.parent
STATE = ".synthesis"
LIMITS = names(Limits)


def transport(url: str, *, key: str | None = KEY, **limits: Any) -> Transport:
    """A transport with little patience, so that tests of lasting trouble are quick."""
    little = Limits(connect=2, first_byte=0.7, idle=0.7, attempts=4)
    return Transport(url, key, ORG, limits=replace(little, **limits))


def fetch(server: FaultyServer, folder: Path, *, key: str | None = KEY, **options: Any) -> Summary:
    """Download the server's job into `folder` in this process."""
    options = {"assets": ["rgb"], **options}
    return download(transport(server.url, key=key), JOB, directory=folder, **options)


def outcome_of(server: FaultyServer, folder: Path, **options: Any) -> int:
    """The exit code of the same."""
    try:
        summary = fetch(server, folder, **options)
    except SynthesisError as error:
        return error.exit_code
    return 1 if summary.failures else 0


def fetch_static(url: str, folder: Path, *, concurrency: int = 35) -> dict[str, Any]:
    """Download a manifest that is a plain file of a plain web server; returns the core's counters."""
    how = settled({"concurrency": concurrency})
    manifest = core_transfer(how, kind="manifest", place=url, headers={}, directory=folder)
    return _core.download(transport(url).http, manifest, interval=0.2)


def start(
    server: FaultyServer,
    folder: Path,
    *,
    url: str | None = None,
    env: Mapping[str, str] | None = None,
    watch: Watch | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """The same in a child of its own session, to be killed or waited for with `outcome`.

    `url` is used in place of the server's own, `env` is added to this process's environment, `watch`
    judges the child's system calls.
    """
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "fakes.fetch", url or server.url, str(folder), json.dumps(options)]
    return subprocess.Popen(
        watch.command(command) if watch else command,
        pass_fds=[watch.fd] if watch else [],
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def outcome(child: subprocess.Popen[bytes], *, timeout: float = 60) -> dict[str, Any]:
    """What the child printed, with its `exit_code`; fails with its stderr if it printed nothing."""
    out, err = child.communicate(timeout=timeout)
    assert out, err.decode()
    return {**json.loads(out), "exit_code": child.returncode}


def kill(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL, and take what is left of the child away."""
    child.kill()
    child.communicate(timeout=10)


def final_names(folder: Path) -> list[str]:
    """Names in the folder that claim to be finished files."""
    return sorted(path.name for path in folder.iterdir() if path.name != STATE) if folder.exists() else []


def assert_exact(server: FaultyServer, folder: Path) -> None:
    """Every final name is one of the manifest's, and holds exactly what the manifest says."""
    expected = {file.name: file for file in server.lines}
    for name in final_names(folder):
        assert name in expected, f"{name} is no file of the job"
        assert (folder / name).read_bytes() == expected[name].data, f"{name} is wrong"


def assert_complete(server: FaultyServer, folder: Path) -> None:
    """Every file is there and exact, and nothing else is: no state folder either."""
    assert_exact(server, folder)
    assert final_names(folder) == sorted({file.name for file in server.lines})
    assert not (folder / STATE).exists()


def assert_shards(server: FaultyServer, folder: Path, *, complete: bool) -> None:
    """The folder holds shards alone, each a whole archive of exact files, none of them twice."""
    expected = {file.name: file.data for file in server.lines}
    found: dict[str, bytes] = {}
    for name in final_names(folder):
        with tarfile.open(folder / name) as archive:
            for member in archive:
                body = archive.extractfile(member)
                assert body is not None
                assert member.name not in found
                found[member.name] = body.read()
    assert found.items() <= expected.items()
    if complete:
        assert found == expected
        assert not (folder / STATE).exists()


def main() -> int:
    """The program; see the module's text."""
    url, folder, options = sys.argv[1:]
    options = {"assets": ["rgb"], **json.loads(options)}
    limits = {name: options.pop(name) for name in LIMITS if name in options}
    if most := options.pop("descriptors", None):
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        summary = download(transport(url, **limits), JOB, directory=Path(folder), **options)
    except SynthesisError as error:
        report: dict[str, Any] = {"kind": error.kind, "message": error.message}
        code = error.exit_code
    except KeyboardInterrupt:
        report, code = {"kind": "interrupted"}, 130
    else:
        report, code = asdict(summary), 1 if summary.failures else 0
    sys.stdout.write(json.dumps(report))
    return code


if __name__ == "__main__":
    sys.exit(main())
