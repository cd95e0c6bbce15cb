"""Jobs over HTTP: created, listed, renamed, cancelled; without any worker."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from synthesis.schema.identities import IdentityResults
from synthesis.schema.job import Job, JobCreated, JobValidation
from synthesis.server import admin

if TYPE_CHECKING:
    from fakes.platform import Platform

SPEC = b'{ "humans" : [ {"identities": {"ids": [24, 303],\n  "renders_per_identity": 2}} ]}\n\n'


@pytest.fixture(scope="module")
def own(platform: Platform) -> str:
    """An org with no job of other tests in it."""
    admin.create_org(platform.data, "jobs-only", "ada@example.com")
    return "jobs-only"


def create(platform: Platform, query: str = "", **options: Any) -> Any:
    answer = platform.ask("POST", f"/humans/jobs{query}", body=SPEC, **options)
    assert answer.status == 201, answer.body
    return answer.json()


def test_create(platform: Platform) -> None:
    made = JobCreated.model_validate(create(platform))
    assert (made.status, made.renders_total, made.images_total) == ("submitted", 4, 4)
    job = Job.model_validate(platform.job(made.id))
    assert (job.org, job.created_by) == ("acme", "ada@example.com")
    assert (job.renders_created, job.renders_failed, job.finished_at) == (0, 0, None)
    assert job.name == made.name
    assert platform.manifest(made.id)[0]["complete"] is False
    assert platform.get(f"/jobs/{made.id}/assets").json() == {"items": [], "total": {"count": 0, "bytes": 0}}


def test_the_spec_comes_back_byte_for_byte(platform: Platform) -> None:
    answer = platform.get(f"/jobs/{create(platform)['id']}/spec")
    assert answer.body == SPEC
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"].startswith('"')


def test_name_and_addresses(platform: Platform) -> None:
    job = platform.job(create(platform, "?name=my%20job%20%C3%A9&notify_emails=a@x.org,%20b@x.org,")["id"])
    assert job["name"] == "my job é"
    assert job["notify_emails"] == ["a@x.org", "b@x.org"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("name=" + "x" * 201, "name"),
        ("name=a%0Ab", "name"),
        ("name=%20", "name"),
        ("notify_emails=nobody", "notify_emails"),
        ("notify_emails=a@x.org;b@x.org", "notify_emails"),
        ("notify_emails=" + ",".join(f"a{i}@x.org" for i in range(51)), "notify_emails"),
    ],
)
def test_names_and_addresses_that_are_none(platform: Platform, query: str, field: str) -> None:
    answer = platform.ask("POST", f"/humans/jobs?{query}", body=SPEC)
    assert answer.status == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_spec_with_faults_makes_nothing_and_lists_them_all(platform: Platform, own: str) -> None:
    spec = {"humans": [{"identities": {"renders_per_identity": 1}}, {"identities": {"ids": "x"}}]}
    for path in ("/humans/jobs", "/humans/jobs:validate"):
        answer = platform.ask("POST", path, body=spec, org=own)
        assert (answer.status, answer.json()["kind"]) == (422, "invalid-spec")
        fields = [fault["field"] for fault in answer.json()["errors"]]
        assert any(field.startswith("humans.0.identities") for field in fields)
        assert any(field.startswith("humans.1.identities") for field in fields)
    assert platform.get("/jobs", org=own).json()["items"] == []


def test_validate_creates_nothing(platform: Platform, own: str) -> None:
    spec = json.loads(SPEC) | {"odd": 1}
    answer = platform.ask("POST", "/humans/jobs:validate", body=spec, org=own)
    found = JobValidation.model_validate(answer.json())
    assert (answer.status, found.renders_total, found.images_total) == (200, 4, 4)
    assert any("odd" in warning for warning in found.warnings)
    assert platform.get("/jobs", org=own).json()["items"] == []


def test_a_million_renders_cost_one_row(platform: Platform) -> None:
    spec = {"humans": [{"identities": {"ids": list(range(1, 1001)), "renders_per_identity": 1000}}]}
    answer = platform.ask("POST", "/humans/jobs", body=spec)
    assert answer.json()["renders_total"] == 1_000_000
    with contextlib.closing(sqlite3.connect(platform.data / "platform.db")) as db:
        assert db.execute("SELECT count(*) FROM renders").fetchone() == (0,)


def test_list_in_pages_newest_first(platform: Platform) -> None:
    admin.create_org(platform.data, "pages", "ada@example.com")
    made = [create(platform, f"?name=job-{index}", org="pages")["id"] for index in range(7)]
    seen: list[str] = []
    query = "?limit=3"
    for expected in (3, 3, 1):
        page = platform.get(f"/jobs{query}", org="pages").json()
        assert len(page["items"]) == expected
        seen += [job["id"] for job in page["items"]]
        query = f"?limit=3&cursor={page['next']}"
    assert page["next"] is None
    assert seen == made[::-1]
    platform.ask("POST", f"/jobs/{made[2]}/cancel", org="pages")
    found = platform.get("/jobs?status=cancelled", org="pages").json()["items"]
    assert [job["id"] for job in found] == [made[2]]


def test_rename(platform: Platform) -> None:
    job = create(platform)["id"]
    answer = platform.ask("PATCH", f"/jobs/{job}", body={"name": "better"})
    assert (answer.status, answer.json()["name"]) == (200, "better")
    assert platform.job(job)["name"] == "better"
    for name in ("", " ", "x" * 201, "a\nb", 3, None):
        assert platform.ask("PATCH", f"/jobs/{job}", body={"name": name}).status == 422
    assert platform.job(job)["name"] == "better"


def test_cancel_once(platform: Platform) -> None:
    job = create(platform)["id"]
    answer = platform.ask("POST", f"/jobs/{job}/cancel")
    assert (answer.status, answer.json()["status"]) == (202, "cancelled")
    assert answer.json()["finished_at"] is not None
    again = platform.ask("POST", f"/jobs/{job}/cancel")
    assert (again.status, again.json()["kind"]) == (409, "conflict")


def test_the_same_create_twice_is_one_job(platform: Platform) -> None:
    head = {"Idempotency-Key": "one-of-its-kind"}
    first = platform.ask("POST", "/humans/jobs?name=once", body=SPEC, headers=head)
    second = platform.ask("POST", "/humans/jobs?name=once", body=SPEC, headers=head)
    assert first.status == second.status == 201
    assert first.body == second.body
    assert second.headers["idempotent-replayed"] == "true"
    other = platform.ask("POST", "/humans/jobs?name=other", body=SPEC, headers=head)
    assert (other.status, other.json()["kind"]) == (409, "conflict")
    jobs = platform.get("/jobs?limit=500").json()["items"]
    assert sum(job["name"] == "once" for job in jobs) == 1


def test_a_repeated_create_of_an_org_and_of_a_key(platform: Platform) -> None:
    head = {"Idempotency-Key": "an-org"}
    answers = [platform.ask("POST", "/orgs", body={"name": "once-only"}, headers=head) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    head = {"Idempotency-Key": "a-key"}
    made, again = (platform.ask("POST", "/apikeys", headers=head) for _ in range(2))
    assert (made.status, again.status) == (201, 409)
    assert made.json()["id"] in again.json()["detail"]
    assert (
        platform.ask("POST", "/orgs", body={"name": "x"}, headers={"Idempotency-Key": "x" * 256}).status
        == 422
    )


def test_a_failed_create_is_not_remembered(platform: Platform) -> None:
    head = {"Idempotency-Key": "retried"}
    assert platform.ask("POST", "/orgs", body={"name": "acme"}, headers=head).status == 409
    assert platform.ask("POST", "/orgs", body={"name": "acme-2"}, headers=head).status == 201


def test_identities(platform: Platform) -> None:
    answer = platform.ask("POST", "/humans/identities", body={"count": 5})
    results = IdentityResults.model_validate(answer.json())
    assert (results.status, len(results.data.ids)) == ("success", 5)
    assert results.message == "requested: 5, returned: 5"
    wrong = platform.ask("POST", "/humans/identities", body={"count": -1})
    assert (wrong.status, wrong.json()["kind"]) == (422, "invalid-spec")


def test_orgs_and_me(platform: Platform) -> None:
    assert platform.get("/orgs/acme").json()["role"] == "owner"
    me = platform.get("/me").json()
    assert me["email"] == "ada@example.com"
    assert "acme" in [org["name"] for org in me["orgs"]]
    assert {"email": "ada@example.com", "role": "owner"} in platform.get("/orgs/acme/members").json()["items"]
