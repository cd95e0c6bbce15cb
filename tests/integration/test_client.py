"""The SDK against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes.wire import Answer, Server
from synthesis import Client
from synthesis.client.jobs import PAGE
from synthesis.errors import (
    AccessError,
    FailedError,
    NotFoundError,
    SynthesisError,
    UnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.platform import Platform
    from fakes.wire import Exchange

SPEC = b'{"humans": [{"identities": {"ids": [80], "renders_per_identity": 3}}]}\n'


@pytest.fixture
def client(platform: Platform, tmp_path: Path) -> Client:
    return Client(
        server=platform.url, api_key=platform.key, org=platform.org, config=tmp_path / "config.json"
    )


def test_who_am_i(client: Client, platform: Platform) -> None:
    assert client.health().status == "ok"
    assert platform.org in [org.name for org in client.me().orgs]
    assert platform.org in [org.name for org in client.orgs.list()]
    assert client.orgs.get(platform.org).role == "owner"
    with pytest.raises(AccessError) as caught:
        client.orgs.get("nowhere")
    assert caught.value.kind == "not-a-member"


def test_a_job_from_birth_to_end(client: Client) -> None:
    made = client.jobs.create(SPEC, name="sdk", notify_emails=["a@example.com"])
    job = client.jobs.get(made.id)
    assert (job.name, job.status, job.renders_total, job.notify_emails) == (
        "sdk",
        "submitted",
        3,
        ("a@example.com",),
    )
    assert client.jobs.spec(made.id) == SPEC
    assert client.jobs.rename(made.id, "later").name == "later"
    assert client.jobs.assets(made.id).items == []
    assert client.jobs.cancel(made.id).status == "cancelled"
    seen: list[str] = []
    assert (
        client.jobs.watch(made.id, interval=0.01, progress=lambda now: seen.append(now.status)).id == made.id
    )
    assert seen == ["cancelled"]
    with pytest.raises(FailedError) as caught:
        client.jobs.cancel(made.id)
    assert caught.value.kind == "conflict"


def test_a_spec_may_be_what_json_was_read_from(client: Client) -> None:
    made = client.jobs.create(json.loads(SPEC))
    assert json.loads(client.jobs.spec(made.id)) == json.loads(SPEC)


def test_watch_outlasts_a_server_that_is_away_for_a_while(client: Client, tmp_path: Path) -> None:
    job = client.jobs.get(client.jobs.create(SPEC).id).model_dump(mode="json")
    states = iter(["rendering", *[None] * 4, "completed"])

    def answer(exchange: Exchange) -> None:
        if (status := next(states)) is None:
            exchange.reset()
        body = json.dumps({**job, "status": status}).encode()
        exchange.reply(Answer(200, {"Content-Type": "application/json"}, body))

    with Server(answer) as server:
        watcher = Client(server=server.url, api_key="key", org="acme", config=tmp_path / "config.json")
        assert watcher.jobs.watch(job["id"], interval=0.01).status == "completed"
    with pytest.raises(UnavailableError):  # one that never answered is told at once
        watcher.jobs.watch(job["id"], interval=0.01)


def test_lists_run_over_pages(client: Client) -> None:
    made = [client.jobs.create(SPEC, name=f"page {n}").id for n in range(PAGE + 5)]
    ids = [job.id for job in client.jobs.list()]
    assert ids[: len(made)] == made[::-1]
    assert len(ids) == len(set(ids))
    assert [job.id for job in client.jobs.list(limit=3)] == made[:-4:-1]
    assert list(client.jobs.list(limit=0)) == []


def test_identities(client: Client) -> None:
    assert len(client.identities.request({"count": 4}).data.ids) == 4
    with pytest.raises(UsageError) as caught:
        client.identities.request(b'{"count": 0}')
    assert caught.value.fields["errors"][0]["field"] == "count"


def test_a_wrong_spec_lists_its_faults(client: Client) -> None:
    with pytest.raises(UsageError) as caught:
        client.jobs.create({"humans": [{"identities": {"ids": [80]}}]})
    assert caught.value.kind == "invalid-spec"
    assert [fault["field"] for fault in caught.value.fields["errors"]] == ["humans.0.identities"]


def test_download_takes_ranges_as_text_or_pairs(client: Client, platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "renders"
    folder.mkdir()
    for render in range(4):
        (folder / f"{render}.cam_default.f_1.rgb.png").write_bytes(b"%d" % render)
    job = platform.import_folder(folder)
    for number, ranges in enumerate(("1-2", [(1, 2)])):
        summary = client.jobs.download(
            job, assets=["rgb"], directory=tmp_path / str(number), render_ids=ranges
        )
        assert (summary.files_new, summary.failed, summary.complete) == (2, 0, True)


def test_what_is_missing_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    nobody = Client(server="http://127.0.0.1:1", config=tmp_path / "config.json")
    with pytest.raises(AccessError) as access:
        nobody.me()
    assert access.value.kind == "no-key"
    keyed = Client(server="http://127.0.0.1:1", api_key="key", config=tmp_path / "config.json")
    with pytest.raises(UsageError) as usage:
        keyed.jobs.get("x")
    assert usage.value.kind == "no-org"
    with pytest.raises(UnavailableError):
        keyed.me()


def test_jobs_of_others_are_not_there(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.jobs.get("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    "wrong",
    [
        {"assets": []},
        {"assets": "rgb"},
        {"render_ids": [(5, 3)]},
        {"render_ids": [(-1, 2)]},
        {"render_ids": [(0, 2**70)]},
        {"concurrency": 0},
    ],
)
def test_a_download_that_makes_no_sense_is_refused_before_anything_is_sent(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    nobody = Client(server="http://127.0.0.1:1", api_key="key", org="acme", config=tmp_path / "config.json")
    with pytest.raises(UsageError):
        nobody.jobs.download("x", directory=tmp_path / "out", **{"assets": ["rgb"], **wrong})
    assert not (tmp_path / "out").exists()


def test_a_download_without_key_or_org_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    for have, missing in (({"org": "acme"}, "no-key"), ({"api_key": "key"}, "no-org")):
        nobody = Client(server="http://127.0.0.1:1", config=tmp_path / "config.json", **have)  # type: ignore[arg-type]
        for call in (nobody.jobs.download, nobody.jobs.renders):
            with pytest.raises(SynthesisError) as refused:
                call("x", assets=["rgb"], directory=tmp_path / "out")
            assert refused.value.kind == missing
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../jobs", "acme/members"])
def test_a_name_that_is_no_segment_of_a_path_is_not_there(client: Client, name: str) -> None:
    with pytest.raises(NotFoundError) as job:
        client.jobs.cancel(name)
    assert repr(name) in job.value.message
    with pytest.raises(NotFoundError):
        client.jobs.download(name, assets=["rgb"], directory="out")
    with pytest.raises(NotFoundError) as org:
        client.orgs.get(name)
    assert repr(name) in org.value.message


@pytest.mark.parametrize("key", ["one\ntwo", "clé", "a b", "\x7f"])
def test_a_key_that_can_be_none_is_told_without_showing_it(key: str, tmp_path: Path) -> None:
    client = Client(server="http://127.0.0.1:1", api_key=key, config=tmp_path / "config.json")
    with pytest.raises(AccessError) as caught:
        client.me()
    assert "API key" in caught.value.message
    assert key not in caught.value.message
    assert "apikey set" in str(caught.value.hint)


def test_the_key_is_not_in_repr(client: Client, platform: Platform) -> None:
    assert platform.key not in repr(client) + repr(client.config) + repr(client.transport)


def test_an_unknown_asset_is_told_at_the_call(client: Client, tmp_path: Path) -> None:
    job = client.jobs.create(SPEC, name="assets").id
    with pytest.raises(UsageError) as caught:
        client.jobs.renders(job, assets=["rgb", "nope"], directory=tmp_path)
    assert (caught.value.kind, "nope" in caught.value.message) == ("unknown-asset", True)
    with pytest.raises(UsageError):
        client.jobs.renders(job, assets="rgb", directory=tmp_path)  # type: ignore[arg-type]
    client.jobs.renders(job, assets=["all"], directory=tmp_path)
    client.jobs.cancel(job)
