"""`synthesis quickstart`: the whole product in one command, in a folder of its own."""

from __future__ import annotations

import contextlib
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from synthesis.cli.command import Option, command, single
from synthesis.cli.download import Wanted, choose_flags, failed, transfer
from synthesis.cli.extras import need_platform
from synthesis.cli.output import duration, plural, size
from synthesis.cli.session import Session
from synthesis.cli.transfer import How
from synthesis.errors import CancelledError, FailedError, SynthesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synthesis.client import Client
    from synthesis.ops.transfer import Summary
    from synthesis.schema.job import Job

app = single()

EMAIL, ORG, NAME = "you@example.com", "quickstart", "quickstart"


@dataclass(frozen=True)
class Folder:
    """What lies where."""

    root: Path

    @property
    def data(self) -> Path:
        """The platform's data folder."""
        return self.root / "data"

    @property
    def config(self) -> Path:
        """Configuration file with server, key and org."""
        return self.root / "config.json"

    @property
    def spec(self) -> Path:
        """The job's input JSON."""
        return self.root / "spec.json"

    @property
    def downloads(self) -> Path:
        """Every asset of the job."""
        return self.root / "downloads"

    @property
    def extracted(self) -> Path:
        """Images made here from the EXRs."""
        return self.root / "extracted"

    @property
    def sheet(self) -> Path:
        """The contact sheet."""
        return self.root / "contact_sheet.png"

    @property
    def log(self) -> Path:
        """What the platform's process printed."""
        return self.root / "logs" / "platform.log"


@command(app, "quickstart")
def quickstart(
    session: Session,
    folder: Annotated[
        Path, Option("--dir", metavar="DIR", help="The folder to use; nothing outside is touched.")
    ] = Path("synthesis-quickstart"),
    keep_serving: Annotated[
        bool, Option("--keep-serving", help="Leave the platform up until Control-C.")
    ] = False,
    renderer: Annotated[str, Option("--renderer", hidden=True)] = "mitsuba",
) -> None:
    """See the whole product work, in a new folder.

    Starts a platform on a free port, makes an account, an org and a key, renders six pictures of
    three people, downloads and extracts their assets and draws a contact sheet of them. Takes about
    a minute; run it again and it goes on with what is there.

    \b
    Examples:
      synthesis quickstart
      synthesis quickstart --dir /tmp/try --keep-serving
    """
    need_platform()
    run = Quickstart(session, Folder(folder.expanduser()), renderer)
    run.everything(keep_serving=keep_serving)


