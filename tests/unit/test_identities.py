from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest

from synthesis.errors import UsageError
from synthesis.humans import catalogue, identities
from synthesis.humans.faults import SpecError


def people(result: dict[str, Any]) -> list[identities.Identity]:
    return [identities.identity(number) for number in result["data"]["ids"]]


def test_published_records_are_kept() -> None:
    person = identities.identity(24)
    assert (person.sex, person.age, person.ethnicity, person.skin_tone) == ("male", 32, "arab", 4.09547542)
    assert person.outfit == "khakis_dressshirt_vest_lightblue"
    assert identities.identity(303).hair_style == "long_wavy_02"


def test_the_table_does_not_drift() -> None:
    """Whoever changes it raises `identities.VERSION` and writes the new digest here."""
    table = "".join(map(repr, map(identities.identity, range(1, 500))))
    assert identities.VERSION == 1
    assert hashlib.sha256(table.encode()).hexdigest()[:16] == "e080632674f6ad8e"


def test_every_fact_is_a_name_of_its_catalogue() -> None:
    for number in range(1, 1500):
        person = identities.identity(number)
        assert 18 <= person.age <= 79
        assert 0.75 <= person.skin_tone <= 5.66
        assert 135 <= person.height_cm <= 205
        assert 35 <= person.weight_kg <= 165
        assert person.sex in identities.SEXES
        assert person.ethnicity in identities.ETHNICITIES
        for kind, name in (
            ("hair_styles", person.hair_style),
            ("hair_colors", person.hair_color),
            ("facial_hair_styles", person.facial_hair_style),
            ("eyebrow_styles", person.eyebrow_style),
            ("iris_colors", person.iris_color),
            ("outfits", person.outfit),
            ("heights", person.height_label),
            ("fat_contents", person.fat_content_label),
        ):
            known = catalogue.get(kind)
            assert name in known.names or name in known.special
        if person.hair_style != "none":
            facts = catalogue.get("hair_styles").facts[person.hair_style]
            assert person.sex in facts["sexes"]
            assert person.ethnicity in facts["ethnicities"]
        if person.sex == "female":
            assert person.facial_hair_style == "none"


def test_labels() -> None:
    assert [identities.height_label(cm) for cm in (120, 137, 138, 172, 188, 210)] == [
        "shortest", "shortest", "shorter", "median", "taller", "tallest",
    ]  # fmt: skip
    assert [identities.fat_content_label(bmi) for bmi in (17.0, 24.0, 24.5, 33.0, 45.0)] == [
        "lowest", "lower", "median", "higher", "highest",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [0, -1, identities.COUNT + 1])
def test_unknown_id(number: int) -> None:
    with pytest.raises(UsageError, match="there is no identity"):
        identities.identity(number)


def test_demographics_hold_everybody_once_and_agree_with_the_table() -> None:
    table = identities.demographics()
    assert sorted(n for cell in table.values() for n in cell) == list(range(1, identities.COUNT + 1))
    for cell, members in table.items():
        for number in members[:4]:
            person = identities.identity(number)
            assert (person.sex, person.ethnicity, identities.age_group(person.age)) == cell
    assert 24 in table["male", "arab", "25-34"]
    assert 303 in table["female", "white", "25-34"]


def test_a_count_alone_asks_for_everybody() -> None:
    result = identities.request({"count": 600})
    assert result["message"] == "requested: 600, returned: 600"
    assert result["status"] == "success"
    assert result["data"]["warnings"] == []
    assert len(set(result["data"]["ids"])) == 600
    cells = Counter((p.sex, p.ethnicity, identities.age_group(p.age)) for p in people(result))
    assert set(cells.values()) == {10}
    assert len(cells) == 60


def test_percent_groups() -> None:
    result = identities.request(
        {
            "count": 101,
            "prefer_full_count": False,
            "criteria": [
                {"sex": ["male"], "ethnicity": ["hisp", "black"], "age": ["0-24", "35-44"], "percent": 60},
                {"sex": ["female"], "ethnicity": ["indian"], "age": ["45-54", "55-"], "percent": 40},
            ],
        }
    )
    sexes = Counter(person.sex for person in people(result))
    assert sexes == {"male": 61, "female": 40}
    assert {p.ethnicity for p in people(result) if p.sex == "female"} == {"indian"}
    assert {identities.age_group(p.age) for p in people(result) if p.sex == "male"} == {"0-24", "35-44"}


