"""Every code of an answer that says no, as `docs/api.md` lists them and the schema describes them."""

import re
from typing import NamedTuple

from graphql import GraphQLEnumType, GraphQLSchema
from markupsafe import Markup

from routes.docs.guides import Guide, inline

SECTION = "Every code"
_ROW = re.compile(r"^\| (`[A-Z_`, ]+`) \| (?:(.+) \| )?([^|]+) \|$", re.MULTILINE)


class Code(NamedTuple):
    """A code, where it is on its page, why one gets it, and what to do then."""

    name: str
    place: str
    means: Markup
    what_to_do: Markup


def codes(schema: GraphQLSchema) -> tuple[list[Code], list[Code]]:
    """The codes of top-level errors, and those of refusals, in the order of the guide."""
    guide = Guide("api")
    refusals = schema.type_map["RefusalCode"]
    assert isinstance(refusals, GraphQLEnumType)
    of_errors, _, of_refusals = guide.section(SECTION).partition("\n\n| `code`")
    errors = [
        Code(name, f"error-{name}", guide.inline(means), guide.inline(what_to_do))
        for names, means, what_to_do in _ROW.findall(of_errors)
        for name in _names(names)
    ]
    refused = [
        Code(name, name, inline(refusals.values[name].description), guide.inline(what_to_do))
        for names, _, what_to_do in _ROW.findall(of_refusals)
        for name in _names(names)
        if name in refusals.values
    ]
    return errors, refused


def _names(cell: str) -> list[str]:
    return re.findall(r"`([A-Z_]+)`", cell)
