"""`synthesis exr`: look into EXRs and make assets of them, without any server."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from synthesis.cli.command import Argument, Option, command, group
from synthesis.cli.flags import complete_exr_flags, complete_from, parse_flags
from synthesis.cli.output import duration, plural
from synthesis.cli.session import Session
from synthesis.errors import (
    KINDS,
    DiskError,
    FailedError,
    NotFoundError,
    SynthesisError,
    UsageError,
    from_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synthesis.ops.exr_info import ExrInfo, Part
    from synthesis.ops.extract import Extracted, Failure, Progress

app = group("Look into EXRs and make standalone images of them.")

FilesArgument = Annotated[
    list[Path], Argument(metavar="FILE", help="EXRs, or folders of them.", show_default=False)
]


@command(app, "info")
def info(session: Session, files: FilesArgument) -> None:
    """Say what EXRs hold, and which assets they give.

    \b
    Examples:
      synthesis exr info 0.cam_default.f_1.exr
      synthesis exr info renders --json
    """
    from synthesis.ops.exr_info import exr_info

    found: list[dict[str, object]] = []
    texts: list[str] = []
    failures: list[SynthesisError] = []
    for path in _expand(files):
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
        found.append({"file": str(path), **asdict(what)})
        texts.append(_describe(path, what))
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
        str,
        Option(
            "--assets",
            metavar="FLAGS",
            autocompletion=complete_exr_flags,
            help="Comma separated: rgb, alpha, depth, normals, segments, clothing_segments; or all.",
        ),
    ],
    output: Annotated[
        Path,
        Option("--output-dir", "-o", metavar="DIR", help="Folder to fill; made if it is not there."),
    ] = Path(),
    mode: Annotated[
        str,
        Option(
            "--mode",
            metavar="MODE",
            autocompletion=complete_from("fast", "exact"),
            help="fast, or exact: the original service's bytes. The pixels are the same.",
        ),
    ] = "fast",
    workers: Annotated[
        int | None,
        Option("--workers", metavar="N", min=1, show_default=False, help="Threads.  [default: one per core]"),
    ] = None,
) -> None:
    """Make standalone images of EXRs, on all cores.

    0.cam_default.f_1.exr gives 0.cam_default.f_1.rgb.png, .depth.tif and so on. Images that are
    there already are replaced.

    \b
    Examples:
      synthesis exr extract renders/*.exr --assets rgb,depth,segments -o images
      synthesis exr extract renders --assets all -o images --mode exact
    """
    from synthesis.ops.extract import ASSETS

    if mode not in ("fast", "exact"):
        raise UsageError(f"--mode cannot be {mode!r}", hint="use fast or exact")
    paths = _expand(files)
    flags = parse_flags(assets, ASSETS, owner="an EXR")
    session.out.event("start", files=len(paths), assets=flags or ["all"], directory=str(output))
    started = time.monotonic()
    results = _extract(session, paths, flags, output=output.expanduser(), mode=mode, workers=workers)
    seconds = time.monotonic() - started
    images = sum(len(result.outputs) for result in results)
    failures = [(result.source, failure) for result in results for failure in result.failures]
    for source, failure in failures:
        session.out.event("file-failed", source=str(source), **asdict(failure))
    made = f"{plural(images, 'image')} from {plural(len(paths), 'EXR')} in {duration(seconds)}"
    session.out.summary(
        {"files": len(paths), "images": images, "failed": len(failures), "seconds": round(seconds, 3)},
        f"{made}\nSaved to {output}" if images else made,
        bare=str(output),
    )
    if failures:
        raise _failed(failures, images)


def _extract(
    session: Session,
    paths: list[Path],
    flags: list[str] | None,
    *,
    output: Path,
    mode: str,
    workers: int | None,
) -> list[Extracted]:
    """Extract, a call for every set of assets; without flags an EXR gives all that it has."""
    from synthesis.cli.progress import Ticker
    from synthesis.ops.extract import extract as run

    ticker = Ticker(session.out)

    def progress(now: Progress) -> None:
        if ticker.due():
            rate = now.files_done / max(ticker.seconds, 1e-3)
            text = (
                f"{now.files_done:,}/{now.files_total:,} EXRs  {now.images_done:,} images  {rate:.1f} EXRs/s"
            )
            ticker.show(text, asdict(now))

    results: list[Extracted] = []
    try:
        for wanted, group in _by_assets(paths, flags).items():
            results += run(
                group,
                assets=wanted,
                directory=output,
                mode="exact" if mode == "exact" else "fast",
                workers=workers,
                progress=progress,
                interval=0.2,
            )
    finally:
        ticker.done()
    return results


def _by_assets(paths: list[Path], flags: list[str] | None) -> dict[tuple[str, ...], list[Path]]:
    from synthesis.ops.exr_info import exr_info
    from synthesis.ops.extract import ASSETS

    if flags:
        return {tuple(flags): paths}
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        try:
            known = exr_info(path).assets
        except SynthesisError:
            known = ()  # asking for everything will say what is wrong with it
        groups.setdefault(tuple(known) or ASSETS, []).append(path)
    return groups


def _expand(files: list[Path]) -> list[Path]:
    """Return the EXRs named, a folder standing for those in it, by name."""
    paths: list[Path] = []
    for file in files:
        path = file.expanduser()
        inside = sorted(path.glob("*.exr")) if path.is_dir() else [path]
        if not inside:
            raise NotFoundError(f"{path} has no EXR in it", hint="name another folder, or the files")
        paths += inside
    return paths


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


def _describe(path: Path, what: ExrInfo) -> str:
    lines = [str(path)]
    for part in what.parts:
        lines += _describe_part(part, named=len(what.parts) > 1 or bool(part.name))
    for crypto in what.cryptomattes:
        objects = "no manifest" if crypto.objects is None else plural(crypto.objects, "object")
        lines.append(f"  cryptomatte  {crypto.name}: {plural(crypto.layers, 'layer')}, {objects}")
    lines.append(f"  assets       {', '.join(what.assets) or 'none'}")
    return "\n".join(lines)


def _describe_part(part: Part, *, named: bool) -> list[str]:
    left, top, right, bottom = part.display_window
    window = f"{right - left + 1} x {bottom - top + 1}"
    if part.data_window != part.display_window:
        window += f", data at {part.data_window}"
    layout = f"tiles of {part.tile_size[0]} x {part.tile_size[1]}" if part.tile_size else "lines"
    lines = [f"  part         {part.name or '(unnamed)'}"] if named else []
    lines += [f"  size         {window}", f"  compression  {part.compression}, {layout}"]
    kinds: dict[str, list[str]] = {}
    for name, kind in part.channels:
        kinds.setdefault(kind, []).append(name)
    lines += [f"  {kind:<11}  {', '.join(_layers(names))}" for kind, names in kinds.items()]
    if part.unreadable:
        lines.append(f"  unreadable   {part.unreadable}")
    return lines


def _layers(names: Sequence[str]) -> list[str]:
    """Write the channels of a layer together: `normals.X`, `normals.Y` as `normals.{X,Y}`."""
    layers: dict[str, list[str]] = {}
    for name in names:
        layer, dot, channel = name.rpartition(".")
        layers.setdefault(layer + dot, []).append(channel)
    texts = []
    for layer, channels in layers.items():
        if layer and len(channels) > 1:
            texts.append(f"{layer}{{{','.join(channels)}}}")
        else:
            texts += [layer + channel for channel in channels]
    return texts
