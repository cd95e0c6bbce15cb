"""For any schedule of faults and kills a file is absent, unfinished under the state folder, or exact.

HYPOTHESIS_PROFILE=thorough tries many more schedules.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes import faults, protocol
from fakes.faulty import FaultyServer, File, made
from fakes.fetch import assert_complete, assert_exact, kill, outcome, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.faulty import Fault, ManifestFault

SIZES = [0, 1, 700, 20_000, 300_000, 24 * 1024 * 1024]
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EXAMPLES = 200 if THOROUGH else 10

file_faults: st.SearchStrategy[Fault] = st.one_of(
    st.builds(faults.reset, at=st.sampled_from([0, 1, 350, 15_000, 5_000_000])),
    st.builds(faults.short, missing=st.sampled_from([1, 300, 10_000])),
    st.builds(faults.long, extra=st.sampled_from([1, 5_000]), framed=st.booleans()),
    st.builds(faults.wrong_length, by=st.sampled_from([-3, 3])),
    st.builds(faults.status, st.sampled_from([429, 500, 502, 503]), retry_after=st.sampled_from([None, "0"])),
    st.builds(faults.stall, at=st.sampled_from([0, 500, 100_000])),
    st.builds(faults.other_range, shift=st.sampled_from([1, 1000])),
    st.builds(faults.redirect, st.just("{target}&moved=1")),
    st.builds(protocol.chunked, cut=st.booleans(), garbage=st.booleans(), without_end=st.booleans()),
    st.builds(protocol.bare, st.sampled_from([204, 304])),
    st.sampled_from(
        [
            protocol.answer_after(),
            protocol.close_after(),
            protocol.close_at_reuse(),
            protocol.chunked_and_length(),
            protocol.error_page(),
            protocol.garbage_after(),
            protocol.informational(),
            protocol.other_total(),
            protocol.two_lengths(),
            protocol.unasked_range(),
            protocol.unsatisfiable(),
            protocol.weak_etag(),
        ]
    ),
    st.sampled_from(
        [faults.honest, faults.no_range(), faults.gzip(), faults.page(), faults.nonsense(), faults.expire()]
    ),
)
manifest_faults: st.SearchStrategy[ManifestFault] = st.one_of(
    st.builds(faults.manifest_cut, lines=st.integers(0, len(SIZES) - 1), inside=st.booleans()),
    st.builds(faults.manifest_without_end, lines=st.integers(0, len(SIZES))),
    st.builds(faults.manifest_status, st.sampled_from([429, 500, 503])),
    st.just(faults.manifest_reset()),
)
schedules = st.fixed_dictionaries(
    {f"{at}.rgb.png": st.lists(file_faults, max_size=3) for at in range(len(SIZES))}
)
kills = st.lists(st.floats(0.0, 0.8), max_size=2)


@pytest.fixture(scope="module")
def files() -> list[File]:
    """Files of every kind of size, the last one worth splitting."""
    return [File(f"{at}.rgb.png", made(size, at), render_id=at) for at, size in enumerate(SIZES)]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(schedule=schedules, manifest=st.lists(manifest_faults, max_size=2), instants=kills)
@pytest.mark.timeout(3600 if THOROUGH else 120)
def test_a_file_is_absent_unfinished_or_exact(
    files: list[File],
    schedule: dict[str, list[Callable[..., None]]],
    manifest: list[ManifestFault],
    instants: list[float],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="transfer-"))
    try:
        with FaultyServer(files) as server:
            server.faults = {name: list(faults_of) for name, faults_of in schedule.items()}
            server.manifest_faults = list(manifest)
            for instant in instants:
                child = start(server, folder)
                time.sleep(instant)
                kill(child)
                assert_exact(server, folder)
            outcome(start(server, folder))
            assert_exact(server, folder)

            server.faults.clear()
            server.manifest_faults.clear()
            assert outcome(start(server, folder))["exit_code"] == 0
            assert_complete(server, folder)
    finally:
        shutil.rmtree(folder)
