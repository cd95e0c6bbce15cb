"""How a careful user calls each tool: retries, time limits and resuming switched on, 16 at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.transfer.peers import SYNTHESIS, TOOLS, Tool, says

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.transfer.peers import Task

IN_FLIGHT = "16"
MANIFEST = "/api/v1/jobs/job-1/manifest"
"""Of the faulty server's only job."""


def _ours(listed: str) -> Callable[[Task], list[str] | None]:
    def line(task: Task) -> list[str]:
        return [str(SYNTHESIS), "fetch", f"{task.lists}/{listed}", "-o", str(task.out), "-c", IN_FLIGHT]

    return line


def _manifest(task: Task) -> list[str]:
    return [str(SYNTHESIS), "fetch", f"{task.base}{MANIFEST}", "-o", str(task.out), "-c", IN_FLIGHT]


def _curl(task: Task) -> list[str]:
    tries = ["--retry", "5", "--retry-delay", "1", "--retry-all-errors", "-C", "-"]
    limits = ["--connect-timeout", "5", "--speed-limit", "1000", "--speed-time", "10"]
    return [*_curl_as_is(task), *tries, *limits]


def _curl_as_is(task: Task) -> list[str]:
    return ["curl", "-sS", "-f", "-L", "-Z", "--parallel-max", IN_FLIGHT, "-K", f"{task.lists}/curl"]


def _wget2(task: Task) -> list[str]:
    tries = ["--tries=5", "--waitretry=2", "--timeout=10", "--retry-connrefused", "-c"]
    return ["wget2", "-q", *tries, "--max-threads", IN_FLIGHT, "-i", task.urls, "-P", str(task.out)]


def _aria2(task: Task) -> list[str]:
    tries = ["-m5", "--retry-wait=1", "--timeout=10", "--connect-timeout=5"]
    state = ["-c", "--auto-save-interval=1", "--auto-file-renaming=false", "--file-allocation=none"]
    return ["aria2c", "-q", *tries, *state, "-j", IN_FLIGHT, "-i", task.urls, "-d", str(task.out)]


_RCLONE = ["rclone", "--config=", "--transfers", IN_FLIGHT, "--timeout=10s", "--contimeout=5s", "copy"]


def _rclone_http(task: Task) -> list[str]:
    place = ["--http-url", f"{task.base}/{task.corpus}", ":http:", str(task.out)]
    return [*_RCLONE, "--files-from-raw", f"{task.lists}/keys", "--no-traverse", *place]


def _rclone_s3(task: Task) -> list[str]:
    s3 = ["--s3-provider=Other", "--s3-list-version=2", "--s3-no-check-bucket", "--s3-endpoint", task.base]
    return [*_RCLONE, *s3, f":s3:{task.corpus}", str(task.out)]


def _s5cmd(task: Task) -> list[str]:
    to = ["--endpoint-url", task.base, "--no-sign-request", "--retry-count", "5", "--numworkers", IN_FLIGHT]
    return [f"{task.venv}/bin/s5cmd", "--log=error", *to, "cp", f"s3://{task.corpus}/*", f"{task.out}/"]


def _aws(task: Task) -> list[str]:
    to = [
        "--endpoint-url",
        task.base,
        "--no-sign-request",
        "--region",
        "us-east-1",
        "--cli-read-timeout",
        "10",
    ]
    place = [f"s3://{task.corpus}/", f"{task.out}/", "--only-show-errors"]
    return [f"{task.venv}/bin/python", f"{task.venv}/bin/aws", *to, "s3", "sync", *place]


def _other(name: str) -> Callable[[Task], list[str] | None]:
    return next(tool.line for tool in TOOLS if tool.name.startswith(name))


def _version(name: str) -> Callable[..., str | None]:
    return next(tool.version for tool in TOOLS if tool.name.startswith(name))


CAREFUL = (
    Tool("synthesis, manifest", _manifest, _version("synthesis"), ""),
    Tool("synthesis, list", _ours("list.ndjson"), _version("synthesis"), ""),
    Tool("synthesis, URLs", _ours("urls"), _version("synthesis"), ""),
    Tool("aria2", _aria2, _version("aria2"), ""),
    Tool("curl, tuned", _curl, _version("curl"), ""),
    Tool("curl, as is", _curl_as_is, _version("curl"), ""),
    Tool("wget2", _wget2, _version("wget2"), ""),
    Tool("rclone http", _rclone_http, _version("rclone"), ""),
    Tool("rclone s3", _rclone_s3, _version("rclone"), ""),
    Tool("s5cmd", _s5cmd, _version("s5cmd"), ""),
    Tool("aws sync", _aws, says("{venv}/bin/aws", "--version"), ""),
    Tool("obstore script", _other("obstore"), _version("obstore"), ""),
    Tool("aiohttp script", _other("aiohttp"), _version("aiohttp"), ""),
    Tool("requests script", _other("requests"), _version("requests"), ""),
)
