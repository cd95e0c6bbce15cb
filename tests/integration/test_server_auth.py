"""Nobody sees an org's jobs and files without a key of a member or a fresh signature."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from synthesis.server import admin
from synthesis.server.app import ROUTES
from synthesis.server.endpoint import Access
from synthesis.server.folder import secret
from synthesis.server.settings import Settings
from synthesis.server.signing import Signer

if TYPE_CHECKING:
    from fakes.platform import Answer, Platform
    from synthesis.server.endpoint import Endpoint

NAME = "7.cam_default.f_1.rgb.png"
GUARDED = [route for route in ROUTES if route.access is not Access.OPEN]
OF_ORG = [route for route in ROUTES if route.access in (Access.ORG, Access.SIGNED)]


@dataclass(frozen=True)
class World:
    """Two orgs that know nothing of each other, each with a job; and their keys."""

    platform: Platform
    job: str
    other_key: str
    other_job: str


@pytest.fixture(scope="module")
def world(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("renders")
    (folder / NAME).write_bytes(b"picture")
    (folder / "7.cam_default.f_1.info.json").write_bytes(b"{}")
    admin.create_account(platform.data, "eve@example.com")
    admin.create_org(platform.data, "evil", "eve@example.com")
    return World(
        platform=platform,
        job=platform.import_folder(folder),
        other_key=admin.create_key(platform.data, "eve@example.com"),
        other_job=admin.import_folder(platform.data, folder, None, "evil").job.id,
    )


def path(route: Endpoint, job: str) -> str:
    """The route's path with this job and an existing file."""
    filled = route.path.replace("{job}", job).replace("{name}", NAME if "/files" in route.path else "acme")
    return filled.replace("{id}", job)


def ask(world: World, route: Endpoint, **options: str | None) -> Answer:
    body = b"{}" if route.body is not None else None
    return world.platform.ask(route.method, path(route, world.job), body=body, **options)  # type: ignore[arg-type]


def shown(route: Endpoint) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", GUARDED, ids=shown)
def test_no_key(world: World, route: Endpoint) -> None:
    answer = ask(world, route, key=None)
    assert (answer.status, answer.json()["kind"]) == (401, "no-key")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["x", "0" * 32, "é" * 32, "Basic Zm9v"])
@pytest.mark.parametrize("route", GUARDED, ids=shown)
def test_wrong_key(world: World, route: Endpoint, key: str) -> None:
    answer = ask(world, route, key=key)
    assert (answer.status, answer.json()["kind"]) == (401, "unauthorized")


def test_a_key_that_is_almost_right(world: World) -> None:
    for wrong in (world.platform.key[:-1], world.platform.key + "a", world.platform.key.swapcase()):
        assert world.platform.get("/me", key=wrong).status == 401


@pytest.mark.parametrize("route", OF_ORG, ids=shown)
def test_key_of_another_org(world: World, route: Endpoint) -> None:
    answer = ask(world, route, key=world.other_key)
    assert (answer.status, answer.json()["kind"]) == (403, "not-a-member")


@pytest.mark.parametrize("route", OF_ORG, ids=shown)
def test_an_org_that_does_not_exist_looks_like_a_foreign_one(world: World, route: Endpoint) -> None:
    absent = ask(world, route, key=world.other_key, org="absent").json()
    foreign = ask(world, route, key=world.other_key, org="acme").json()
    assert absent["kind"] == "not-a-member"
    assert absent["detail"].replace("absent", "acme") == foreign["detail"]


@pytest.mark.parametrize("route", OF_ORG, ids=shown)
def test_missing_org(world: World, route: Endpoint) -> None:
    answer = ask(world, route, org=None)
    assert (answer.status, answer.json()["kind"]) == (400, "no-org")


