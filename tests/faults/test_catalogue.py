"""Every fault of the catalogue: right files and exit 0, or an honest exit with nothing wrong left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from fakes.catalogue import CASES, Case, files, verdict
from fakes.faulty import FaultyServer
from fakes.fetch import assert_complete, assert_exact, fetch, final_names, outcome_of

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 15.0  # seconds; the limits of the tests are below one, so a run that takes longer hangs


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_fault_ends_well_or_honestly(case: Case, tmp_path: Path) -> None:
    with FaultyServer(files(case.count)) as server:
        case.prepare(server)
        hit = set(server.faults)
        begin = time.monotonic()
        code = outcome_of(server, tmp_path)
        assert time.monotonic() - begin < LONGEST
        assert_exact(server, tmp_path)
        assert verdict(case, {file.name: file.sha256 for file in server.lines}, tmp_path, code) == "ok"
        if case.right:
            assert_complete(server, tmp_path)
            return
        if case.others:
            assert {file.name for file in server.lines} - set(final_names(tmp_path)) <= hit

        # Nothing of it outlives the fault.
        server.faults.clear()
        server.content = {file.name: file for file in server.lines}
        assert fetch(server, tmp_path).failures == ()
        assert_complete(server, tmp_path)
