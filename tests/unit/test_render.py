from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthesis.errors import UsageError
from synthesis.humans import renderers, spec
from synthesis.humans.render import render, task_id
from synthesis.humans.renderers.flat import FlatRenderer
from synthesis.humans.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.humans.cameras import ResolvedCamera
    from synthesis.humans.figure.model import Figure
    from synthesis.humans.scene import Scene

JOB = "363be34d-c7cf-42bb-9cd9-79760e15ca7c"
ASSETS = (
    "alpha.tif", "clothing_segments.png", "depth.tif", "exr", "info.json", "normals.tif", "rgb.png",
    "segments.png",
)  # fmt: skip


def small(name: str = "default", focal: float = 40) -> dict[str, Any]:
    lens = {"focal_length": {"type": "list", "values": [focal]}, "resolution_w": 96, "resolution_h": 64}
    return {"name": name, "specifications": lens}


def scene(render_id: int = 0, **parameters: Any) -> Scene:
    identities = {"ids": [24, 303], "renders_per_identity": 1}
    rigs = [{"cameras": [small()]}]
    group = {"identities": identities, "camera_and_light_rigs": rigs, **parameters}
    return resolve(spec.load(json.dumps({"humans": [group]}).encode()), 3, render_id)


def gray16(path: Path) -> np.ndarray:
    """Decode a 16-bit gray PNG whose rows use the Sub filter."""
    data, at, body = path.read_bytes(), 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", content[:8])
        elif kind == b"IDAT":
            body += content
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + 2 * width)
    assert (rows[:, 0] == 1).all()
    bytes_ = np.cumsum(rows[:, 1:].reshape(height, width, 2), axis=1, dtype=np.uint8)
    return bytes_[..., 0].astype(int) << 8 | bytes_[..., 1]


def test_every_file_of_an_image(tmp_path: Path) -> None:
    made = render(scene(), job_id=JOB, directory=tmp_path, renderer=FlatRenderer())
    assert [path.name for path in made.files] == [f"0.cam_default.f_1.{asset}" for asset in ASSETS]
    assert sorted(tmp_path.iterdir()) == sorted(made.files)
    (line,) = made.metadata
    record = json.loads(line)
    assert (record["job_id"], record["render_id"], record["camera_name"]) == (JOB, 0, "default")
    assert record["task_id"] == task_id(JOB, 0) != task_id(JOB, 1)


def test_cameras_and_frames(tmp_path: Path) -> None:
    moving = scene(
        1,
        gesture=[{"name": ["wave"], "keyframe_only": False}],
        camera_and_light_rigs=[{"cameras": [small("a"), small("b")]}],
    )
    made = render(moving, job_id=JOB, directory=tmp_path, renderer=FlatRenderer())
    assert len(made.files) == 2 * 12 * len(ASSETS)
    assert len(made.metadata) == 24
    assert (tmp_path / "1.cam_b.f_12.rgb.png").is_file()
    assert json.loads((tmp_path / "1.cam_b.f_12.info.json").read_bytes())["render"]["frame_number"] == 12


def test_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = render(scene(), job_id=JOB, directory=tmp_path, renderer=FlatRenderer())
    before = {path.name: path.read_bytes() for path in first.files}
    stale = tmp_path / ".work-0"
    stale.mkdir()
    (stale / "half.exr").write_bytes(b"half")
    again = render(scene(), job_id=JOB, directory=tmp_path, renderer=FlatRenderer())
    assert {path.name: path.read_bytes() for path in again.files} == before
    assert again.metadata == first.metadata
    assert sorted(tmp_path.iterdir()) == sorted(again.files)


def test_a_failed_render_leaves_nothing(tmp_path: Path) -> None:
    class BrokenRenderer(FlatRenderer):
        def render(
            self, scene: Scene, camera: ResolvedCamera, frame: int, figure: Figure, path: Path
        ) -> None:
            if camera.camera.name == "b":
                raise RuntimeError("out of film")
            super().render(scene, camera, frame, figure, path)

    two = scene(camera_and_light_rigs=[{"cameras": [small("a"), small("b")]}])
    with pytest.raises(RuntimeError, match="out of film"):
        render(two, job_id=JOB, directory=tmp_path, renderer=BrokenRenderer())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [0, 1])
def test_labels_are_true_to_the_picture(tmp_path: Path, number: int) -> None:
    """Pupils lie on eyes, the segment images use the ids that `info.json` gives."""
    turned = {"head_turn": [{"yaw": {"type": "list", "values": [20]}}]}
    one = scene(number, facial_attributes=turned)
    render(one, job_id=JOB, directory=tmp_path, renderer=FlatRenderer())
    prefix = f"{number}.cam_default.f_1"
    labels = json.loads((tmp_path / f"{prefix}.info.json").read_bytes())
    segments = gray16(tmp_path / f"{prefix}.segments.png")
    clothing = gray16(tmp_path / f"{prefix}.clothing_segments.png")
    assert segments.shape == clothing.shape == (64, 96)
    names = {number: name for name, number in labels["segments_mapping"].items()}
    for side in ("left", "right"):
        u, v = labels["pupil_coordinates"][f"pupil_{side}"]["screen_space_pos"]
        assert names[segments[int(v * 64), int(u * 96)]] == f"sclera_{side}"
    assert {names[i] for i in np.unique(segments)} == set(labels["segments_mapping"])
    garments = {number: name for name, number in labels["clothing_segments_mapping"].items()}
    torso = np.isin(
        segments, [labels["segments_mapping"][f"torso_upper_{side}"] for side in ("left", "right")]
    )
    assert {garments[i] for i in np.unique(clothing[torso])} == set(garments.values()) - {"background"}
    assert not clothing[~torso].any()


def test_renderers_by_name() -> None:
    assert isinstance(renderers.get("flat"), FlatRenderer)
    assert isinstance(renderers.get("mitsuba"), renderers.Renderer)
    with pytest.raises(UsageError, match="no renderer is called 'crayon'"):
        renderers.get("crayon")