@pytest.mark.parametrize("route", [route for route in OF_ORG if "{" in route.path], ids=shown)
def test_a_job_of_another_org_is_not_there(world: World, route: Endpoint) -> None:
    body = b'{"name": "mine now"}' if route.body is not None else None
    foreign = world.platform.ask(
        route.method, path(route, world.job), body=body, key=world.other_key, org="evil"
    )
    missing = world.platform.ask(
        route.method, path(route, "no-such-job"), body=body, key=world.other_key, org="evil"
    )
    assert foreign.status == missing.status == 404
    assert foreign.json()["detail"].replace(world.job, "no-such-job") == missing.json()["detail"]


def test_lists_show_only_what_is_ones_own(world: World) -> None:
    theirs = world.platform.get("/jobs", key=world.other_key, org="evil").json()["items"]
    assert [job["id"] for job in theirs] == [world.other_job]
    assert [org["name"] for org in world.platform.get("/orgs", key=world.other_key).json()["items"]] == [
        "evil"
    ]
    assert world.platform.get("/orgs/acme", key=world.other_key).status == 403
    assert world.platform.get("/orgs/absent", key=world.other_key).status == 403
    assert world.platform.get("/orgs/acme/members", key=world.other_key).status == 403


def test_a_foreign_key_cannot_be_deleted(world: World) -> None:
    mine = world.platform.get("/me").json()["key"]["id"]
    assert world.platform.ask("DELETE", f"/apikeys/{mine}", key=world.other_key).status == 404
    assert world.platform.get("/me").status == 200


def test_only_owners_add_members(world: World) -> None:
    admin.create_account(world.platform.data, "bob@example.com")
    key = admin.create_key(world.platform.data, "bob@example.com")
    add = {"email": "bob@example.com", "role": "owner"}
    assert world.platform.ask("POST", "/orgs/acme/members", body=add, key=key).status == 403
    assert world.platform.ask("POST", "/orgs/acme/members", body={"email": "bob@example.com"}).status == 201
    assert world.platform.ask("POST", "/orgs/acme/members", body=add, key=key).status == 403
    assert world.platform.get("/orgs/acme", key=key).json()["role"] == "member"


def test_keys_are_shown_once_and_can_be_forgotten(world: World) -> None:
    made = world.platform.ask("POST", "/apikeys").json()
    assert len(made["key"]) >= 20
    assert made["key"].isalnum()
    assert made["key"].startswith(made["prefix"])
    listed = world.platform.get("/apikeys").body.decode()
    assert made["id"] in listed
    assert made["key"] not in listed
    assert made["key"].encode() not in (world.platform.data / "platform.db").read_bytes()
    assert world.platform.get("/me", key=made["key"]).status == 200
    assert world.platform.ask("DELETE", f"/apikeys/{made['id']}").status == 204
    assert world.platform.get("/me", key=made["key"]).status == 401


# Signatures


def signed(world: World, **changes: object) -> str:
    """A file's path with a signature of our own making; `changes` alter what is signed or shown."""
    values = {"org": "acme", "job": world.job, "flags": "rgb", "expires": int(time.time()) + 60} | changes
    signer = Signer(secret(Settings(data=world.platform.data)))
    signature = signer.sign(**{key: values[key] for key in ("org", "job", "flags", "expires")})  # type: ignore[arg-type]
    return f"/files/{world.job}/{NAME}?assets={values['flags']}&exp={values['expires']}&sig={signature}"


def bare(world: World, target: str) -> Answer:
    return world.platform.get(target, key=None, org=None)


def test_the_manifest_s_url_needs_no_key(world: World) -> None:
    url = world.platform.manifest(world.job, "?assets=rgb")[0]["url"]
    answer = bare(world, "/" + url.replace("{name}", NAME))
    assert (answer.status, answer.body) == (200, b"picture")


def test_a_signature_of_our_own_works(world: World) -> None:
    assert bare(world, signed(world)).status == 200
    assert bare(world, signed(world, flags="all")).status == 200
    assert bare(world, signed(world, flags="info,rgb")).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"org": "evil"},
        {"job": "another"},
        {"flags": "info"},
        {"flags": "rgb2"},
        {"flags": ""},
    ],
    ids=str,
)
def test_a_signature_for_something_else(world: World, changes: dict[str, object]) -> None:
    answer = bare(world, signed(world, **changes))
    assert (answer.status, answer.json()["kind"]) == (401, "unauthorized")


