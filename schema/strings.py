"""Values that can be taken: strings that PostgreSQL can keep, and lists of a bounded length."""

from typing import Any

from graphql import DocumentNode, ListValueNode, StringValueNode, Visitor, visit

DEPTH_MAX = 50
UNFIT = "A string must be valid Unicode without U+0000."
NESTED = f"A value can be nested {DEPTH_MAX} deep."


def fault_of(value: Any, items_max: int, depth: int = 0) -> str | None:
    """Say what is wrong with a JSON value: a string in it, the length of a list, or its depth."""
    if isinstance(value, str):
        return None if "\x00" not in value and (value.isascii() or _is_unicode(value)) else UNFIT
    if not isinstance(value, dict | list):
        return None
    if depth > DEPTH_MAX:
        return NESTED
    if isinstance(value, dict):
        for key, item in value.items():
            fault = fault_of(key, items_max) or fault_of(item, items_max, depth + 1)
            if fault:
                return fault
        return None
    if len(value) > items_max:
        return f"A list can have {items_max:,} items."
    for item in value:
        fault = fault_of(item, items_max, depth + 1)
        if fault:
            return fault
    return None


def literals(document: DocumentNode) -> list[Any]:
    """Every string and list that stands in a document itself."""
    found: list[Any] = []

    class Literals(Visitor):
        def enter_string_value(self, node: StringValueNode, *_: object) -> None:
            found.append(node.value)

        def enter_list_value(self, node: ListValueNode, *_: object) -> None:
            found.append([None] * len(node.values))

    visit(document, Literals())
    return found


def _is_unicode(text: str) -> bool:
    """Say whether a text has no half of a surrogate pair, which no encoding can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