class Quickstart:
    """One run, step by step; each step says what it did, or which step failed and where to read why."""

    def __init__(self, session: Session, folder: Folder, renderer: str) -> None:
        self.renderer = renderer
        self.out = session.out
        self.debug = session.debug
        self.folder = folder
        self._step = 0
        self._found = False  # a platform of somebody else serves the folder, and stays

    def everything(self, *, keep_serving: bool) -> None:
        """Do all steps in order."""
        self.out.note(f"Quickstart in {self.folder.root}\n")
        with contextlib.ExitStack() as stack:
            with self._named("platform"):
                url = self._platform(stack)
            with self._named("account"):
                session, client = self._account(url)
            with self._named("render"):
                job = self._render(session, client)
            with self._named("download"):
                self._download(session, job)
            with self._named("extract"):
                self._extract(session, job)
            with self._named("contact sheet"):
                self._sheet()
            self._close(job, url, keep_serving=keep_serving)
            if keep_serving and not self._found:
                self._until_interrupted(url)

    @contextlib.contextmanager
    def _named(self, step: str) -> Iterator[None]:
        """Say in every error which step it was."""
        self._step += 1
        self.out.label = f"{self._step}/6  {step:<14} "
        try:
            yield
        except (KeyboardInterrupt, CancelledError) as error:
            again = shlex.join(["synthesis", "quickstart", "--dir", str(self.folder.root)])
            raise CancelledError(f"interrupted at step {step}", hint=f"go on with: {again}") from error
        except Exception as error:
            known = self._known(error)
            known.message = f"step {self._step}, {step}: {known.message}"
            known.hint = f"{known.hint}; logs: {self._logs()}" if known.hint else f"logs: {self._logs()}"
            raise known from error

    def _known(self, error: Exception) -> SynthesisError:
        """The error in our own terms."""
        from synthesis.files import disk_error

        if isinstance(error, SynthesisError):
            return error
        if isinstance(error, OSError):
            return disk_error(error, Path(error.filename or self.folder.root))
        return FailedError(f"{type(error).__name__}: {error}", kind="internal")

    def _logs(self) -> str:
        return f"{self.folder.log}, {self.folder.data / 'logs'}"

    def _done(self, step: str, text: str) -> None:
        self.out.note(f"{self.out.label}{text}")
        self.out.event("step", step=step, message=text)

    def _platform(self, stack: contextlib.ExitStack) -> str:
        from synthesis.cli import child
        from synthesis.config import load

        self.folder.data.mkdir(parents=True, exist_ok=True)
        if (url := child.running(self.folder.data)) is not None:
            self._found = True
            self._done("platform", f"already running at {url}")
            return url
        # The port of last time, when it is free: then printed commands and config.json stay true.
        before = urlsplit(load(self.folder.config).server).port if self.folder.config.exists() else None
        port = child.free_port(before) if before else 0
        url = stack.enter_context(
            child.platform(self.folder.data, port=port, renderer=self.renderer, log=self.folder.log)
        )
        self._done("platform", f"running at {url}")
        return url

    def _account(self, url: str) -> tuple[Session, Client]:
        from synthesis import config

        key = config.load(self.folder.config).api_key if self.folder.config.exists() else None
        session = self._session(url, key) if key else None
        if session is None or not _works(session):
            key = _new_key(self.folder.data)
            session = self._session(url, key)
        config.save(self.folder.config, server=url, api_key=key, org=ORG)
        self._done("account", f"{EMAIL}, org {ORG}, API key in {self.folder.config.name}")
        return session, session.client

    def _session(self, url: str, key: str) -> Session:
        """A session as `--config FOLDER/config.json` makes it, whatever the environment says."""
        session = Session(as_json=self.out.as_json, quiet=self.out.quiet, debug=self.debug)
        session.out = self.out
        session.take(
            config=self.folder.config, server=url, org=ORG, as_json=False, quiet=False, debug=self.debug
        )
        session.use_key(key)
        return session

    def _render(self, session: Session, client: Client) -> Job:
        from importlib import resources

        from synthesis.cli.job import wait
        from synthesis.files import write_file

        if not self.folder.spec.exists():
            write_file(
                self.folder.spec, resources.files("synthesis.cli").joinpath("quickstart.json").read_bytes()
            )
        spec = self.folder.spec.read_bytes()
        job = _same_job(client, spec)
        again = job is not None
        if job is None:
            job = client.jobs.get(client.jobs.create(spec, name=NAME).id)
        started = time.monotonic()
        job = wait(session, job.id, interval=0.25)
        if job.status != "completed" or job.renders_failed:
            why = f": {job.error}" if job.error else ""
            failed_renders = plural(job.renders_failed, "render")
            raise FailedError(f"job {job.id} ended as {job.status}, {failed_renders} failed{why}")
        how = (
            "there from last time"
            if again
            else f"{plural(job.renders_created, 'render')} in {duration(time.monotonic() - started)}"
        )
        self._done("render", f"job {job.id}: {how}")
        return job

    def _download(self, session: Session, job: Job) -> None:
        self._set_aside_others(job)
        wanted = Wanted(job=job.id, flags="all", directory=self.folder.downloads, how=How(update=True))
        summary = self._transfer(session, wanted)
        self._done("download", _fetched(summary))

    def _set_aside_others(self, job: Job) -> None:
        """Keep the files of a former job, before the spec was changed, apart from this one's."""
        import json

        try:
            with (self.folder.downloads / "metadata.jsonl").open("rb") as lines:
                former = str(json.loads(lines.readline())["job_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        if former == job.id:
            return
        for folder in (self.folder.downloads, self.folder.extracted):
            if folder.exists():
                folder.rename(folder.with_name(f"{folder.name}-{former[:8]}"))

    def _extract(self, session: Session, job: Job) -> None:
        from synthesis.ops.extract import ASSETS

        have = [kind.flag for kind in session.client.jobs.assets(job.id).items]
        images = ",".join(flag for flag in ASSETS if flag in have)
        wanted = Wanted(
            job=job.id, flags=images, directory=self.folder.extracted, extract=True, how=How(update=True)
        )
        self._transfer(session, wanted)
        made = sorted(path for path in self.folder.extracted.iterdir() if path.is_file())
        differ = [
            path.name
            for path in made
            if path.read_bytes() != (self.folder.downloads / path.name).read_bytes()
        ]
        if differ or not made:
            raise FailedError(f"{len(differ)} of {len(made)} images differ from the platform's: {differ[:3]}")
        self._done(
            "extract", f"{plural(len(made), 'image')} made here from the EXRs: the platform's very bytes"
        )

    def _transfer(self, session: Session, wanted: Wanted) -> Summary:
        summary = transfer(session, wanted, choose_flags(session, wanted))
        if (failure := failed(wanted, summary, wanted.command(session.options))) is not None:
            raise failure
        return summary

    def _sheet(self) -> None:
        from synthesis.ops.contact_sheet import contact_sheet

        contact_sheet(self.folder.downloads, self.folder.sheet)
        self._done("contact sheet", f"{self.folder.sheet}, {size(self.folder.sheet.stat().st_size)}")

    def _close(self, job: Job, url: str, *, keep_serving: bool) -> None:
        """Say where things are and what to try next."""
        folder, config = self.folder, shlex.quote(str(self.folder.config))
        here = [
            (folder.sheet, "rgb, depth, normals and segments of every image"),
            (folder.downloads, "every asset of the job, as loaders want them"),
            (folder.extracted, "the same images, made here from the EXRs"),
            (folder.spec, "what was asked for: change it and run quickstart again"),
            (folder.config, "server, key and org, for --config"),
            (folder.data, "the platform's data"),
        ]
        serve = f"synthesis serve --data {shlex.quote(str(folder.data))} --port {urlsplit(url).port}"
        first = next(iter(sorted(folder.downloads.glob("*.exr"))), folder.downloads)
        tries = [
            f"synthesis exr info {shlex.quote(str(first))}",
            f"synthesis job list --config {config}",
            f"synthesis humans create {shlex.quote(str(folder.spec))} --config {config}",
        ]
        if not (keep_serving or self._found):
            tries = [tries[0], f"{serve} &", tries[1]]
        width = max(len(str(path)) for path, _ in here)
        lines = ["", "Here it is", *(f"  {path!s:<{width}}  {what}" for path, what in here)]
        lines += ["", "Try next", *(f"  {command}" for command in tries)]
        document = {
            "folder": str(folder.root.resolve()),
            "contact_sheet": str(folder.sheet),
            "job": job.id,
            "server": url,
            "try": tries,
        }
        self.out.summary(document, "\n".join(lines), bare=str(folder.sheet))

    def _until_interrupted(self, url: str) -> None:
        self.out.note(f"\nServing at {url}; Control-C stops it")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


def _works(session: Session) -> bool:
    try:
        session.client.orgs.get(ORG)
    except SynthesisError:
        return False
    return True


def _new_key(data: Path) -> str:
    """Make what is missing of account, org and key."""
    from synthesis.server import admin

    with _unless_there():
        admin.create_account(data, EMAIL)
    with _unless_there():
        admin.create_org(data, ORG, EMAIL)
    return admin.create_key(data, EMAIL)


def _same_job(client: Client, spec: bytes) -> Job | None:
    """The newest job of this spec that can still become, or is, complete."""
    for job in client.jobs.list(limit=20):
        usable = job.status in ("submitted", "rendering", "completed") and not job.renders_failed
        if job.name == NAME and usable and client.jobs.spec(job.id) == spec:
            return job
    return None


def _fetched(summary: Summary) -> str:
    parts = [f"{plural(summary.files_new, 'file')}, {size(summary.bytes_new)}"] if summary.files_new else []
    parts += (
        [f"{plural(summary.files_present, 'file')} there from last time"] if summary.files_present else []
    )
    return "; ".join(parts)


@contextlib.contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except SynthesisError as error:
        if error.kind != "conflict":
            raise
