"""Kinds are one list on both sides of the binding, and errors survive a trip between processes."""

from __future__ import annotations

import pickle
import re

import pytest

from synthesis import _core
from synthesis.errors import KINDS, SynthesisError, from_kind


def test_python_knows_every_kind_of_the_core() -> None:
    assert set(_core.error_kinds()) <= set(KINDS)
    assert _core.error_kinds() == sorted(set(_core.error_kinds()))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kinds_are_stable_codes(kind: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind)
    error = from_kind(kind, "it failed", "do this", {"status": 500})
    assert type(error) is KINDS[kind]
    assert error.kind == kind
    assert error.exit_code in {1, 2, 3, 4, 5, 6, 7, 130, 143}


def test_an_unknown_kind_is_still_an_error_of_ours() -> None:
    assert type(from_kind("of-tomorrow", "it failed")) is SynthesisError


def test_errors_can_be_pickled() -> None:
    error = from_kind("disk-full", "no room", "make some", {"path": "a"})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.message, again.kind, again.hint, again.fields) == (
        "no room",
        "disk-full",
        "make some",
        {"path": "a"},
    )


def test_every_class_has_a_default_kind_of_its_own() -> None:
    classes = set(KINDS.values())
    assert all(KINDS[cls.default_kind] is cls for cls in classes)
