"""Fixtures that several rooms share. Keep it short: what one folder needs goes into its own conftest."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PRIVATE = ("SYNTHESIS_SERVER", "SYNTHESIS_API_KEY", "SYNTHESIS_ORG", "SYNTHESIS_CONFIG")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> Iterator[None]:
    """No proxy, key or config of the person who runs the tests reaches them or their children."""
    names = [name for name in os.environ if name in PRIVATE or name.lower() in PROXIES]
    saved = {name: os.environ.pop(name) for name in names}
    yield
    os.environ.update(saved)


@pytest.fixture(autouse=True, scope="session")
def hear_control_c() -> None:
    """A script's shell starts `pytest &` deaf to SIGINT, and the programs under test would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real sample files beside the checkout; skips where there is none."""
    folder = ROOT.parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("no sample files beside the checkout")
    return folder