def test_equal_requests_give_equal_ids_and_single_requests_vary() -> None:
    assert identities.request({"count": 30}) == identities.request({"count": 30})
    assert identities.request({"count": 1}) != identities.request({"count": 1, "prefer_full_count": False})


def test_shortage_is_filled_from_the_same_sex_and_ethnicity_then_the_same_sex() -> None:
    available = len(identities.demographics()["male", "arab", "55-"])
    same = sum(len(ids) for cell, ids in identities.demographics().items() if cell[:2] == ("male", "arab"))
    criteria = [{"sex": ["male"], "ethnicity": ["arab"], "age": ["55-"]}]
    result = identities.request({"count": same + 7, "criteria": criteria})
    assert len(set(result["data"]["ids"])) == same + 7
    chosen = Counter((p.sex, p.ethnicity) for p in people(result))
    assert chosen["male", "arab"] == same
    assert sum(chosen.values()) == same + 7
    assert {sex for sex, _ in chosen} == {"male"}
    (warning,) = result["data"]["warnings"]
    assert f"male, arab, 55-: {same + 7} requested, {available} available" in warning
    assert "added of the same sex and ethnicity: " in warning
    assert "added of the same sex: " in warning


def test_shortage_without_prefer_full_count_returns_less() -> None:
    available = len(identities.demographics()["male", "arab", "55-"])
    criteria = [{"sex": ["male"], "ethnicity": ["arab"], "age": ["55-"], "percent": 100}]
    result = identities.request({"count": available + 5, "prefer_full_count": False, "criteria": criteria})
    assert result["message"] == f"requested: {available + 5}, returned: {available}"
    assert len(result["data"]["warnings"]) == 1


def test_overlapping_groups_share_no_id() -> None:
    group = {"sex": ["female"], "ethnicity": ["white"], "age": ["0-24"], "percent": 50}
    result = identities.request({"count": 100, "criteria": [group, dict(group)]})
    assert len(set(result["data"]["ids"])) == 100


def test_every_fault_is_reported() -> None:
    with pytest.raises(SpecError) as caught:
        identities.request(
            {
                "count": "ten",
                "prefer_full_count": "yes",
                "criteria": [
                    {"sex": ["mael"], "age": [], "percent": 60},
                    {"ethnicity": "arab", "percent": 60},
                    5,
                ],
            }
        )
    assert caught.value.kind == "invalid-spec"
    faults = {(f["field"], f["message"]) for f in caught.value.fields["errors"]}
    assert ("count", "Invalid type. Expected: integer, given: string") in faults
    assert ("prefer_full_count", "Invalid type. Expected: boolean, given: string") in faults
    assert ("criteria", "the percents must sum to 100, they sum to 120") in faults
    assert ("criteria.0.age", "Must have at least 1 item") in faults
    assert ("criteria.1.ethnicity", "Invalid type. Expected: array, given: string") in faults
    assert ("criteria.2", "Invalid type. Expected: object, given: integer") in faults
    assert any(f == "criteria.0.sex.0" and "did you mean" in m for f, m in faults)


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({}, "(root): count is required"),
        ({"count": 0}, "count: Must be from 1 to 50000"),
        ({"count": True}, "count: Invalid type. Expected: integer, given: boolean"),
        ({"count": 5, "criteria": []}, "criteria: Must have at least 1 item"),
        ({"count": 5, "criteria": [{"percent": 0}]}, "criteria.0.percent: Must be greater than 0"),
        ({"count": 5, "criteria": [{}, {}]}, "criteria.0: percent is required"),
        ({"count": 5, "criteria": {}}, "criteria: Invalid type. Expected: array, given: object"),
    ],
)
def test_single_faults(criteria: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        identities.request(criteria)
    assert message in caught.value.message


def test_unknown_keys_warn() -> None:
    result = identities.request({"count": 1, "cuont": 2, "criteria": [{"sexes": ["male"]}]})
    assert result["data"]["warnings"] == [
        "cuont: unknown key, ignored",
        "criteria.0.sexes: unknown key, ignored",
    ]
