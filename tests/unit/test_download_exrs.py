"""Images made here from downloaded EXRs: the same bytes, nothing unasked, nothing twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fakes import faults
from fakes.faulty import FaultyServer, File
from fakes.fetch import fetch
from synthesis.errors import CancelledError
from synthesis.ops.cancel import CancelToken
from synthesis.ops.extract import extract
from synthesis.ops.write_exr import write_exr

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = ("rgb", "alpha", "depth")
RENDERS = 5


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of a job, EXRs and what the platform makes of them, by name."""
    folder = tmp_path_factory.mktemp("renders")
    rng = np.random.default_rng(0)
    for at in range(RENDERS):
        channels = {name: rng.random((9, 16)).astype(np.float16) for name in "RGBA"}
        write_exr(folder / f"{at}.cam_default.f_1.exr", {**channels, "Z": np.ones((9, 16), np.float32)}, {})
        (folder / f"{at}.cam_default.f_1.info.json").write_text(json.dumps({"render": at}))
    results = extract(sorted(folder.glob("*.exr")), assets=IMAGES, directory=folder, mode="exact")
    assert not any(result.failures for result in results)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def server(renders: dict[str, bytes]) -> Iterator[FaultyServer]:
    """Serves info and EXRs; whoever asks for an image of it gets nothing."""
    flags = {".exr": "exr", ".json": "info"}
    served = [
        File(name, data, flags[Path(name).suffix], int(name.split(".")[0]))
        for name, data in sorted(renders.items())
        if Path(name).suffix in flags
    ]
    with FaultyServer(served) as running:
        yield running


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def expected(renders: dict[str, bytes], *ends: str, ids: range = range(RENDERS)) -> dict[str, bytes]:
    return {
        name: data for name, data in renders.items() if name.endswith(ends) and int(name.split(".")[0]) in ids
    }


ALL = ("rgb.png", "alpha.tif", "depth.tif", "info.json")


def test_only_what_was_asked_for_stays(
    server: FaultyServer, renders: dict[str, bytes], tmp_path: Path
) -> None:
    summary = fetch(server, tmp_path, assets=[*IMAGES, "info"], extract=True)
    assert summary.failures == ()
    assert summary.files_made == RENDERS * len(IMAGES)
    assert held(tmp_path) == expected(renders, *ALL)
    assert not (tmp_path / ".synthesis").exists()


def test_a_second_run_fetches_no_exr(server: FaultyServer, renders: dict[str, bytes], tmp_path: Path) -> None:
    fetch(server, tmp_path, assets=[*IMAGES, "info"], extract=True)
    server.forget()
    (tmp_path / "3.cam_default.f_1.depth.tif").unlink()
    summary = fetch(server, tmp_path, assets=[*IMAGES, "info"], extract=True)
    assert summary.failures == ()
    assert summary.files_made == len(IMAGES)
    assert [request.path.rsplit("/")[-1] for request in server.requests if "/files/" in request.path] == [
        "3.cam_default.f_1.exr"
    ]
    assert held(tmp_path) == expected(renders, *ALL)


def test_exrs_that_were_asked_for_stay(
    server: FaultyServer, renders: dict[str, bytes], tmp_path: Path
) -> None:
    options = {"assets": ["exr", "rgb"], "extract": True}
    assert fetch(server, tmp_path, **options).files_made == RENDERS
    assert held(tmp_path) == expected(renders, "exr", "rgb.png")
    assert fetch(server, tmp_path, **options).files_made == 0
    (tmp_path / "1.cam_default.f_1.rgb.png").unlink()
    assert fetch(server, tmp_path, **options).files_made == 1
    assert held(tmp_path) == expected(renders, "exr", "rgb.png")
    assert not (tmp_path / ".synthesis").exists()


def test_render_ids_limit_what_is_made(
    server: FaultyServer, renders: dict[str, bytes], tmp_path: Path
) -> None:
    fetch(server, tmp_path, assets=["exr"])
    summary = fetch(server, tmp_path, assets=["exr", "rgb"], render_ids=[(1, 2)], extract=True)
    assert summary.files_made == 2
    assert held(tmp_path) == expected(renders, "exr") | expected(renders, "rgb.png", ids=range(1, 3))


def test_update_makes_images_again(server: FaultyServer, renders: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "0.cam_default.f_1.rgb.png").write_bytes(b"of another job")
    fetch(server, tmp_path, assets=["rgb"], extract=True)
    assert held(tmp_path)["0.cam_default.f_1.rgb.png"] == b"of another job"
    fetch(server, tmp_path, assets=["rgb"], extract=True, update=True)
    assert held(tmp_path) == expected(renders, "rgb.png")


def test_a_bad_exr_is_a_failure_and_is_not_left_in_sight(
    server: FaultyServer, renders: dict[str, bytes], tmp_path: Path
) -> None:
    bad = "2.cam_default.f_1.exr"
    at = next(at for at, file in enumerate(server.lines) if file.name == bad)
    server.lines[at] = server.content[bad] = File(bad, b"not an EXR", "exr", 2)
    summary = fetch(server, tmp_path, assets=["rgb"], extract=True)
    (failure,) = summary.failures
    assert failure.kind == "invalid-exr"
    assert summary.failed == 1
    assert summary.failed_by_kind == {"invalid-exr": 1}
    made = expected(renders, "rgb.png")
    del made["2.cam_default.f_1.rgb.png"]
    assert held(tmp_path) == made
    # Once the server has a good one, another run finishes the folder.
    server.lines[at] = server.content[bad] = File(bad, renders[bad], "exr", 2)
    assert fetch(server, tmp_path, assets=["rgb"], extract=True).failures == ()
    assert held(tmp_path) == expected(renders, "rgb.png")
    assert not (tmp_path / ".synthesis").exists()


def test_a_cancelled_run_goes_on(server: FaultyServer, renders: dict[str, bytes], tmp_path: Path) -> None:
    token = CancelToken()
    server.faults["3.cam_default.f_1.exr"] = [faults.stall(at=10)]

    def cancel_when_waiting(_: object) -> None:
        if len(list(tmp_path.glob("*.png"))) >= 2:
            token.cancel()

    with pytest.raises(CancelledError):
        fetch(
            server,
            tmp_path,
            assets=["rgb"],
            extract=True,
            concurrency=1,
            interval=0.05,
            progress=cancel_when_waiting,
            cancel=token,
        )
    made = held(tmp_path)
    assert made.items() <= expected(renders, "rgb.png").items()
    assert 2 <= len(made) < RENDERS
    server.forget()
    assert fetch(server, tmp_path, assets=["rgb"], extract=True).failures == ()
    assert held(tmp_path) == expected(renders, "rgb.png")
    assert not server.gets("0.cam_default.f_1.exr")
    assert not (tmp_path / ".synthesis").exists()
