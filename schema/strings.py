"""Strings that PostgreSQL can keep: valid Unicode without U+0000, wherever in a request they stand."""

from typing import Any

from graphql import DocumentNode, StringValueNode, Visitor, visit

DEPTH_MAX = 50
UNFIT = "A string must be valid Unicode without U+0000."


def is_fit(value: Any, depth: int = 0) -> bool:
    """Say whether every string in a JSON value can be kept, and the value is not nested absurdly deep."""
    if isinstance(value, str):
        return "\x00" not in value and (value.isascii() or _is_unicode(value))
    if depth > DEPTH_MAX:
        return False
    if isinstance(value, dict):
        return all(is_fit(key) and is_fit(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(is_fit(item, depth + 1) for item in value)
    return True


def literals(document: DocumentNode) -> list[str]:
    """Every string that stands in a document itself."""
    found: list[str] = []

    class Strings(Visitor):
        def enter_string_value(self, node: StringValueNode, *_: object) -> None:
            found.append(node.value)

    visit(document, Strings())
    return found


def _is_unicode(text: str) -> bool:
    """Say whether a text has no half of a surrogate pair, which no encoding can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
