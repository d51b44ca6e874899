"""A purchase as a message tells of it: what we announced ourselves, or what another system claims."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from graphql import GraphQLError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.layouts import SEATS_PER_EVENT_MAX
from models.money import AMOUNT_MINOR_MAX, is_currency, to_minor
from schema.ids import read_event, read_order

BYTES_MAX = 1_000_000


class _Price(BaseModel):
    amount: Annotated[Decimal, Field(ge=0, le=AMOUNT_MINOR_MAX, strict=False)]
    currency: str


class _Ticket(BaseModel):
    price: _Price


class _Data(BaseModel):
    event_id: str = Field(alias="eventId")
    order_id: str = Field(alias="orderId")
    tickets: list[_Ticket] = Field(min_length=1, max_length=SEATS_PER_EVENT_MAX)


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    type: Literal["ticket.purchased"]
    version: Literal[1]
    data: _Data


class NotAPurchase(Exception):
    """What a message says is not that a purchase was made, or not as it is said."""


@dataclass(frozen=True)
class Purchase:
    """An order, and what was paid for all its tickets by the message's own account."""

    event_id: UUID
    order_id: UUID
    total_minor: int
    currency: str


def purchase_in(body: bytes) -> Purchase:
    """Read a message strictly, but for fields that were added since. Raises `NotAPurchase`."""
    if len(body) > BYTES_MAX:
        raise NotAPurchase(f"It has more than {BYTES_MAX:,} bytes.")
    try:
        data = _Message.model_validate_json(body).data
        event_id, order_id = read_order(data.order_id)
        if read_event(data.event_id) != event_id:
            raise NotAPurchase("Its order is of another event.")
        currencies = {ticket.price.currency for ticket in data.tickets}
        if len(currencies) != 1 or not all(map(is_currency, currencies)):
            raise NotAPurchase("Its prices are not in one currency.")
        (currency,) = currencies
        total = sum((ticket.price.amount for ticket in data.tickets), Decimal())
        return Purchase(event_id, order_id, to_minor(total, currency), currency)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise NotAPurchase(f"{place or 'It'}: {first['msg']}") from None
    except (GraphQLError, ValueError) as error:
        raise NotAPurchase(str(error)) from None
