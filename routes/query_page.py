"""What a browser sees at the GraphQL address: GraphiQL when it is installed, else a plain page of our own."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

PAGES = Path(__file__).parent / "pages"
PACKAGES = PAGES / "node_modules"

OWN_FILES = ("icon.svg", "graphiql.css", "graphiql.js", "plain.css", "plain.js")
PACKAGED_FILES = (
    "graphiql/graphiql.min.css",
    "graphiql/graphiql.min.js",
    "react/umd/react.production.min.js",
    "react-dom/umd/react-dom.production.min.js",
)


@dataclass(frozen=True)
class Page:
    """A page of `routes/pages`, and what its styles may be."""

    file: str
    style_sources: str

    @property
    def content_security_policy(self) -> str:
        return (
            f"default-src 'none'; script-src 'self'; style-src {self.style_sources}; "
            "connect-src 'self'; img-src 'self' data:; font-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


PLAIN = Page("plain.html", style_sources="'self'")
# GraphiQL's dialogs write a style element into the page to hold the page behind them still.
GRAPHIQL = Page("graphiql.html", style_sources="'self' 'unsafe-inline'")


async def query_page(request: Request, packages: Path = PACKAGES) -> Response:
    """Answer with GraphiQL if all its files lie in `packages` at this moment, else with the plain page."""
    return await run_in_threadpool(_query_page, request.url.path, packages)


def _query_page(path: str, packages: Path) -> Response:
    installed = all((packages / file).is_file() for file in PACKAGED_FILES)
    page = GRAPHIQL if installed else PLAIN
    html = Template((PAGES / page.file).read_text(encoding="utf-8")).substitute(
        assets=escape(f"{path.rstrip('/')}/assets"),
        example=escape((PAGES / "example.graphql").read_text(encoding="utf-8")),
    )
    headers = {
        "Content-Security-Policy": page.content_security_policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


def query_page_routes(path: str = "/graphql", packages: Path = PACKAGES) -> list[Route]:
    """Serve the named files of both pages under `path`/assets, and nothing else of their folders."""
    own = StaticFiles(directory=PAGES)
    packaged = StaticFiles(directory=packages, check_dir=False)
    assets = {file: (own, file) for file in OWN_FILES}
    assets |= {Path(file).name: (packaged, file) for file in PACKAGED_FILES}

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets:
            raise HTTPException(404)
        folder, file = assets[name]
        response = await folder.get_response(file, request.scope)
        response.headers["Cache-Control"] = "no-cache"  # ask each time: names stay the same after an upgrade
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return [Route(f"{path}/assets/{{name}}", asset, methods=["GET"])]
