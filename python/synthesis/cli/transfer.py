"""What `job assets download` and `fetch` share: their options, and a run with its progress and signals."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from synthesis.cli.command import Option
from synthesis.errors import (
    CancelledError,
    SynthesisError,
    TerminatedError,
    UnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from synthesis.cli.session import Session
    from synthesis.ops.transfer import Options, Progress, Summary


def _option(*names: str, metavar: str | None = None, help: str) -> Option:  # noqa: A002 - typer's own word
    return Option(*names, metavar=metavar, show_default=False, help=help)


SECRET = frozenset({"proxy"})  # may hold a password: never printed
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?(?:/s)?", re.IGNORECASE)


class How(NamedTuple):
    """The shared options, as they were typed."""

    concurrency: Annotated[
        str,
        _option(
            "--concurrency",
            "-c",
            metavar="N|auto",
            help="Requests under way at once: a number, or auto, which begins with 35 and finds what "
            "the server and the network bear.  [default: auto]",
        ),
    ] = "auto"
    update: Annotated[bool, _option("--update", help="Fetch files again that have changed.")] = False
    verify: Annotated[
        bool,
        _option("--verify", help="Fetch nothing: check size and SHA-256 of what is there; 7 if it differs."),
    ] = False
    dry_run: Annotated[
        bool, _option("--dry-run", help="Fetch nothing: show files, bytes and free space.")
    ] = False
    order: Annotated[
        str,
        _option(
            "--order",
            metavar="manifest|renders",
            help="renders completes one render after the other; manifest is quickest.  [default: manifest]",
        ),
    ] = "manifest"
    shard: Annotated[
        str | None, _option("--shard", metavar="I/N", help="Only part I of N, from 1/N to N/N.")
    ] = None
    tar: Annotated[
        Path | None,
        _option("--tar", metavar="DIR", help="Fill this folder with WebDataset shards, in place of -o."),
    ] = None
    tar_renders: Annotated[
        int | None, _option("--tar-renders", metavar="N", help="Renders in a shard.  [default: 1000]")
    ] = None
    limit_rate: Annotated[
        str | None,
        _option("--limit-rate", metavar="BYTES", help="Bytes a second at most: 500K, 8M, 1.5G."),
    ] = None
    max_rps: Annotated[str | None, _option("--max-rps", metavar="N", help="Requests a second at most.")] = (
        None
    )
    report: Annotated[
        Path | None, _option("--report", metavar="FILE", help="Write a line of JSON for each file there.")
    ] = None
    force: Annotated[bool, _option("--force", help="Begin although the disk seems too small.")] = False
    proxy: Annotated[
        str | None,
        _option("--proxy", metavar="URL", help="Use this proxy, except for the hosts of NO_PROXY."),
    ] = None
    cacert: Annotated[
        Path | None,
        _option("--cacert", metavar="FILE", help="Trust the certificate authorities of this PEM file."),
    ] = None

    def words(self) -> list[str]:
        """The options as one would type them again; those that hold secrets are left out."""
        words: list[str] = []
        for field, value in self._asdict().items():
            if value == self._field_defaults[field] or field in SECRET:
                continue
            name = "-c" if field == "concurrency" else "--" + field.replace("_", "-")
            words += [name] if value is True else [name, str(value)]
        return words

    def folder(self, output: Path | None) -> Path | None:
        """The folder to fill: that of `-o`, or of `--tar`."""
        if output is not None and self.tar is not None:
            raise UsageError("-o and --tar exclude each other", hint="--tar names the folder of the shards")
        folder = output or self.tar
        return folder.expanduser() if folder is not None else None

    def options(self) -> Options:
        """What was typed, as the engine takes it; `UsageError` for what makes no sense."""
        from synthesis.ops.transfer import check_options, settled

        if self.tar is None and self.tar_renders is not None:
            raise UsageError("--tar-renders is about --tar", hint="add --tar DIR, or leave it out")
        options: dict[str, Any] = {
            "concurrency": _concurrency(self.concurrency),
            "update": self.update,
            "verify": self.verify,
            "dry_run": self.dry_run,
            "order": self.order,
            "shard": _shard(self.shard),
            "tar": self.tar is not None,
            "limit_rate": _bytes(self.limit_rate),
            "max_rps": _number(self.max_rps),
            "report": self.report.expanduser() if self.report else None,
            "force": self.force,
        }
        if self.tar_renders is not None:
            options["tar_renders"] = self.tar_renders
        with as_typed():
            whole = settled(options)  # type: ignore[arg-type]
            check_options(whole)
        return whole

    def use_network(self) -> None:
        """Let this process's connections go as `--proxy` and `--cacert` say."""
        if self.proxy is not None:
            if re.fullmatch(r"(?i)(https?|socks(4a?|5h?))://([^/\s]*@)?[\w\[]\S*", self.proxy) is None:
                raise UsageError("--proxy is no address", hint="write it like http://proxy.example.com:3128")
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                os.environ[name] = os.environ[name.lower()] = self.proxy
        if self.cacert is not None:
            path = self.cacert.expanduser()
            if not path.is_file():
                raise UsageError(f"--cacert {path} is no file", hint="name a PEM file of certificates")
            os.environ["SSL_CERT_FILE"] = str(path)


