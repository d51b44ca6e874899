"""The documentation at `/docs`: pages made once, from the schema, the guides and the application's routes.

    GET /docs, /docs/queries, /docs/mutations, /docs/subscriptions, /docs/types, /docs/codes, /docs/http
    GET /docs/guides/{name}          the pages of `docs/`
    GET /docs/schema.graphql         the whole API as SDL
    GET /docs/openapi.json           the plain routes

Nothing on a page comes from another host. Whoever has a page asks with its ETag, and is answered 304.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from graphql import build_schema
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from routes.docs.clients import ADDRESS
from routes.docs.codes import codes
from routes.docs.guides import Guide, guide_names, inline
from routes.docs.openapi import asked, openapi
from routes.docs.reference import (
    Entry,
    default_of,
    entries_of,
    example_in,
    kinds_of,
    references,
    roots_of,
)
from routes.kept import Encoded
from routes.query_page import PLAIN
from schema.root import sorted_sdl

PAGES = Path(__file__).parent / "pages"
ICON = Path(__file__).parents[1] / "pages/icon.svg"
MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".graphql": "text/plain",
    "": "text/html",
}


class Documentation:
    """All pages of an application with this schema and these routes."""

    def __init__(self, sdl: str, described: Sequence[BaseRoute]) -> None:
        self._sdl = sdl
        self._schema = build_schema(sdl)
        self._openapi = openapi(self._schema, described)
        self._guides = [Guide(name) for name in guide_names()]
        self._templates = Environment(
            loader=FileSystemLoader(PAGES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"inline": inline, "default_of": default_of}
        self._templates.globals |= {
            "reference": references(self._schema),
            "roots": roots_of(self._schema),
            "guides": self._guides,
            "address": ADDRESS,
            "asked": asked,
        }

    def files(self) -> dict[str, bytes]:
        """What is shown, by the name under `/docs/`."""
        return {
            **{name: text.encode() for name, text in self._pages()},
            "docs.css": (PAGES / "docs.css").read_bytes(),
            "docs.js": (PAGES / "docs.js").read_bytes(),
            "icon.svg": ICON.read_bytes(),
            "search.json": orjson.dumps([entry._asdict() for entry in self._entries()]),
            "openapi.json": orjson.dumps(self._openapi, option=orjson.OPT_INDENT_2),
            "schema.graphql": self._sdl.encode(),
        }

    def _pages(self) -> Iterator[tuple[str, str]]:
        yield "", self._page("start", guide=Guide("api"))
        for root in roots_of(self._schema):
            examples = {
                name: example_in(self._schema, root, name, field) for name, field in root.type.fields.items()
            }
            yield root.title.lower(), self._page("root", root=root, examples=examples)
        yield (
            "types",
            self._page("types", kinds=kinds_of(self._schema), possible=self._schema.get_possible_types),
        )
        yield "codes", self._page("codes", codes=codes(self._schema))
        yield "http", self._page("http", openapi=self._openapi)
        for guide in self._guides:
            yield f"guides/{guide.name}", self._page("guide", guide=guide)

    def _page(self, template: str, **told: Any) -> str:
        return self._templates.get_template(f"{template}.html").render(told)

    def _entries(self) -> Iterator[Entry]:
        yield from entries_of(self._schema)
        for code in (code for kind in codes(self._schema) for code in kind):
            yield Entry(code.name, "code", f"/docs/codes#{code.place}", code.what_to_do.striptags())
        for path, item in self._openapi["paths"].items():
            for method, operation in item.items():
                name = f"{method.upper()} {path}"
                yield Entry(name, "route", f"/docs/http#{operation['operationId']}", operation["summary"])
        for guide in self._guides:
            yield Entry(guide.title, "guide", guide.address, "")
            for title, place in guide.headings:
                yield Entry(title, "guide", f"{guide.address}#{place}", guide.title)


class _Shown:
    """What is asked for, made with the first question."""

    def __init__(self, described: Sequence[BaseRoute]) -> None:
        self._described = described

    @cached_property
    def _files(self) -> dict[str, Encoded]:
        files = Documentation(sorted_sdl(), self._described).files()
        return {name: Encoded.of(body) for name, body in files.items()}

    def _file(self, name: str) -> Encoded | None:
        return self._files.get(name)

    async def show(self, request: Request) -> Response:
        """Answer with a page or a file, or with 304 to whom has it."""
        name = request.path_params.get("name", "")
        found = await run_in_threadpool(self._file, name)
        if found is None:
            raise HTTPException(404)
        headers = {
            "Cache-Control": "no-cache",  # ask each time: addresses stay the same after an upgrade
            "Content-Security-Policy": PLAIN.content_security_policy,
            "ETag": found.etag,
        }
        if found.is_had(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)


def docs_routes(described: Sequence[BaseRoute]) -> list[Route]:
    """Show the documentation of an application that has these routes."""
    shown = _Shown(described)
    return [Route("/docs", shown.show), Route("/docs/{name:path}", shown.show)]
