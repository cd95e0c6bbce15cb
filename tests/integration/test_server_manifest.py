"""The list of a job's files: order, filters, resuming, growth, compression."""

from __future__ import annotations

import hashlib
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import zstandard

from synthesis.schema.manifest import ManifestEnd, ManifestFile, ManifestHead
from synthesis.server import file_name
from synthesis.server.settings import Settings
from synthesis.server.store import files as file_store
from synthesis.server.store import jobs as job_store
from synthesis.server.store import orgs
from synthesis.server.store.engine import open_engine, write
from synthesis.server.store.files import IndexedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from fakes.platform import Platform

RENDERS, CAMERAS, FRAMES = 12, ("front", "zoom 2"), (1, 2, 10)
SUFFIXES = ("rgb.png", "info.json", "exr")


@dataclass(frozen=True)
class Listed:
    """An imported job and what its manifest must list, in order."""

    platform: Platform
    job: str
    names: tuple[str, ...]
    bytes: dict[str, bytes]

    def lines(self, query: str = "") -> tuple[dict[str, Any], list[str]]:
        """The first line and the names of a manifest."""
        head, *lines, end = self.platform.manifest(self.job, query)
        ManifestHead.model_validate(head)
        ManifestEnd.model_validate(end)
        return head, [ManifestFile.model_validate(line).n for line in lines]


@pytest.fixture(scope="module")
def listed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Listed:
    folder = tmp_path_factory.mktemp("renders")
    made = {"metadata.jsonl": b"{}\n"}
    for render_id in range(RENDERS):
        for camera in CAMERAS:
            for frame in FRAMES:
                for suffix in SUFFIXES:
                    made[f"{render_id}.cam_{camera}.f_{frame}.{suffix}"] = bytes(render_id + frame)
    for name, data in made.items():
        (folder / name).write_bytes(data)

    def key(name: str) -> Any:
        return file_name.parse(name)

    return Listed(platform, platform.import_folder(folder), tuple(sorted(made, key=key)), made)


def test_all(listed: Listed) -> None:
    head, names = listed.lines()
    assert tuple(names) == listed.names
    assert head["count"] == len(listed.names)
    assert head["bytes"] == sum(map(len, listed.bytes.values()))
    assert head["complete"] is True
    assert head["job"] == listed.job


def test_every_line_is_true(listed: Listed) -> None:
    for line in listed.platform.manifest(listed.job)[1:-1]:
        data = listed.bytes[line["n"]]
        assert line["b"] == len(data)
        assert line["h"] == hashlib.sha256(data).hexdigest()
        assert line["n"].endswith(
            {"rgb": "rgb.png", "info": "info.json", "exr": "exr"}.get(line["a"], "jsonl")
        )
        assert line["r"] == (None if line["a"] == "metadata" else int(line["n"].split(".")[0]))


def test_every_url_leads_to_its_bytes(listed: Listed) -> None:
    head, names = listed.lines("?render_ids=3")
    for name in names:
        url = head["url"].replace("{name}", quote(name, safe=""))
        answer = listed.platform.get("/" + url, key=None, org=None)
        assert (answer.status, answer.body) == (200, listed.bytes[name])


@pytest.mark.parametrize(
    ("query", "flags"),
    [
        ("rgb", {"rgb"}),
        ("rgb,exr", {"rgb", "exr"}),
        (" rgb , info ", {"rgb", "info"}),
        ("metadata", {"metadata"}),
        ("all", {"rgb", "exr", "info", "metadata"}),
        ("rgb,all", {"rgb", "exr", "info", "metadata"}),
        ("depth", set()),
    ],
)
def test_assets(listed: Listed, query: str, flags: set[str]) -> None:
    head, names = listed.lines(f"?assets={quote(query)}")
    parsed = ((name, file_name.parse(name)) for name in listed.names)
    assert names == [name for name, parts in parsed if parts is not None and parts.flag in flags]
    assert head["count"] == len(names)
    assert head["bytes"] == sum(len(listed.bytes[name]) for name in names)


@pytest.mark.parametrize("query", ["rgp", "rgb,,exr", "RGB", "rgb.png"])
def test_unknown_assets(listed: Listed, query: str) -> None:
    answer = listed.platform.get(f"/jobs/{listed.job}/manifest?assets={query}")
    assert (answer.status, answer.json()["kind"]) == (422, "unknown-asset")
    assert "rgb" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("0", {0}),
        ("0,3,5-7", {0, 3, 5, 6, 7}),
        ("5-7,6-9,0", {0, 5, 6, 7, 8, 9}),
        ("11", {11}),
        ("10-99", {10, 11}),
        ("99", set()),
        ("0-11", set(range(12))),
        ("0-999999999999", set(range(12))),
    ],
)
def test_render_ids(listed: Listed, query: str, ids: set[int]) -> None:
    head, names = listed.lines(f"?render_ids={query}")
    wanted = [name for name in listed.names if name == "metadata.jsonl" or int(name.split(".")[0]) in ids]
    assert names == wanted
    assert (head["count"], head["bytes"]) == (len(wanted), sum(len(listed.bytes[name]) for name in wanted))


@pytest.mark.parametrize("query", ["a", "5-3", "-1", "1,,2", "1-2-3"])
def test_render_ids_that_make_no_sense(listed: Listed, query: str) -> None:
    answer = listed.platform.get(f"/jobs/{listed.job}/manifest?render_ids={query}")
    assert (answer.status, answer.json()["kind"]) == (422, "invalid-range")


