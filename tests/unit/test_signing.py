"""Signatures of file URLs."""

from __future__ import annotations

import time

import pytest

from synthesis.errors import AccessError
from synthesis.server.signing import Signer

GOOD = {"org": "acme", "job": "j", "flags": "rgb,info"}


def soon() -> int:
    return int(time.time()) + 60


def test_a_signature_is_good_for_its_flags_only() -> None:
    signer, expires = Signer(b"s" * 32), soon()
    signature = signer.sign(**GOOD, expires=expires)
    assert len(signature) == 64
    for flag in ("rgb", "info", None):
        signer.check(signature, **GOOD, expires=str(expires), flag=flag)
    for flag in ("exr", "", "rgb,info", "all"):
        with pytest.raises(AccessError, match="not valid"):
            signer.check(signature, **GOOD, expires=str(expires), flag=flag)


def test_all_is_good_for_every_flag() -> None:
    signer, expires = Signer(b"s" * 32), soon()
    wide = GOOD | {"flags": "all"}
    signer.check(signer.sign(**wide, expires=expires), **wide, expires=str(expires), flag="exr")


@pytest.mark.parametrize(
    "change", [{"org": "acm"}, {"job": "k"}, {"flags": "rgb"}, {"org": "acmej", "job": ""}]
)
def test_no_part_can_be_changed_or_shifted(change: dict[str, str]) -> None:
    signer, expires = Signer(b"s" * 32), soon()
    signature = signer.sign(**GOOD, expires=expires)
    with pytest.raises(AccessError) as caught:
        signer.check(signature, **(GOOD | change), expires=str(expires), flag="rgb")
    assert caught.value.kind == "unauthorized"


def test_another_secret_signs_otherwise() -> None:
    assert Signer(b"a").sign(**GOOD, expires=1) != Signer(b"b").sign(**GOOD, expires=1)


@pytest.mark.parametrize("expires", ["", "x", "-1", "1e9", " 1", "9" * 13, "٣"])
def test_an_expiry_that_is_no_number(expires: str) -> None:
    with pytest.raises(AccessError, match="not valid"):
        Signer(b"a").check("00", **GOOD, expires=expires, flag="rgb")


def test_expired_is_its_own_kind() -> None:
    signer, expires = Signer(b"a"), int(time.time())
    with pytest.raises(AccessError) as caught:
        signer.check(signer.sign(**GOOD, expires=expires), **GOOD, expires=str(expires), flag="rgb")
    assert caught.value.kind == "url-expired"
