"""Moments and decimals are read strictly."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from schema.root import schema

_types: Any = schema.graphql_schema.type_map


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-W01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "now",
        7,
        None,
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_a_moment_needs_an_offset(text: object) -> None:
    with pytest.raises(GraphQLError):
        _types["DateTime"].parse_value(text)


def test_a_moment_is_utc_on_output() -> None:
    moment = _types["DateTime"].parse_value("2027-05-01T19:30:00.123456789+02:00")
    assert moment == datetime(2027, 5, 1, 17, 30, 0, 123456, tzinfo=UTC)
    assert _types["DateTime"].serialize(moment) == "2027-05-01T17:30:00.123456Z"


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1e9", "1.", "", " 1", "\uff11\uff12", 1.5, True, None, "1" * 16]
)
def test_a_decimal_is_plain_digits(text: object) -> None:
    with pytest.raises(GraphQLError):
        _types["Decimal"].parse_value(text)


def test_a_decimal_is_exact() -> None:
    assert _types["Decimal"].parse_value("-350.10") == Decimal("-350.10")
    assert _types["Decimal"].parse_value(7) == Decimal(7)
    assert _types["Decimal"].serialize(Decimal("350.10")) == "350.10"
