"""The compiled core of synthesis."""

import builtins
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, TypedDict, final, type_check_only

__all__ = [
    "CancelToken",
    "HttpClient",
    "Memory",
    "Stream",
    "__version__",
    "download",
    "encode",
    "error_kinds",
    "exr_assets",
    "exr_channels",
    "exr_info",
    "exr_planes",
    "extract",
    "object_id",
    "write_exr",
]

__version__: str

@final
class CancelToken:
    """Stops a long call from another thread: pass it as `cancel=`, then call `cancel()`."""

    def __new__(cls) -> CancelToken: ...
    def cancel(self) -> None:
        """Ask the call to end; it raises `CancelledError` within 100 ms."""
    @property
    def cancelled(self) -> bool:
        """True once `cancel()` was called."""

@final
class HttpClient:
    """A pool of connections; proxies and certificate authorities come from the environment.

    Times are in seconds: for the connection, to the head of an answer, between two pieces of a body.
    `attempts` bounds the tries in a download that bring nothing; `request` tries once.
    `checkpoint` lies between two times that a download brings what it wrote to the disk itself.
    """

    def __new__(
        cls,
        user_agent: str,
        *,
        connect_timeout: float,
        first_byte_timeout: float,
        idle_timeout: float,
        attempts: int,
        checkpoint: float,
    ) -> HttpClient: ...
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        cancel: CancelToken | None = None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send one request and return status, headers (lower-case names) and body.

        Redirects are followed; `Authorization`, `Cookie` and `X-Synthesis-Org` go to the URL's own
        origin only.
        """

@type_check_only
class Transfer(TypedDict):
    """What to download and how; `synthesis.ops.transfer` makes it.

    `list` is (kind, place): `manifest` and `url` with a URL, `file` with a path, `stdin`; `base` is what
    relative URLs in it are relative to, if not to its own. `concurrency` of None finds the number
    itself; `limit_rate` is in bytes a second; `memory` is a JSON file with what was learnt of each host;
    `shard` counts from 0; `tar` is a folder and the renders in a shard. `aside` is (suffix, products):
    files whose names end so go to `.synthesis/aside` in the folder, and count as present when each
    product (the name with another end) is in the folder.
    """

    list: tuple[str, str]
    base: str | None
    headers: builtins.list[tuple[str, str]]
    directory: PathLike[str]
    concurrency: int | None
    limit_rate: int | None
    max_rps: float | None
    memory: PathLike[str] | None
    update: bool
    verify: bool
    render_ids: builtins.list[tuple[int, int]] | None
    aside: tuple[str, builtins.list[str]] | None
    by_render: bool
    shard: tuple[int, int] | None
    dry_run: bool
    force: bool
    report: PathLike[str] | None
    tar: tuple[PathLike[str], int] | None

def download(
    client: HttpClient,
    transfer: Transfer,
    *,
    progress: Callable[[dict[str, Any]], object] | None = None,
    interval: float,
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Bring the files of a list to a folder; `synthesis.ops` says how.

    Returns the counters (as the progress callback gets them) with `failures`, a list of
    (name, kind, message, status), `missing`, `missing_render_ids`, `complete`, `files_unread`,
    `warnings`, `listed` (flags of the selected files), `assets` (of dry runs: flag to files, bytes,
    those present, those of unknown size),
    `free_bytes`, `needed_bytes` and `bound`: `what` (nothing, latency, throttling, limit, disk, cpu,
    network, manifest), its `share` of the run, `permits`, `latency` in seconds, `try_permits` (0: none
    is better).
    """

@final
class Stream:
    """A download in the background that hands over what is finished; at most `ahead` wait to be taken."""

    def __new__(cls, client: HttpClient, transfer: Transfer, *, ahead: int) -> Stream: ...
    def next(
        self, *, cancel: CancelToken | None = None
    ) -> tuple[int | None, list[tuple[str, str, int | None, bool]]] | None:
        """Wait for the next: render id (None: a file) and (name, path, bytes, was there); None at the end."""
    def snapshot(self) -> dict[str, Any]:
        """The counters now."""
    def outcome(self) -> dict[str, Any]:
        """Wait for the end and return what `download` returns, or raise what it raises."""
    def close(self) -> None:
        """End the work, if it still runs; what is done is kept."""

def error_kinds() -> list[str]:
    """Every kind that this extension can raise, sorted."""

def write_exr(
    path: str | PathLike[str],
    width: int,
    height: int,
    channels: Sequence[tuple[str, str, bytes]],
    attributes: Sequence[tuple[str, str]],
) -> None:
    """Write a scanline EXR; channels are (name, `"half"` or `"float"`, little-endian samples)."""

def encode(asset: str, width: int, height: int, samples: memoryview, mode: str) -> bytes:
    """The file of one image: `samples` are bytes, little endian, row by row, channels together."""

def object_id(name: str) -> int:
    """The cryptomatte id of an object's name (MurmurHash3_32, never a special float)."""

def exr_info(path: str | PathLike[str]) -> dict[str, Any]:
    """Parts, cryptomattes and possible assets of an EXR."""

def extract(
    files: Sequence[str | PathLike[str]],
    *,
    assets: Sequence[str],
    channels: Sequence[str],
    container: str,
    thumbnail: bool,
    directory: str | PathLike[str],
    mode: str,
    workers: int,
    rgb_is_srgb: bool,
    background_competes: bool,
    partial: bool,
    verify: bool,
    progress: Callable[[dict[str, int]], object] | None,
    interval: float,
    cancel: CancelToken | None,
) -> list[dict[str, Any]]:
    """Assets of many EXRs, one result for each: source, outputs, failures, missing rows, unnamed pixels."""

@final
class Memory:
    """Bytes that the core filled, behind the buffer protocol: `numpy.frombuffer` views them."""

def exr_channels(
    path: str | PathLike[str], names: Sequence[str], partial: bool, verify: bool
) -> dict[str, Any]:
    """Channels in one array (memory, type, shape), and missing rows."""

def exr_planes(
    path: str | PathLike[str], names: Sequence[str], partial: bool, verify: bool
) -> dict[str, Any]:
    """Channels in an array each (memory, type, shape), and missing rows."""

def exr_assets(
    path: str | PathLike[str],
    assets: Sequence[str],
    rgb_is_srgb: bool,
    background_competes: bool,
    partial: bool,
    verify: bool,
) -> dict[str, Any]:
    """Assets as arrays (memory, type, shape), and missing rows."""
