from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.errors import UsageError
from synthesis.humans import draw, spec
from synthesis.humans.resolve import resolve

seeds = st.integers(min_value=-(2**63), max_value=2**63)
angles = st.floats(min_value=-90, max_value=90)


@given(st.integers(1, 300), seeds)
def test_shuffled_is_a_permutation(count: int, seed: int) -> None:
    assert sorted(draw.shuffled(index, count, seed) for index in range(count)) == list(range(count))


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 100), min_size=1, max_size=20))
def test_apportion_is_exact_and_within_one_of_the_quota(total: int, weights: list[float]) -> None:
    shares = draw.apportion(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    assert all(
        abs(share - total * weight / whole) < 1 + 1e-6 for share, weight in zip(shares, weights, strict=True)
    )


@given(st.integers(1, 10**12), seeds)
def test_below_is_below(count: int, seed: int) -> None:
    assert 0 <= draw.below(count, seed) < count


@given(angles, angles, seeds)
def test_between_is_between(first: float, second: float, seed: int) -> None:
    low, high = sorted((first, second))
    assert low <= draw.between(low, high, seed) <= high


@st.composite
def percents(draw_: st.DrawFn) -> list[int]:
    cuts = sorted(draw_(st.sets(st.integers(1, 99), max_size=5)))
    return [high - low for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]


@st.composite
def specs(draw_: st.DrawFn) -> dict[str, Any]:
    groups = []
    for _ in range(draw_(st.integers(1, 3))):
        yaw = [
            {
                "yaw": {"type": "list", "values": draw_(st.lists(angles, min_size=1, max_size=3))},
                "percent": part,
            }
            for part in draw_(percents())
        ]
        gesture = [
            {
                "name": draw_(st.lists(st.sampled_from(["wave", "default", "run"]), min_size=1, max_size=3)),
                "keyframe_only": draw_(st.booleans()),
                "percent": part,
            }
            for part in draw_(percents())
        ]
        ids = draw_(st.lists(st.integers(1, 50_000), min_size=1, max_size=5))
        groups.append(
            {
                "identities": {"ids": ids, "renders_per_identity": draw_(st.integers(1, 8))},
                "facial_attributes": {"head_turn": yaw},
                "gesture": gesture,
            }
        )
    return {"humans": groups}


@settings(max_examples=40, deadline=None)
@given(specs(), seeds)
def test_scenes_keep_every_promise_of_the_spec(document: dict[str, Any], seed: int) -> None:
    job = spec.load(json.dumps(document).encode())
    scenes = [resolve(job, seed, render_id) for render_id in range(job.renders_total)]
    assert sum(len(scene.frames) for scene in scenes) == job.images_total
    start = 0
    for group in document["humans"]:
        repeats = group["identities"]["renders_per_identity"]
        expected = [number for number in group["identities"]["ids"] for _ in range(repeats)]
        mine = scenes[start : start + len(expected)]
        start += len(expected)
        assert [scene.identity.id for scene in mine] == expected
        shares = draw.apportion(
            len(mine), [entry["percent"] for entry in group["facial_attributes"]["head_turn"]]
        )
        turned = Counter(scene.facial.head_turn.yaw for scene in mine)
        allowed: Counter[float] = Counter()
        for share, entry in zip(shares, group["facial_attributes"]["head_turn"], strict=True):
            for value in {float(v) for v in entry["yaw"]["values"]}:
                allowed[value] += share
        assert all(allowed[value] >= count for value, count in turned.items())
    assert start == len(scenes)


KEYS = st.sampled_from(["humans", "identities", "ids", "gesture", "percent", "body"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_is_a_spec_or_a_usage_error(data: bytes) -> None:
    caught: UsageError | None = None
    try:
        spec.load(data)
    except UsageError as error:
        caught = error
    assert caught is None or caught.kind in {"invalid-json", "invalid-spec"}
    assert caught is None or "\n" not in caught.message
