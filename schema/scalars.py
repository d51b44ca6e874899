"""Moments and decimals, read strictly: what a client sends is exactly what is meant."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import strawberry
from graphql import GraphQLError

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)


def _read_moment(value: object) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            text = re.sub(r"(\.\d{6})\d+", r"\1", value)
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise GraphQLError('A DateTime is written as RFC 3339 with an offset: "2027-05-01T19:30:00+02:00".')


def _write_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_decimal(value: object) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise GraphQLError('A Decimal is a string of plain digits: "350.00".')


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment, as RFC 3339 with an offset; always UTC on output.",
    specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
    serialize=_write_moment,
    parse_value=_read_moment,
)

DecimalString = strawberry.scalar(
    name="Decimal",
    description='An exact decimal number, as a string of plain digits: "350.00".',
    serialize=str,
    parse_value=_read_decimal,
)
