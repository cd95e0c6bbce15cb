"""`client.jobs.renders`: renders one by one, with back-pressure, and ended by whoever leaves the loop."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from fakes import faults
from fakes.faulty import JOB, FaultyServer, File, made
from fakes.fetch import TESTS, assert_exact, final_names, transport
from synthesis.errors import CancelledError, FailedError, SynthesisError, UsageError
from synthesis.ops.cancel import CancelToken
from synthesis.ops.renders import renders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synthesis.ops.renders import Render

RENDERS = 60
ASSETS = ["rgb", "info"]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    files = [
        File(f"{at}.cam_default.f_1.{suffix}", made(5_000, at), flag=flag, render_id=at)
        for at in range(RENDERS)
        for flag, suffix in (("info", "info.json"), ("rgb", "rgb.png"))
    ]
    with FaultyServer(files) as running:
        yield running


def each(server: FaultyServer, folder: Path, **options: object) -> Iterator[Render]:
    return renders(transport(server.url), JOB, assets=ASSETS, directory=folder, **options)  # type: ignore[arg-type]


def test_every_render_comes_once_and_is_whole(server: FaultyServer, tmp_path: Path) -> None:
    seen = []
    for render in each(server, tmp_path):
        assert [path.suffix for path in render.files] == [".json", ".png"]
        assert all(len(path.read_bytes()) == 5_000 for path in render.files)
        seen.append(render.render_id)
    assert sorted(seen) == list(range(RENDERS))
    assert not (tmp_path / ".synthesis").exists()
    assert all(render.is_old for render in each(server, tmp_path))


def test_a_loop_left_early_ends_the_work_and_a_later_one_goes_on(
    server: FaultyServer, tmp_path: Path
) -> None:
    for render in each(server, tmp_path, ahead=2):
        assert render.files
        break
    threads = [thread for thread in threading.enumerate() if thread.daemon is False]
    assert threads == [threading.main_thread()]
    there = final_names(tmp_path)
    assert 2 <= len(there) < 2 * RENDERS
    assert_exact(server, tmp_path)
    assert len(list(each(server, tmp_path))) == RENDERS


def test_who_takes_nothing_holds_the_download_up(server: FaultyServer, tmp_path: Path) -> None:
    stream = each(server, tmp_path, ahead=3, concurrency=2)
    next(stream)
    threading.Event().wait(1.0)
    assert len(final_names(tmp_path)) < RENDERS
    stream.close()  # type: ignore[attr-defined]


def test_failures_surface_after_the_last_render(server: FaultyServer, tmp_path: Path) -> None:
    server.faults["7.cam_default.f_1.rgb.png"] = [faults.always(faults.status(404))]
    seen = []
    with pytest.raises(FailedError) as caught:
        seen.extend(render.render_id for render in each(server, tmp_path))
    assert caught.value.kind == "partial"
    assert "7.cam_default.f_1.rgb.png" in caught.value.message


def test_errors_of_the_whole_surface_from_the_loop(server: FaultyServer, tmp_path: Path) -> None:
    server.key = "another"
    with pytest.raises(SynthesisError) as caught:
        next(each(server, tmp_path))
    assert caught.value.kind == "unauthorized"


def test_a_token_ends_the_loop(server: FaultyServer, tmp_path: Path) -> None:
    token = CancelToken()
    loop = each(server, tmp_path, cancel=token, ahead=1)
    next(loop)
    token.cancel()
    with pytest.raises(CancelledError):
        list(loop)
    assert_exact(server, tmp_path)


def test_options_that_finish_no_render_are_refused(server: FaultyServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        each(server, tmp_path, verify=True)
    with pytest.raises(TypeError):
        each(server, tmp_path, no_such_option=1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_gets_a_clear_error(server: FaultyServer, tmp_path: Path) -> None:
    program = """
        import os, sys
        from fakes.fetch import transport
        from synthesis.errors import SynthesisError
        from synthesis.ops.renders import renders

        def each(folder):
            return renders(transport(sys.argv[1]), "job-1", assets=["rgb"], directory=folder, ahead=2)

        def in_child(*loops):
            for loop in loops:
                try:
                    list(loop)
                except SynthesisError as error:
                    print(error.kind, flush=True)
            os._exit(0)

        begun = each(sys.argv[2])
        for _ in range(20):  # the parent's work may hold any lock at the instant of a fork
            next(begun)
            if os.fork() == 0:
                in_child(begun)
            os.wait()
        if os.fork() == 0:
            in_child(each(sys.argv[2] + "-child"))
        os.wait()
        print(len(list(begun)), flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), server.url, str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["forked"] * 21 + [str(RENDERS - 20)], done
