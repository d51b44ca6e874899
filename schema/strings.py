"""Strings that PostgreSQL can keep: none with U+0000 in it, wherever in a request it stands."""

from collections.abc import Iterator
from typing import Any

from graphql import StringValueNode, Visitor, visit
from strawberry.extensions import SchemaExtension

from schema.errors import wrong_argument

DEPTH_MAX = 50


class FitStrings(SchemaExtension):
    """Refuses a request with a string that could not be stored."""

    def on_validate(self) -> Iterator[None]:
        yield
        context = self.execution_context
        unfit = not _is_fit(context.variables) or (
            "\\u" in (context.query or "") and not _is_fit(_literals(context.graphql_document))
        )
        if unfit and not context.pre_execution_errors:
            context.pre_execution_errors = [wrong_argument("A string must be valid Unicode without U+0000.")]


def _is_fit(value: Any, depth: int = 0) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and _is_unicode(value)
    if depth > DEPTH_MAX:
        return False
    if isinstance(value, dict):
        return all(_is_fit(key) and _is_fit(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_fit(item, depth + 1) for item in value)
    return True


def _is_unicode(text: str) -> bool:
    """Say whether a text has no half of a surrogate pair, which no encoding can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _literals(document: Any) -> list[Any]:
    found: list[Any] = []

    class Strings(Visitor):
        def enter_string_value(self, node: StringValueNode, *_: object) -> None:
            found.append(node.value)

    visit(document, Strings())
    return found
