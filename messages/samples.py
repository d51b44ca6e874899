"""Drafts of every letter about things that nobody bought, to try the templates with."""

from collections.abc import Iterator
from typing import Any

from messages.message import Address, Draft
from models.codes import CodePurpose
from models.deliveries import DeliveryKind
from models.languages import Language

EVENT = {
    "id": "ev_sample",
    "name": "The Tempest",
    "starts_at": "2027-03-20T18:30:00+00:00",
    "ends_at": "2027-03-20T21:00:00+00:00",
    "timezone": "Europe/Berlin",
    "venue": "Playhouse",
    "address": "Harbour Street 1",
    "hall": "Great Hall",
}
TICKETS = [
    {
        "id": f"tk_sample{number}",
        "reference": f"TKT2345{number}",
        "tier": "Stalls",
        "section": "Parkett",
        "row": "3",
        "number": str(number),
        "price": {"minor": 2_500, "currency": "EUR"},
    }
    for number in (6, 7)
]
ORDER = {
    "id": "or_sample",
    "reference": "QRS7T2XY",
    "total": {"minor": 5_000, "currency": "EUR"},
    "refunded": {"minor": 5_000, "currency": "EUR"},
}
AT = "2027-01-02T10:00:00+00:00"
NAME = {"name": "Ann Archer", "at": AT}
OF_ORDER: dict[str, Any] = {**NAME, "event": EVENT, "order": ORDER}
OF_TICKET: dict[str, Any] = {**OF_ORDER, "tickets": TICKETS[:1]}
PRICELESS = [{**TICKETS[0], "price": None}]
OF_TRANSFER: dict[str, Any] = {**NAME, "event": EVENT, "tickets": PRICELESS}
OF_EVENT: dict[str, Any] = {**NAME, "event": EVENT, "attached": ["cancellation"]}
TRANSFER = {
    "id": "tr_sample",
    "price": {"minor": 2_000, "currency": "EUR"},
    "other": "Bob Baker",
    "was_disputed": False,
}
AMOUNT = {"minor": 5_000, "currency": "EUR"}
GIFT = {"minor": 0, "currency": "EUR"}

FILES = ["calendar", "tickets"]

ABOUT: dict[str, list[dict[str, Any]]] = {
    "welcome": [{"name": "Ann Archer"}, {"name": ""}],
    "code": [{"purpose": purpose.value, "code": "123456", "minutes": 5} for purpose in CodePurpose],
    "email_changed": [{"address": "a***@example.com"}],
    "late_money": [{"amount": AMOUNT}],
    "order_confirmed": [{**OF_ORDER, "tickets": TICKETS[:count], "attached": FILES} for count in (1, 2)],
    "order_cancelled": [OF_ORDER],
    "order_refunded": [OF_ORDER, {**OF_ORDER, "amount": AMOUNT}],
    "hold_expired": [OF_ORDER],
    "ticket_activated": [OF_TICKET],
    "ticket_cancelled": [OF_TICKET],
    "ticket_refunded": [OF_TICKET, {**OF_TICKET, "amount": AMOUNT}],
    **{
        f"transfer_{what}": [
            {**OF_TRANSFER, "transfer": {**TRANSFER, "is_seller": is_seller, "price": price}}
            for is_seller in (True, False)
            for price in (AMOUNT, GIFT)
        ]
        for what in ("requested", "failed", "disputed", "reversed")
    },
    "transfer_completed": [
        {**OF_TRANSFER, "transfer": {**TRANSFER, "is_seller": is_seller, "price": price}, "attached": files}
        for is_seller, price, files in ((True, AMOUNT, []), (True, GIFT, []), (False, GIFT, FILES))
    ]
    + [
        {
            **OF_TRANSFER,
            "transfer": {**TRANSFER, "is_seller": is_seller, "price": price, "was_disputed": True},
            "attached": [],
        }
        for is_seller in (True, False)
        for price in (AMOUNT, GIFT)
    ],
    "top_up_succeeded": [{**NAME, "amount": AMOUNT}],
    "event_cancelled": [OF_EVENT],
}
"""The facts of each letter, in every form that they have."""


def samples(language: Language) -> Iterator[Draft]:
    """A draft of each letter in each form, as an e-mail and as an SMS."""
    ways = Address(DeliveryKind.EMAIL, "ann@example.com"), Address(DeliveryKind.SMS, "+4930123456")
    for template, forms in ABOUT.items():
        for facts in forms:
            yield from (Draft(to, language.value, template, facts) for to in ways)