@contextlib.contextmanager
def as_typed() -> Iterator[None]:
    """Say options in complaints as they are typed: `--dry-run` and not `dry_run`."""
    names = "|".join([*How._fields, "watch", "extract"])
    try:
        yield
    except UsageError as error:
        error.message = re.sub(
            rf"(?<![\w-])({names})(?= (?:and|exclude|must)|,|$)",
            lambda m: "--" + m[1].replace("_", "-"),
            error.message,
        )
        raise


def run(
    session: Session,
    call: Callable[[Callable[[Progress], None]], Summary],
    *,
    resume: str,
    label: str = "",
    waits: bool = False,
    directory: Path,
) -> Summary:
    """Run a transfer with its progress line; what stops it early says how to go on."""
    from synthesis.cli.progress import TransferLine

    line = TransferLine(session.out, label, waits=waits)
    try:
        with _signals():
            return call(line)
    except _Terminated as error:
        raise TerminatedError("terminated; what is complete stays", hint=f"resume with: {resume}") from error
    except (KeyboardInterrupt, CancelledError) as error:
        raise CancelledError("interrupted; what is complete stays", hint=f"resume with: {resume}") from error
    except SynthesisError as error:
        if isinstance(error, UnavailableError) and (error.hint is None or directory.exists()):
            error.hint = f"resume with: {resume}"
        raise
    finally:
        line.done()


class _Terminated(KeyboardInterrupt):
    """SIGTERM or a closed terminal: as Control-C, but for the exit code."""


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the work with the care that Control-C takes."""

    def end(_number: int, _frame: object) -> None:
        raise _Terminated

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [
        number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN
    ]  # as nohup has it
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _concurrency(text: str) -> Any:
    if text == "auto":
        return text
    if not text.isdecimal():
        raise UsageError(
            f"-c {text!r} is neither a number nor auto", hint="write it like -c 50, or leave it out"
        )
    return int(text)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if (found := re.fullmatch(r"(\d+)/(\d+)", text)) is None:
        raise UsageError(f"--shard {text!r} is no I/N", hint="write it like --shard 1/4, up to 4/4")
    return int(found[1]), int(found[2])


def _bytes(text: str | None) -> float | None:
    if text is None:
        return None
    if (found := _SIZE.fullmatch(text.strip())) is None:
        raise UsageError(
            f"--limit-rate {text!r} is no number of bytes", hint="write it like 500K, 8M or 1.5G"
        )
    base = 1024 if found[3] else 1000
    return float(found[1]) * float(base ** " kmgt".index(found[2].lower() or " "))


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--max-rps {text!r} is no number", hint="write it like --max-rps 20") from None
