"""The same operation as one writes it for curl, Apollo, urql, Relay and Python."""

import json
import re
import textwrap
from collections.abc import Callable

from routes.docs.examples import Example

ADDRESS = "http://127.0.0.1:8000"
GRAPHQL = f"{ADDRESS}/graphql"


def curl(example: Example) -> str:
    """Send it from a shell; a subscription as Server-Sent Events."""
    query = " ".join(example.document.split())
    body = {"query": query} | ({"variables": example.variables} if example.variables else {})
    is_stream = example.kind == "subscription"
    return "\n".join(
        [
            f"curl {'-sN' if is_stream else '-s'} {GRAPHQL} \\",
            "  -H 'Content-Type: application/json' \\",
            *(["  -H 'Accept: text/event-stream' \\"] if is_stream else []),
            '  -H "Authorization: Bearer $TOKEN" \\',
            "  --data-binary @- <<'JSON'",
            json.dumps(body, indent=2, ensure_ascii=False),
            "JSON",
        ]
    )


def apollo(example: Example) -> str:
    """Ask Apollo Client."""
    what = "mutation" if example.kind == "mutation" else "query"
    given = f"{{ {what}: {example.name}{_variables(example)} }}"
    asked = {
        "query": f"const {{ data, error }} = await client.query({given});",
        "mutation": f"const {{ data, error }} = await client.mutate({given});",
        "subscription": f"client.subscribe({given}).subscribe({{ next: console.log }});",
    }[example.kind]
    return _script('import { gql } from "@apollo/client";', _constant(example, "gql"), asked)


def urql(example: Example) -> str:
    """Ask urql."""
    variables = example.written_variables
    asked = f"const {{ data, error }} = await client.{example.kind}({example.name}, {variables}).toPromise();"
    if example.kind == "subscription":
        asked = (
            f"client.subscription({example.name}, {variables})"
            ".subscribe(({ data, error }) => console.log(data, error));"
        )
    return _script('import { gql } from "@urql/core";', _constant(example, "gql"), asked)


def relay(example: Example) -> str:
    """Ask Relay's environment; the compiler wants the operation named after its file."""
    variables = example.written_variables
    name = example.name
    function, asked = {
        "query": (
            "fetchQuery",
            f"const data = await fetchQuery(environment, {name}, {variables}).toPromise();",
        ),
        "mutation": (
            "commitMutation",
            f"commitMutation(environment, {{ mutation: {name}, variables: {variables}, "
            "onCompleted: (data) => console.log(data) });",
        ),
        "subscription": (
            "requestSubscription",
            f"requestSubscription(environment, {{ subscription: {name}, variables: {variables}, "
            "onNext: (data) => console.log(data) });",
        ),
    }[example.kind]
    file = name.removesuffix(example.kind.title())
    imported = f'import {{ {function}, graphql }} from "relay-runtime";'
    return _script(f"// {file}.js\n{imported}", _constant(example, "graphql"), asked)


def python(example: Example) -> str:
    """Ask by gql, over HTTP, or for a subscription over a WebSocket."""
    if example.kind == "subscription":
        transport = "from gql.transport.websockets import WebsocketsTransport"
        opened = (
            f'transport = WebsocketsTransport("{GRAPHQL.replace("http", "ws", 1)}", '
            'init_payload={"Authorization": f"Bearer {token}"})'
        )
        asked = "async for answer in session.subscribe(query):\n    print(answer)"
    else:
        transport = "from gql.transport.httpx import HTTPXAsyncTransport"
        opened = (
            f'transport = HTTPXAsyncTransport("{GRAPHQL}", headers={{"Authorization": f"Bearer {{token}}"}})'
        )
        asked = "print(await session.execute(query))"
    body = "\n".join([opened, "async with Client(transport=transport) as session:", _indented(asked)])
    imports = f"import asyncio\n\nfrom gql import Client, gql\n{transport}"
    query = f'query = gql("""\n{_indented(example.document)}\n""")'
    if example.variables:
        query += f"\nquery.variable_values = {_python(example)}"
    return _script(
        imports, query, f"async def main(token):\n{_indented(body)}", 'asyncio.run(main(token="…"))'
    )


CLIENTS: dict[str, Callable[[Example], str]] = {
    "curl": curl,
    "Apollo": apollo,
    "urql": urql,
    "Relay": relay,
    "Python": python,
}


def _script(*parts: str) -> str:
    return "\n\n".join(parts)


def _constant(example: Example, tag: str) -> str:
    return f"const {example.name} = {tag}`\n{_indented(example.document, '  ')}\n`;"


def _variables(example: Example) -> str:
    return f", variables: {example.written_variables}" if example.variables else ""


def _python(example: Example) -> str:
    """JSON with the words that Python has for two of its values."""
    return re.sub(r": (true|false)\b", lambda found: f": {found[1].title()}", example.written_variables)


def _indented(text: str, by: str = "    ") -> str:
    return textwrap.indent(text, by)
