"""OpenAPI for the plain routes of an application: what `openapi.json` says of those that it really has."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from starlette.routing import BaseRoute, Route

from routes.docs.clients import ADDRESS

WRITTEN = Path(__file__).parent / "pages/openapi.json"
PROVIDER = re.compile(r"^/oidc/([^/]+)/(login|callback)$")
LEAVES = {"Int": "integer", "Float": "number", "Boolean": "boolean"}


def openapi(schema: GraphQLSchema, routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """Describe these routes; what is not written of is left out, and so is what is not there."""
    told: dict[str, Any] = orjson.loads(WRITTEN.read_bytes())
    told["info"]["version"] = version("rowlock")
    paths = [route.path for route in routes if isinstance(route, Route)]
    there = {described_as(path) for path in paths}
    told["paths"] = {path: item for path, item in told["paths"].items() if path in there}
    providers = sorted({found[1] for path in paths if (found := PROVIDER.match(path))})
    if providers:
        told["components"]["schemas"]["Provider"]["enum"] = providers
    plan = schema.type_map["SeatPlan"]
    assert isinstance(plan, GraphQLObjectType)
    told["components"]["schemas"] |= _schemas(plan)
    return told


def described_as(path: str) -> str:
    """The path that a route is described under: one for all providers."""
    return PROVIDER.sub(r"/oidc/{provider}/\2", path)


def asked(path: str, operation: dict[str, Any]) -> str:
    """How a shell asks for it; `…` stands for what is the reader's own."""
    address = ADDRESS + re.sub(r"\{\w+\}", "…", path)
    form = "-u '…:…' -d grant_type=client_credentials " if "requestBody" in operation else ""
    return f"curl -i {form}{address}"


def _schemas(type: GraphQLObjectType) -> dict[str, Any]:
    """A type of the API as JSON Schema, with all the types that it is made of."""
    made: dict[str, Any] = {
        type.name: {
            "type": "object",
            "description": type.description,
            "properties": {
                name: _schema(field.type) | {"description": field.description}
                for name, field in type.fields.items()
            },
            "required": list(type.fields),
        }
    }
    for field in type.fields.values():
        named = get_named_type(field.type)
        if isinstance(named, GraphQLObjectType):
            made |= _schemas(named)
    return made


def _schema(type: GraphQLOutputType) -> dict[str, Any]:
    if not is_non_null_type(type):
        return {"anyOf": [_exactly(type), {"type": "null"}]}
    return _exactly(type.of_type)


def _exactly(type: GraphQLOutputType) -> dict[str, Any]:
    if is_list_type(type):
        return {"type": "array", "items": _schema(type.of_type)}
    if isinstance(type, GraphQLObjectType):
        return {"$ref": f"#/components/schemas/{type.name}"}
    return {"type": LEAVES.get(get_named_type(type).name, "string")}
