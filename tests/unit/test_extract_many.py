"""Many EXRs at a time: workers, results, cancellation, forks, names."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exr_files import Part, build
from exr_person import ATTRIBUTES, channels, run
from readers import read_png, read_tiff
from synthesis.errors import CancelledError, UsageError
from synthesis.ops.cancel import CancelToken
from synthesis.ops.extract import ASSETS, Progress, extract


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    good = build(Part(channels(), attributes=ATTRIBUTES))
    files = []
    for index in range(9):
        files.append(tmp_path / f"{index}.exr")
        files[-1].write_bytes(good[: len(good) // 2] if index % 3 == 1 else good)
    files.insert(4, tmp_path / "absent.exr")
    seen: list[Progress] = []
    results = extract(files, assets=["rgb"], directory=tmp_path / "out", workers=3, progress=seen.append)
    assert [result.source for result in results] == files
    kinds = {result.source.name: [failure.kind for failure in result.failures] for result in results}
    assert kinds.pop("absent.exr") == ["not-found"]
    assert kinds == {f"{index}.exr": ["invalid-exr"] if index % 3 == 1 else [] for index in range(9)}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{index}.rgb.png" for index in range(9) if index % 3 != 1
    ]
    last = seen[-1]
    assert (last.files_done, last.files_total, last.files_failed, last.images_done) == (10, 10, 4, 6)
    assert last.bytes_written == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())


def test_results_do_not_depend_on_workers(tmp_path: Path) -> None:
    for index in range(6):
        (tmp_path / f"{index}.exr").write_bytes(build(Part(channels(seed=index), attributes=ATTRIBUTES)))
    files = sorted(tmp_path.glob("*.exr"))
    digests = []
    for workers in (1, 4):
        out = tmp_path / f"out{workers}"
        extract(files, assets=ASSETS, directory=out, mode="exact", workers=workers)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 36


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "a" / "0.exr", tmp_path / "b" / "0.exr"]
    with pytest.raises(UsageError, match="would give files of one name"):
        extract(files, assets=["rgb"], directory=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "kind"),
    [({"assets": ["info"]}, "unknown-asset"), ({"mode": "tiny"}, "usage"), ({"workers": 0}, "usage")],
)
def test_unknown_words_are_usage_errors(tmp_path: Path, option: dict[str, Any], kind: str) -> None:
    with pytest.raises(UsageError) as error:
        extract([], **({"assets": ["rgb"], "directory": tmp_path} | option))
    assert error.value.kind == kind


def test_a_name_without_exr_is_a_stem(tmp_path: Path) -> None:
    data = build(Part({"A": np.ones((2, 2), "<f2")}))
    assert run(tmp_path / "frame.0001", data, assets=["alpha"]).outputs[0].name == "frame.0001.alpha.tif"


def test_cancelled_work_leaves_whole_files_only(tmp_path: Path) -> None:
    data = build(Part(channels(200, 200), attributes=ATTRIBUTES))
    files = [tmp_path / f"{index}.exr" for index in range(200)]
    for path in files:
        path.write_bytes(data)
    token = CancelToken()
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        extract(files, assets=ASSETS, directory=tmp_path / "out", mode="exact", workers=2, cancel=token)
    timer.join()
    made = list((tmp_path / "out").iterdir())
    assert len(made) < len(files) * len(ASSETS)
    for path in made:
        (read_png if path.suffix == ".png" else read_tiff)(path.read_bytes())


def test_a_callback_that_raises_stops_the_work(tmp_path: Path) -> None:
    (tmp_path / "0.exr").write_bytes(build(Part(channels())))

    def progress(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        extract([tmp_path / "0.exr"], assets=["rgb"], directory=tmp_path / "out", progress=progress)
    assert not (tmp_path / "out" / ".synthesis").exists()


def _in_child(folder: str) -> None:
    results = extract(sorted(Path(folder).glob("*.exr")), assets=["rgb"], directory=folder, workers=2)
    os._exit(0 if all(not result.failures for result in results) else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_works_in_a_forked_child(tmp_path: Path) -> None:
    for index in range(3):
        (tmp_path / f"{index}.exr").write_bytes(build(Part(channels(seed=index))))
    extract(sorted(tmp_path.glob("*.exr")), assets=["rgb"], directory=tmp_path / "parent", workers=2)
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(str(tmp_path),))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert len(list(tmp_path.glob("*.rgb.png"))) == 3


def test_an_output_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.alpha.tif").write_bytes(b"old")
    (tmp_path / "a.exr").write_bytes(b"broken")
    extract([tmp_path / "a.exr"], assets=["alpha"], directory=out)
    assert (out / "a.alpha.tif").read_bytes() == b"old"
    (tmp_path / "a.exr").write_bytes(build(Part({"A": np.ones((2, 2), "<f2")})))
    extract([tmp_path / "a.exr"], assets=["alpha"], directory=out)
    assert (read_tiff((out / "a.alpha.tif").read_bytes()) == 255).all()


@pytest.mark.skipif(
    os.name != "posix" or os.uname().sysname != "Linux", reason="other systems refuse such names"
)
def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.exr"))
    path.write_bytes(build(Part({"A": np.ones((2, 2), "<f2")})))
    (result,) = extract([path], assets=["alpha"], directory=tmp_path / "out")
    assert result.source == path
    assert [output.name for output in result.outputs] == ["caf\ufffd.alpha.tif"]


KILLED = """
import sys
from pathlib import Path
from synthesis.ops.extract import ASSETS, extract

def tell(progress):
    if progress.images_done:
        print("under way", flush=True)

files = sorted(Path(sys.argv[1]).iterdir())
extract(files, assets=ASSETS, directory=Path(sys.argv[2]), workers=1, progress=tell, interval=0.02)
"""


def test_what_a_killed_extraction_left_goes_with_the_next(tmp_path: Path) -> None:
    sources, out = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    for index in range(500):
        (sources / f"{index}.exr").write_bytes(build(Part(channels(), attributes=ATTRIBUTES)))
    command = [sys.executable, "-c", KILLED, str(sources), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().strip() == b"under way"
        killed.kill()
    assert (out / ".synthesis").is_dir()
    results = extract(sorted(sources.iterdir()), assets=ASSETS, directory=out)
    assert set(out.iterdir()) == {path for result in results for path in result.outputs}
