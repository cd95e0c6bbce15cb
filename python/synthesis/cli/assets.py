"""`synthesis job assets`: what files a job has, and fetching them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from synthesis.cli import download
from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.flags import complete_flags
from synthesis.cli.output import size, table
from synthesis.cli.session import Session
from synthesis.cli.transfer import How

app = group("See and download the files of a job.")

JobArgument = Annotated[str, Argument(metavar="JOB", help="ID of the job.")]


@command(app, "view")
def view(session: Session, job: JobArgument) -> None:
    """Show which assets a job has.

    The flag column is what `download --assets` takes.

    \b
    Example:
      synthesis job assets view JOB
    """
    found = session.client.jobs.assets(job)
    rows = [(kind.flag, kind.suffix, f"{kind.count:,}", size(kind.bytes), kind.about) for kind in found.items]
    rows.append(("all", "", f"{found.total.count:,}", size(found.total.bytes), "everything above"))
    text = table(("FLAG", "SUFFIX", "FILES", "BYTES", "WHAT IT IS"), rows, right=(2, 3))
    session.out.result(
        found.model_dump(mode="json"),
        text if found.items else "no files yet: see synthesis job status",
        bare="\n".join(kind.flag for kind in found.items) or None,
    )


@command(app, "download")
def download_assets(
    session: Session,
    job: JobArgument,
    *,
    assets: Annotated[
        str,
        Option(
            "--assets",
            metavar="FLAGS",
            autocompletion=complete_flags,
            help="Comma separated flags of `synthesis job assets view`, or all.",
        ),
    ],
    output: Annotated[
        Path | None,
        Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            show_default=False,
            help="Folder to fill; made if it is not there.  [default: ./JOB]",
        ),
    ] = None,
    render_ids: Annotated[
        str | None,
        Option(
            "--render-ids", "-r", metavar="RANGES", show_default=False, help="Only these renders: 0,3,50-100."
        ),
    ] = None,
    extract: Annotated[
        bool,
        Option("--extract", help="Fetch only the EXRs and make the images here: same bytes, less network."),
    ] = False,
    watch: Annotated[
        bool,
        Option("--watch", help="Go on until the job is finished, fetching files as they are made."),
    ] = False,
    allow_missing: Annotated[
        bool, Option("--allow-missing", help="Leave with 0 although some of --render-ids do not exist.")
    ] = False,
    how: How,
) -> None:
    """Download assets of a job.

    A file has its final name only when its size and SHA-256 are right. Stop at any moment and run
    the same command again: it goes on where it was. The finished folder holds assets and nothing else.

    \b
    Examples:
      synthesis job assets download JOB --assets metadata,info,rgb -o renders
      synthesis job assets download JOB --assets all -c 50 -o /data/job
      synthesis job assets download JOB --assets all -r 0,1,3-5 -o some
      synthesis job assets download JOB --assets exr --watch -o growing
      synthesis job assets download JOB --assets all --verify -o renders
    """
    wanted = download.Wanted(
        job=job,
        flags=assets,
        directory=how.folder(output) or Path(job),
        render_ids=render_ids,
        extract=extract,
        watch=watch,
        allow_missing=allow_missing,
        how=how,
    )
    download.download(session, wanted)
