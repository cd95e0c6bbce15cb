"""OpenAPI 3.1, made from the route table and the wire types: it cannot disagree with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from synthesis import __version__
from synthesis.schema.problem import MEDIA_TYPE as PROBLEM_TYPE
from synthesis.schema.problem import Problem
from synthesis.server.auth import ORG_HEADER
from synthesis.server.endpoint import Access, Endpoint, json_answer
from synthesis.server.settings import API

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from synthesis.server.endpoint import Call

_PATH_PART = re.compile(r"\{(\w+)\}")


def endpoint(routes: Sequence[Endpoint]) -> Endpoint:
    """The route that serves the description of `routes` and of itself."""

    def get_openapi(_call: Call) -> Response:
        """The description, built once."""
        return json_answer(body)

    own = Endpoint(
        method="GET",
        path="/openapi.json",
        run=get_openapi,
        about="This description",
        access=Access.OPEN,
        answer="application/json",
    )
    body = orjson.dumps(build((*routes, own)))
    return own


def build(routes: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document of a route table."""
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schemas)
        methods = paths.setdefault(route.path, {})
        methods[route.method.lower()] = operation
        if route.head:
            methods["head"] = {**operation, "operationId": f"head_{_name(route)}"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "synthesis", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": API}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "signature": {"type": "apiKey", "in": "query", "name": "sig"},
            },
        },
    }


def _schemas(routes: Sequence[Endpoint]) -> tuple[dict[Any, Any], dict[str, Any]]:
    used: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for route in routes:
        for wanted, mode in ((route.body, "validation"), (route.answer, "serialization")):
            if isinstance(wanted, type) and issubclass(wanted, BaseModel):
                used[(wanted, mode)] = None
    found, definitions = models_json_schema(list(used), ref_template="#/components/schemas/{model}")
    return {model: schema for (model, _), schema in found.items()}, definitions.get("$defs", {})


def _operation(route: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.about,
        "description": (route.run.__doc__ or "").strip(),
        "parameters": _parameters(route),
        "responses": {
            str(route.status): _content("success", route.answer, schemas),
            "default": {
                "description": "why it failed",
                "content": {PROBLEM_TYPE: {"schema": schemas[Problem]}},
            },
        },
        "security": _security(route.access),
    }
    if route.body is bytes:
        about = {"type": "object", "description": "the spec; kept byte for byte"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": about}}}
    elif route.body is not None:
        operation["requestBody"] = {"required": True, **_content(None, route.body, schemas)}
    return operation


def _parameters(route: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _PATH_PART.findall(route.path)
    ]
    found += [
        {"name": query.name, "in": "query", "description": query.about, "schema": dict(query.schema)}
        for query in route.query
    ]
    if route.access in (Access.ORG, Access.SIGNED):
        required = route.access is Access.ORG
        found.append({"name": ORG_HEADER, "in": "header", "required": required, "schema": text})
    if route.status == 201:
        found.append({"name": "Idempotency-Key", "in": "header", "schema": text})
    return found


def _content(description: str | None, wanted: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {} if description is None else {"description": description}
    if isinstance(wanted, str):
        told["content"] = {wanted: {}}
    elif wanted is not None:
        told["content"] = {"application/json": {"schema": schemas[wanted]}}
    return told


def _security(access: Access) -> list[dict[str, list[str]]]:
    if access is Access.OPEN:
        return []
    return [{"signature": []}, {"key": []}] if access is Access.SIGNED else [{"key": []}]


def _name(route: Endpoint) -> str:
    return str(route.run.__name__)
