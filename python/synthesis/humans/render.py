"""Every file of one render: what a worker of the platform calls."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthesis.errors import FailedError, from_kind
from synthesis.humans.cameras import resolve_cameras
from synthesis.humans.labels import info
from synthesis.humans.metadata import metadata_line
from synthesis.ops.extract import ASSETS, extract

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.renderers import Renderer
    from synthesis.humans.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a render left.

    Attributes:
        files: every file, under its final name, by camera, frame and asset.
        metadata: the lines of `metadata.jsonl`, one per image, each with its line feed.
    """

    files: tuple[Path, ...]
    metadata: tuple[bytes, ...]


def render(scene: Scene, *, job_id: str, directory: Path, renderer: Renderer) -> Rendered:
    """Make every camera and frame of a scene: EXR, images extracted from it, `info.json`, metadata.

    Files are named `{render_id}.cam_{camera}.f_{frame}.{asset}` and appear together at the end; until
    then they are in a hidden folder inside `directory`. Rendering again replaces them by equal ones.

    Args:
        scene: the scene.
        job_id: the job's UUID, for the metadata.
        directory: where the files go; made if need be.
        renderer: what draws the EXRs.

    Raises:
        FailedError: an image could not be made of its EXR, or the scene has no camera.
        DiskError: the folder cannot be written.
    """
    work = directory / f".work-{scene.render_id}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        lines = _draw(scene, job_id, work, renderer)
        made = _extract(sorted(work.glob("*.exr")), work)
        files = tuple(path.replace(directory / path.name) for path in sorted(work.iterdir()))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not made:
        raise FailedError(f"render {scene.render_id} has no camera")
    return Rendered(files=files, metadata=tuple(lines))


def task_id(job_id: str, render_id: int) -> str:
    """Return the UUID that a job's metadata gives to one render; the same however often it is rendered."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:synthesis:{job_id}:{render_id}"))


def _draw(scene: Scene, job_id: str, work: Path, renderer: Renderer) -> list[bytes]:
    """Write every EXR and `info.json` and return the metadata lines."""
    lines = []
    for frame in scene.frames:
        figure = renderer.figure(scene, frame)
        for camera in resolve_cameras(scene, figure.face_centre, figure.head2world):
            name = f"{scene.render_id}.cam_{camera.camera.name}.f_{frame}"
            renderer.render(scene, camera, frame, figure, work / f"{name}.exr")
            (work / f"{name}.info.json").write_bytes(info(scene, camera, frame, figure))
            lines.append(
                metadata_line(
                    job_id=job_id,
                    task_id=task_id(job_id, scene.render_id),
                    scene=scene,
                    camera=camera.camera.name,
                    frame=frame,
                )
            )
    return lines


def _extract(sources: list[Path], work: Path) -> int:
    """Extract every asset with the original's exact bytes; return the number of images."""
    # One thread: a machine runs as many workers as it has cores.
    results = extract(sources, assets=ASSETS, directory=work, mode="exact", workers=1)
    for result in results:
        for failure in result.failures:
            raise from_kind(failure.kind, f"{failure.name}: {failure.message}", failure.hint)
    return len(results)
