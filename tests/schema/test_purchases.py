"""What a message says of a purchase is read strictly: garbage is told from it, whatever it is made of."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import ids
from schema.purchases import BYTES_MAX, NotAPurchase, Purchase, purchase_in

EVENT, ORDER = uuid4(), uuid4()
DATA: dict[str, Any] = {
    "eventId": ids.event_id(EVENT),
    "orderId": ids.order_id(EVENT, ORDER),
    "tickets": [
        {"id": "tk", "price": {"amount": "10.00", "currency": "EUR"}},
        {"id": "tk", "price": {"amount": "2.50", "currency": "EUR"}},
    ],
}
SAID: dict[str, Any] = {"type": "ticket.purchased", "version": 1, "data": DATA, "added": "since"}


def test_the_order_and_what_its_tickets_cost_are_read() -> None:
    assert purchase_in(orjson.dumps(SAID)) == Purchase(EVENT, ORDER, 1_250, "EUR")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ticket.refunded"},
        {"version": 2},
        {"version": "1"},
        {"data": None},
        {"data": DATA | {"tickets": []}},
        {"data": DATA | {"tickets": [{"price": {"amount": "1.001", "currency": "EUR"}}]}},
        {"data": DATA | {"tickets": [{"price": {"amount": "-1.00", "currency": "EUR"}}]}},
        {"data": DATA | {"tickets": [{"price": {"amount": "NaN", "currency": "EUR"}}]}},
        {"data": DATA | {"tickets": [{"price": {"amount": "1e99", "currency": "EUR"}}]}},
        {"data": DATA | {"tickets": [{"price": {"amount": "9e999999", "currency": "EUR"}}]}},
        {"data": DATA | {"tickets": [{"price": {"amount": "1", "currency": "euro"}}]}},
        {"data": DATA | {"tickets": [*DATA["tickets"], {"price": {"amount": "1", "currency": "USD"}}]}},
        {"data": DATA | {"eventId": ids.event_id(uuid4())}},
        {"data": DATA | {"orderId": ids.event_id(EVENT)}},
        {"data": DATA | {"orderId": "or_x"}},
    ],
)
def test_what_is_no_purchase_is_not_read_as_one(changes: dict[str, Any]) -> None:
    with pytest.raises(NotAPurchase, match=r"\S"):
        purchase_in(orjson.dumps(SAID | changes))


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(NotAPurchase, match="bytes"):
        purchase_in(b" " * (BYTES_MAX + 1))


@given(st.one_of(st.binary(), st.decimals().map(lambda d: str(Decimal(d)).encode())))
def test_no_garbage_does_more_than_be_refused(body: bytes) -> None:
    with pytest.raises(NotAPurchase):
        purchase_in(body)
