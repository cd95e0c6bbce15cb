"""`synthesis exr`: look into EXRs and make assets of them, without any server."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.exr_files import expand
from synthesis.cli.flags import complete_exr_flags, complete_from, parse_flags
from synthesis.cli.output import duration, plural
from synthesis.cli.session import Session
from synthesis.errors import (
    KINDS,
    DiskError,
    FailedError,
    SynthesisError,
    UsageError,
    from_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synthesis.ops.extract import Extracted, Failure, Options, Progress

C = TypeVar("C", bound=str)
MODES: tuple[Literal["fast"], Literal["small"], Literal["exact"]] = ("fast", "small", "exact")
FORMATS: tuple[Literal["tif"], Literal["npy"]] = ("tif", "npy")

app = group("Look into EXRs and make standalone images of them.")

FilesArgument = Annotated[
    list[Path],
    Argument(
        metavar="FILE",
        help="EXRs, folders of them, or quoted patterns such as 'renders/**/*.exr'.",
        show_default=False,
    ),
]


@command(app, "info")
def info(session: Session, files: FilesArgument) -> None:
    """Say what EXRs hold, and which assets they give.

    \b
    Examples:
      synthesis exr info 0.cam_default.f_1.exr
      synthesis exr info 'renders/**/*.exr' --json
    """
    from synthesis.cli.exr_table import describe, memory
    from synthesis.ops.exr_info import exr_info

    found: list[dict[str, object]] = []
    texts: list[str] = []
    failures: list[SynthesisError] = []
    for path in expand(files):
        try:
            what = exr_info(path)
        except SynthesisError as error:
            error.hint = error.hint or (
                "check the path" if error.exit_code == 4 else "fetch or render it again"
            )
            failures.append(error)
            found.append({"file": str(path), "error": {"kind": error.kind, "message": error.message}})
            texts.append(f"{path}\n  {error.message}")
            continue
        found.append(
            {
                "file": str(path),
                "bytes": path.stat().st_size,
                "memory": sum(memory(part) for part in what.parts),
                **asdict(what),
            }
        )
        texts.append(describe(path, what))
    if failures and len(found) == 1:
        raise failures[0]
    session.out.result({"items": found}, "\n\n".join(texts))
    if failures:
        raise FailedError(
            f"{len(failures)} of {plural(len(found), 'file')} could not be read",
            kind="partial",
            hint=failures[0].hint,
        )


@command(app, "extract")
def extract(
    session: Session,
    files: FilesArgument,
    *,
    assets: Annotated[
        str | None,
        Option(
            "--assets",
            metavar="FLAGS",
            autocompletion=complete_exr_flags,
            help="Comma separated: rgb, alpha, depth, normals, segments, clothing_segments; or all.",
            show_default=False,
        ),
    ] = None,
    channels: Annotated[
        str | None,
        Option(
            "--channels",
            metavar="NAMES",
            help="Channels to write as they are, comma separated: Z,normals.X gives X.Z.tif and so on.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str,
        Option(
            "--format",
            metavar="FORMAT",
            autocompletion=complete_from(*FORMATS),
            help="Files of --channels: tif or npy.",
        ),
    ] = "tif",
    thumbnail: Annotated[
        bool,
        Option("--thumbnail", help="Write X.thumbnail.jpg too, 256 pixels on the longer side."),
    ] = False,
    output: Annotated[
        Path,
        Option("--output-dir", "-o", metavar="DIR", help="Folder to fill; made if it is not there."),
    ] = Path(),
    mode: Annotated[
        str,
        Option(
            "--mode",
            metavar="MODE",
            autocompletion=complete_from(*MODES),
            help="fast, small, or exact: the original service's bytes. The pixels are the same.",
        ),
    ] = "fast",
    workers: Annotated[
        int | None,
        Option("--workers", metavar="N", min=1, show_default=False, help="Threads.  [default: one per core]"),
    ] = None,
    partial: Annotated[
        bool,
        Option("--partial", help="Make what there is of interrupted files; rows that are missing are 0."),
    ] = False,
    verify: Annotated[
        bool,
        Option("--verify", help="Compare every checksum of the files, also where nothing is needed."),
    ] = False,
    rgb_is_srgb: Annotated[
        bool,
        Option("--rgb-is-srgb", help="The colours are sRGB already: leave the curve out."),
    ] = False,
    background_competes: Annotated[
        bool,
        Option(
            "--background-competes",
            help="Pixels that are mostly background have no segment, as before version 1.5.",
        ),
    ] = False,
) -> None:
    """Make standalone images of EXRs, on all cores.

    0.cam_default.f_1.exr gives 0.cam_default.f_1.rgb.png, .depth.tif and so on. Images that are
    there already are replaced.

    \b
    Examples:
      synthesis exr extract renders/*.exr --assets rgb,depth,segments -o images
      synthesis exr extract 'renders/**/*.exr' --assets all -o images --mode exact
      synthesis exr extract renders --channels Z,diffuse.R --format npy -o channels
    """
    from synthesis.ops.extract import ASSETS

    names = [name.strip() for name in (channels or "").split(",") if name.strip()]
    if assets is None and not names and not thumbnail:
        raise UsageError("nothing to make", hint="name --assets, --channels or --thumbnail")
    options: Options = {
        "channels": names,
        "format": _one_of("--format", form, FORMATS),
        "thumbnail": thumbnail,
        "directory": output.expanduser(),
        "mode": _one_of("--mode", mode, MODES),
        "workers": workers,
        "partial": partial,
        "verify": verify,
        "rgb_is_srgb": rgb_is_srgb,
        "background_competes": background_competes,
    }
    flags = [] if assets is None else parse_flags(assets, ASSETS, owner="an EXR")
    paths = expand(files)
    started = {"files": len(paths), "assets": ["all"] if flags is None else flags, "directory": str(output)}
    session.out.event("start", **started, channels=names)
    began = time.monotonic()
    results = _extract(session, paths, flags, options)
    _report(session, results, time.monotonic() - began, output)


def _one_of(option: str, value: str, choices: tuple[C, ...]) -> C:
    for choice in choices:
        if choice == value:
            return choice
    raise UsageError(f"{option} cannot be {value!r}", hint=f"use {', '.join(choices[:-1])} or {choices[-1]}")


def _extract(
    session: Session, paths: list[Path], flags: list[str] | None, options: Options
) -> list[Extracted]:
    """Extract, a call for every set of assets; without flags an EXR gives all that it has."""
    from synthesis.cli.progress import Ticker
    from synthesis.ops.extract import extract as run

    ticker = Ticker(session.out)
    results: list[Extracted] = []

    def progress(now: Progress) -> None:
        if ticker.due():
            ticker.show(_line(now, len(results), len(paths), ticker.seconds), asdict(now))

    try:
        for wanted, group in _by_assets(paths, flags).items():
            results += run(group, assets=wanted, progress=progress, interval=0.2, **options)
    finally:
        ticker.done()
    return results


def _line(now: Progress, before: int, total: int, seconds: float) -> str:
    """Write how far it is; `before` files are of calls that are done."""
    done = before + now.files_done
    rate = done / max(seconds, 1e-3)
    text = f"{done:,}/{total:,} EXRs  {now.images_done:,} images  {rate:.1f} EXRs/s"
    return f"{text}  {duration((total - done) / rate)} left" if done else text


def _report(session: Session, results: list[Extracted], seconds: float, output: Path) -> None:
    """Say what was made; raise when something was not, or not wholly."""
    images = sum(len(result.outputs) for result in results)
    failures = [(result.source, failure) for result in results for failure in result.failures]
    for source, failure in failures:
        session.out.event("file-failed", source=str(source), **asdict(failure))
    cut = [result for result in results if result.missing]
    for result in cut:
        session.out.event("file-partial", source=str(result.source), missing=result.missing)
    strangers = [(result.source, name, count) for result in results for name, count in result.unnamed.items()]
    for source, name, count in strangers:
        session.out.event("ids-unnamed", source=str(source), name=name, pixels=count)
    unnamed = sum(count for _, _, count in strangers)
    lines = [f"{plural(images, 'image')} from {plural(len(results), 'EXR')} in {duration(seconds)}"]
    if strangers:
        pixels, where = plural(unnamed, "covered pixel"), plural(len(strangers), "image")
        lines.append(f"{pixels} in {where} have ids that no manifest names: 0, like the background")
    if images:
        lines.append(f"Saved to {output}")
    counts = {"files": len(results), "images": images, "failed": len(failures), "partial": len(cut)}
    session.out.summary(
        counts | {"unnamed": unnamed, "seconds": round(seconds, 3)}, "\n".join(lines), bare=str(output)
    )
    if failures:
        raise _failed(failures, images)
    if cut:
        raise _partial(cut)


def _by_assets(paths: list[Path], flags: list[str] | None) -> dict[tuple[str, ...], list[Path]]:
    from synthesis.ops.exr_info import exr_info
    from synthesis.ops.extract import ASSETS

    if flags is not None:
        return {tuple(flags): paths}
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        try:
            known = exr_info(path).assets
        except SynthesisError:
            known = ()  # asking for everything will say what is wrong with it
        groups.setdefault(tuple(known) or ASSETS, []).append(path)
    return groups


def _partial(cut: list[Extracted]) -> SynthesisError:
    """Return the error for files that lack rows, which are named."""
    faults = []
    for result in cut[:10]:
        rows = ", ".join(
            f"{first}-{last}" if last > first else f"{first}" for first, last in result.missing[:5]
        )
        more = " ..." if len(result.missing) > 5 else ""
        faults.append({"field": result.source.name, "message": f"rows {rows}{more} are missing"})
    message = f"{plural(len(cut), 'EXR')} lacked rows, which are 0 in the images"
    return from_kind("partial", message, "fetch or render what lacks rows again", {"errors": faults})


def _failed(failures: Sequence[tuple[Path, Failure]], images: int) -> SynthesisError:
    """Return one error for all that was not made, its causes as faults."""
    causes: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for source, failure in failures:
        # The disk's troubles are one trouble, though each names another path.
        message = failure.message.removeprefix(f"{source}: ")  # the fault's field names the file
        cause = (failure.kind, "" if issubclass(KINDS[failure.kind], DiskError) else message)
        causes.setdefault(cause, []).append((failure.name or source.name, message))
    faults = [
        {
            "field": ", ".join(name for name, _ in found[:3]) + (" ..." if len(found) > 3 else ""),
            "message": found[0][1],
        }
        for found in sorted(causes.values(), key=len, reverse=True)
    ]
    kinds = {failure.kind for _, failure in failures}
    kind = next(iter(kinds)) if len(kinds) == 1 and not images else "partial"
    hint = next(
        (failure.hint for _, failure in failures if failure.hint), "look at them: synthesis exr info FILE"
    )
    return from_kind(kind, f"{plural(len(failures), 'image')} could not be made", hint, {"errors": faults})