@pytest.mark.parametrize(
    "query", ["?", "?assets=rgb", "?render_ids=2-4,9", "?render_ids=0,11&assets=exr,metadata"]
)
def test_a_cut_manifest_is_resumed_anywhere(listed: Listed, query: str) -> None:
    head, names = listed.lines(query)
    for index, name in enumerate(names):
        resumed, rest = listed.lines(f"{query}&after={quote(name)}")
        assert rest == names[index + 1 :]
        assert (resumed["count"], resumed["bytes"]) == (head["count"], head["bytes"])


def test_after_a_name_that_is_not_listed(listed: Listed) -> None:
    _, names = listed.lines("?after=3.cam_zoom%202.f_99.rgb.png")
    assert names == [name for name in listed.names if name[0] != "m" and int(name.split(".")[0]) > 3]
    for name in ("nonsense", "../x", "3.rgb.png"):
        assert listed.platform.get(f"/jobs/{listed.job}/manifest?after={name}").status == 422


def test_since(listed: Listed) -> None:
    head, names = listed.lines("?since=0")
    assert tuple(names) == listed.names
    later, nothing = listed.lines(f"?since={head['generation']}")
    assert nothing == []
    assert (later["count"], later["bytes"], later["generation"]) == (0, 0, head["generation"])
    assert listed.platform.get(f"/jobs/{listed.job}/manifest?since=-1").status == 422


def test_zstd_when_asked_for(listed: Listed) -> None:
    path = f"/jobs/{listed.job}/manifest"
    plain = listed.platform.get(path, headers={"Accept-Encoding": "gzip, zstd;q=0"})
    assert "content-encoding" not in plain.headers
    small = listed.platform.get(path, headers={"Accept-Encoding": "gzip, zstd"})
    assert small.headers["content-encoding"] == "zstd"
    assert small.headers["content-type"].startswith("application/x-ndjson")
    assert small.headers["vary"] == "Accept-Encoding"
    text = zstandard.ZstdDecompressor().decompressobj().decompress(small.body)
    assert text.splitlines()[1:] == plain.body.splitlines()[1:]


# A job that grows


@dataclass(frozen=True)
class Growing:
    """A job whose files the test adds itself, on the database of the running server."""

    platform: Platform
    engine: Engine
    key: int
    job: str

    def add(self, *render_ids: int, frames: int = 1) -> int:
        """Index files without bytes; their generation."""
        arrived = [
            IndexedFile(file_name.FileName(render_id, "default", frame, "rgb"), 7, bytes(32))
            for render_id in render_ids
            for frame in range(1, frames + 1)
        ]
        with write(self.engine) as db:
            return file_store.add(db, self.key, arrived)

    def names(self, query: str = "") -> list[str]:
        return [line["n"].split(".")[0] for line in self.platform.manifest(self.job, query)[1:-1]]


@pytest.fixture
def growing(platform: Platform) -> Iterator[Growing]:
    engine = open_engine(Settings(data=platform.data).database)
    with write(engine) as db:
        org = orgs.key_of(db, platform.org)
        assert org is not None
        row = job_store.create(
            db,
            org=org,
            kind="import",
            name="growing",
            spec=None,
            renders_total=10**6,
            images_total=10**6,
            created_by=None,
            notify_emails=[],
        )
    yield Growing(platform, engine, row.key, row.id)
    engine.dispose()


def test_a_growing_job_lists_what_is_new(growing: Growing) -> None:
    first = growing.add(5, 6)
    second = growing.add(1)
    third = growing.add(9, 2)
    assert first < second < third
    assert growing.names() == ["1", "2", "5", "6", "9"]
    assert growing.names(f"?since={first}") == ["1", "2", "9"]
    assert growing.names(f"?since={second}&render_ids=0-5") == ["2"]
    assert growing.names(f"?since={third}") == []
    head = growing.platform.manifest(growing.job, f"?since={first}")[0]
    assert (head["count"], head["bytes"], head["generation"]) == (3, 21, third)
    assert head["complete"] is False


def test_files_that_arrive_while_it_is_read_are_for_next_time(growing: Growing) -> None:
    many = growing.add(*range(0, 60_000, 2))
    parts = urlsplit(growing.platform.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    head = {"Authorization": f"Bearer {growing.platform.key}", "X-Synthesis-Org": growing.platform.org}
    connection.request("GET", f"/api/v1/jobs/{growing.job}/manifest", headers=head)
    answer = connection.getresponse()
    first = json.loads(answer.readline())
    growing.add(*range(1, 60_000, 1000))
    names = [json.loads(line) for line in answer.readlines()][:-1]
    connection.close()
    assert first["generation"] == many
    assert first["count"] == len(names) == 30_000
    assert len(growing.names(f"?since={many}")) == 60


def test_readers_that_leave_hold_nothing(growing: Growing) -> None:
    """The platform answers on after many manifests were dropped in the middle, and can still write."""
    growing.add(*range(20_000))
    parts = urlsplit(growing.platform.url)
    head = {"Authorization": f"Bearer {growing.platform.key}", "X-Synthesis-Org": growing.platform.org}
    for _ in range(60):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        connection.request("GET", f"/api/v1/jobs/{growing.job}/manifest", headers=head)
        connection.getresponse().read(100)
        connection.close()
    assert len(growing.names()) == 20_000
    assert growing.add(30_000) > 0
