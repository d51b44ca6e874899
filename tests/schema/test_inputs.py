"""Inputs that are built by a plan are those that Strawberry builds, whatever a client says."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLInputObjectType
from graphql.utilities import coerce_input_value
from strawberry.types import get_object_definition
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryMaybe
from strawberry.types.field import StrawberryField

from schema.order_inputs import PayInput, ReserveInput, SeatSelection
from schema.root import schema

SELECTIONS = [
    {"seatIds": ["a", "b"]},
    {"seatIds": []},
    {"seatIndexes": [3, 1, 2]},
    {"seatIndexes": 3},
    {"generalAdmission": [{"tierId": "t", "quantity": 2}, {"tierId": "u", "quantity": 1}]},
    {"bestAvailable": {"quantity": 4}},
    {"bestAvailable": {"quantity": 4, "tierId": None}},
    {"bestAvailable": {"quantity": 4, "tierId": "t"}},
]
RESERVES = [{"eventId": "e", "selection": selection} for selection in SELECTIONS]
SAID = [
    *((ReserveInput, said) for said in RESERVES),
    *((ReserveInput, said | {"idempotencyKey": key}) for said in RESERVES[:1] for key in ("k", None)),
    (PayInput, {"orderId": "o"}),
    (PayInput, {"orderId": "o", "method": "CREDITS", "idempotencyKey": "k"}),
]


@pytest.mark.parametrize(("kind", "said"), SAID)
def test_a_planned_input_is_the_one_that_strawberry_builds(
    kind: type, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    coerced = coerce_input_value(said, _graphql_type(kind))
    planned = _converted(kind, coerced)
    for one in (ReserveInput, SeatSelection, PayInput):
        monkeypatch.setattr(get_object_definition(one, strict=True), "from_input", None)
    assert planned == _converted(kind, coerced)


@pytest.mark.parametrize("selection", [{"seatIds": None}, {}, {"seatIds": ["a"], "seatIndexes": [1]}])
def test_what_is_not_exactly_one_way_never_comes_to_the_plan(selection: dict[str, Any]) -> None:
    with pytest.raises(GraphQLError):
        coerce_input_value(selection, _graphql_type(SeatSelection))


def test_a_planned_input_has_a_maybe_only_where_one_of_forbids_null() -> None:
    for name in schema.graphql_schema.type_map:
        kind = schema.get_type_by_name(name)
        if getattr(kind, "from_input", None) and any(map(_is_maybe, kind.fields)):  # type: ignore[union-attr]
            assert kind.is_one_of, name  # type: ignore[union-attr]


def _is_maybe(field: StrawberryField) -> bool:
    return isinstance(field.type, StrawberryMaybe)


def _graphql_type(kind: type) -> GraphQLInputObjectType:
    found = schema.graphql_schema.type_map[kind.__name__]
    assert isinstance(found, GraphQLInputObjectType)
    return found


def _converted(kind: type, value: Any) -> object:
    converter = schema.schema_converter
    return convert_argument(value, kind, converter.scalar_registry, converter.config)
