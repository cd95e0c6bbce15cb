"""Fixtures of the tests with real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A running platform without workers, shared by all tests: make an org or a job of your own in it."""
    shared = Platform(tmp_path_factory.mktemp("platform") / "data")
    try:
        yield shared.start()
    finally:
        shared.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    """Start platforms with data folders of their own; they end with the test."""
    started: list[Platform] = []

    def start_one(**options: object) -> Platform:
        one = Platform(tmp_path / f"data-{len(started)}", **options)  # type: ignore[arg-type]
        started.append(one)
        return one.start()

    yield start_one
    for one in started:
        one.close()