def test_forged_signatures(world: World) -> None:
    good = signed(world)
    target, signature = good.rsplit("=", 1)
    later = good.replace("&exp=", "&exp=9")
    wider = good.replace("assets=rgb", "assets=all")
    flipped = target + "=" + ("1" if signature[0] == "0" else "0") + signature[1:]
    for forged in (later, wider, flipped, f"{target}=", f"{target}=%C3%A9", good.replace("&exp=", "&exp=-")):
        answer = bare(world, forged)
        assert answer.status == 401, forged


def test_an_expired_signature_says_so(world: World) -> None:
    answer = bare(world, signed(world, expires=int(time.time()) - 1))
    assert (answer.status, answer.json()["kind"]) == (403, "url-expired")
    assert "manifest" in answer.json()["hint"]


def test_a_forged_expired_signature_is_forged(world: World) -> None:
    answer = bare(world, signed(world, expires=1)[:-1] + "x")
    assert answer.json()["kind"] == "unauthorized"


def test_a_signature_tells_nothing_about_what_exists(world: World) -> None:
    forged = bare(world, f"/files/{world.job}/{NAME}?assets=rgb&exp=9999999999&sig=00").json()
    absent = bare(world, f"/files/no-such-job/{NAME}?assets=rgb&exp=9999999999&sig=00").json()
    assert forged == absent


def test_a_file_that_is_not_there(world: World) -> None:
    assert bare(world, signed(world).replace("/7.", "/8.")).status == 404
    assert world.platform.get(f"/files/{world.job}/8.cam_default.f_1.rgb.png").status == 404
    assert world.platform.get(f"/files/{world.job}/{NAME}").status == 200


# Path tricks


TRICKS = [
    "../secret",
    "..%2fsecret",
    "..%2Fsecret",
    "%2e%2e%2fsecret",
    "..%5csecret",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "....//secret",
    "%00",
    "7.cam_default.f_1.rgb.png%00.exr",
    "7.cam_default.f_1.rgb.png%2f..%2f..%2fsecret",
    "7.cam_..%2f..%2f..%2fsecret.f_1.rgb.png",
    "7.cam_default.f_1.rgb.png/",
    "7.cam_default.f_1.rgb.png%20",
    "07.cam_default.f_1.rgb.png",
    "-1.cam_default.f_1.rgb.png",
    "-1.cam_.f_0.metadata.jsonl",
    "%D9%A7.cam_default.f_1.rgb.png",
    "..",
    ".",
    "",
]


@pytest.mark.parametrize("name", TRICKS)
def test_path_tricks_find_nothing(world: World, name: str) -> None:
    answer = world.platform.get(f"/files/{world.job}/{name}")
    assert answer.status == 404
    assert answer.json()["kind"] == "not-found"


@pytest.mark.parametrize("job", ["..", "%2e%2e", "..%2f..", "%2fetc", "%00", "*", "a'b"])
def test_path_tricks_in_the_job(world: World, job: str) -> None:
    for target in (f"/files/{job}/secret", f"/files/{job}/{NAME}", f"/jobs/{job}", f"/jobs/{job}/spec"):
        assert world.platform.get(target).status == 404


def test_a_file_on_disk_that_the_index_lacks_is_not_served(world: World) -> None:
    (world.platform.data / "files" / world.job / "9.cam_default.f_1.rgb.png").write_bytes(b"draft")
    assert world.platform.get(f"/files/{world.job}/9.cam_default.f_1.rgb.png").status == 404


def test_secrets_are_private_and_never_logged(world: World) -> None:
    url = world.platform.manifest(world.job)[0]["url"]
    bare(world, "/" + url.replace("{name}", NAME))
    logs = world.platform.logs()
    assert NAME in logs
    assert "sig=" not in logs
    assert world.platform.key not in logs


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_data_folder_is_for_its_owner(world: World) -> None:
    assert (world.platform.data / "secret").stat().st_mode & 0o777 == 0o600
    assert world.platform.data.stat().st_mode & 0o777 == 0o700
