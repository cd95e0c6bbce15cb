"""The application: the table of all routes, and how it becomes ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from synthesis import viewer
from synthesis.schema.account import Me
from synthesis.schema.apikey import ApiKey, NewApiKey
from synthesis.schema.asset import AssetList
from synthesis.schema.health import Health
from synthesis.schema.identities import IdentityRequest, IdentityResults
from synthesis.schema.job import Job, JobCreated, JobRename, JobValidation
from synthesis.schema.manifest import MEDIA_TYPE as NDJSON
from synthesis.schema.org import Member, MemberAdd, Org, OrgCreate
from synthesis.schema.wire import Page
from synthesis.server import openapi, problem
from synthesis.server.dispatch import Envelope, Resource
from synthesis.server.endpoint import Access, Endpoint, Platform
from synthesis.server.folder import prepare, secret
from synthesis.server.routes import apikeys, files, health, humans, jobs, manifest, me, orgs
from synthesis.server.settings import API, Settings
from synthesis.server.signing import Signer
from synthesis.server.status_page import PAGE
from synthesis.server.store.engine import open_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from starlette.requests import Request

KEY, OPEN, ORG, SIGNED = Access.KEY, Access.OPEN, Access.ORG, Access.SIGNED


def _route(method: str, path: str, run: Any, about: str, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, run=run, about=about, **more)


# fmt: off
ROUTES: tuple[Endpoint, ...] = (
    _route("GET", "/health", health.get_health, "Is the platform up", access=OPEN, answer=Health),
    _route("GET", "/me", me.get_me, "Who is calling", access=KEY, answer=Me),
    _route("GET", "/apikeys", apikeys.list_keys, "The account's keys", access=KEY, answer=Page[ApiKey]),
    _route("POST", "/apikeys", apikeys.create_key, "Make a key", access=KEY, answer=NewApiKey, status=201),
    _route("DELETE", "/apikeys/{id}", apikeys.delete_key, "Forget a key", access=KEY, status=204),
    _route("GET", "/orgs", orgs.list_orgs, "The account's orgs", access=KEY, answer=Page[Org]),
    _route("POST", "/orgs", orgs.create_org, "Make an org",
           access=KEY, body=OrgCreate, answer=Org, status=201),
    _route("GET", "/orgs/{name}", orgs.get_org, "One org", access=KEY, answer=Org),
    _route("GET", "/orgs/{name}/members", orgs.list_members, "Members of an org",
           access=KEY, answer=Page[Member]),
    _route("POST", "/orgs/{name}/members", orgs.add_member, "Add a member",
           access=KEY, body=MemberAdd, answer=Member, status=201),
    _route("POST", "/humans/identities", humans.request_identities, "Ask for ids of people",
           body=IdentityRequest, answer=IdentityResults),
    _route("POST", "/humans/jobs", humans.create_job, "Create a job from a spec",
           body=bytes, answer=JobCreated, status=201, query=humans.CREATE_QUERY),
    _route("POST", "/humans/jobs:validate", humans.validate_job, "Check a spec",
           body=bytes, answer=JobValidation),
    _route("GET", "/jobs", jobs.list_jobs, "The org's jobs, newest first",
           answer=Page[Job], query=jobs.LIST_QUERY),
    _route("GET", "/jobs/{id}", jobs.get_job, "One job", answer=Job),
    _route("PATCH", "/jobs/{id}", jobs.rename_job, "Rename a job", body=JobRename, answer=Job),
    _route("POST", "/jobs/{id}/cancel", jobs.cancel_job, "Cancel a job", answer=Job, status=202),
    _route("GET", "/jobs/{id}/spec", jobs.get_spec, "The submitted spec, byte for byte",
           answer="application/json"),
    _route("GET", "/jobs/{id}/assets", jobs.list_assets, "Assets, files and bytes of a job",
           answer=AssetList),
    _route("GET", "/jobs/{id}/manifest", manifest.get_manifest, "List the job's files",
           answer=NDJSON, query=manifest.QUERY),
    _route("GET", "/files/{job}/{name}", files.get_file, "One file", access=SIGNED,
           answer="application/octet-stream", query=files.QUERY, head=True),
)
# fmt: on


def create_app(settings: Settings, engine: Engine | None = None) -> Starlette:
    """The ASGI application of a data folder, which is created when missing."""
    prepare(settings)
    platform = Platform(
        settings=settings,
        engine=engine or open_engine(settings.database),
        signer=Signer(secret(settings)),
    )
    app = Starlette(
        routes=_routes(platform),
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    return app


def _routes(platform: Platform) -> list[BaseRoute]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in (*ROUTES, openapi.endpoint(ROUTES)):
        methods = by_path.setdefault(endpoint.path, {})
        methods[endpoint.method] = endpoint
        if endpoint.head:
            methods["HEAD"] = endpoint
    routes: list[BaseRoute] = [
        Route(API + path, Resource(platform, methods)) for path, methods in by_path.items()
    ]
    built = viewer.find()
    if built is None:
        return [*routes, Route("/", _status_page)]
    return [*routes, Mount("/", StaticFiles(directory=built, html=True))]


async def _status_page(_request: Request) -> Response:
    return HTMLResponse(
        PAGE, headers={"Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'"}
    )


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        error.detail = f"there is nothing at {request.url.path[:200]}"
        return problem.of_http(error, hint=f"calls begin with {API}; a server's address ends before it")
    return problem.of_http(error)
