"""Enums of the models, as the API shows them: each value with what it means."""

from enum import Enum

import strawberry

from models.announcements import AnnouncementKind
from models.catalogue import EventStatus
from models.deliveries import DeliveryKind
from models.door import VerificationResult
from models.languages import Language
from models.ledger import MovementKind
from models.notifications import NotificationChannel, NotificationKind
from models.orders import OrderStatus
from models.seats import SeatStatus
from models.tickets import TicketStatus
from models.transactions import TransactionStatus
from models.transfers import TransferStatus
from models.users import Role
from steps.refusals import SENTENCES, RefusalCode


def _show(enum: type[Enum], description: str, name: str | None = None, **meanings: str) -> None:
    definition = strawberry.enum(enum, name=name, description=description).__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = meanings[value.name]


_show(
    EventStatus,
    "Where an event is in its life.",
    DRAFT="Seen by those who run events only.",
    PUBLISHED="Seen by everybody, and sold in its time of sale.",
    CANCELLED="It does not take place.",
    ENDED="It has taken place.",
)
_show(
    SeatStatus,
    "What a seat is right now.",
    AVAILABLE="It can be had.",
    HELD="Somebody has it for some minutes and may pay for it.",
    SOLD="Somebody owns it.",
    CHECKED_IN="Its owner is inside.",
    BLOCKED="It is not for sale.",
)
_show(
    DeliveryKind,
    "By what something leaves the house.",
    EMAIL="A message to a person's e-mail address.",
    SMS="A message to a person's phone.",
    WEBHOOK="A signed request to another system.",
    AMQP="An event to RabbitMQ.",
)
_show(
    OrderStatus,
    "Where an order is in its life.",
    PENDING="Its seats are held until `heldUntil`.",
    CONFIRMED="It is paid, its seats are tickets.",
    COMPLETED="It was paid and the event has taken place.",
    CANCELLED="It was given up before it was paid; its seats are free again.",
    REFUNDED="It was paid back; its seats are free again.",
    EXPIRED="Its time ran out before it was paid; its seats are free again.",
)
_show(
    TicketStatus,
    "Where a ticket is in its life.",
    PENDING="Paid by a method that is still being confirmed.",
    ACTIVE="Good for its seat.",
    CHECKED_IN="Its owner is inside.",
    CANCELLED="Good for nothing any more.",
    REFUNDED="Paid back, and good for nothing any more.",
)
_show(
    VerificationResult,
    "What a door says to a code.",
    SUCCESS="Let in: the ticket is checked in from now on.",
    DUPLICATE="The ticket came in before, at `firstScannedAt`.",
    UNPAID="The payment of the ticket is still being confirmed.",
    NOT_FOUND="There is no such ticket any more, or it has changed hands since the code was made.",
    WRONG_HALL="The ticket's event takes place in `expectedHall`.",
    EXPIRED="The code is too old, and a fresh one would be let in.",
    CANCELLED="The ticket was cancelled or paid back, or its event is cancelled.",
    WRONG_EVENT="The ticket is for another event in this hall.",
)
_show(
    TransferStatus,
    "Where a transfer is in its life.",
    PENDING_OTP="It waits until both have confirmed it with their codes.",
    COMPLETED="The ticket and the price have changed hands.",
    FAILED="A code was wrong too often, it was not confirmed in time, or the ticket is good no longer.",
    CANCELLED="One of the two gave it up.",
    DISPUTED="One of the two regrets it: the price is put aside until the house decides.",
    REVERSED="It was undone: the ticket and the price are back.",
)
_show(
    NotificationKind,
    "What a person is notified of.",
    ORDER_CONFIRMED="An order of theirs was paid: its seats are tickets.",
    ORDER_CANCELLED="An order of theirs was cancelled before it was paid.",
    ORDER_REFUNDED="What they paid for an order goes back, or a part of it.",
    HOLD_EXPIRED="The time to pay an order of theirs ran out.",
    TICKET_ACTIVATED="A ticket of theirs was made good by hand.",
    TICKET_CANCELLED="A ticket of theirs was cancelled.",
    TICKET_REFUNDED="A ticket of theirs was paid back.",
    TRANSFER_REQUESTED="Somebody offers them a ticket, or asks for theirs.",
    TRANSFER_COMPLETED="A transfer of theirs is done, or stands after a dispute.",
    TRANSFER_FAILED="A transfer of theirs came to nothing, or was given up by the other one.",
    TRANSFER_DISPUTED="The other one of a transfer disputes it.",
    TRANSFER_REVERSED="A transfer of theirs was undone by the house.",
    TOP_UP_SUCCEEDED="Credits that they bought are on their account.",
    EVENT_CANCELLED="An event that they have tickets or seats for does not take place.",
)
_show(
    NotificationChannel,
    "By what a notification goes out, beside the API.",
    EMAIL="To the e-mail address.",
    SMS="To the phone number, if there is one.",
)
_show(
    MovementKind,
    "Why money moved.",
    name="TransactionKind",
    PURCHASE="An order was paid.",
    REFUND="An order was paid back.",
    TOP_UP="Credits were bought.",
    TRANSFER="A ticket changed hands.",
    ADJUSTMENT="The house gave or took credits, with a reason.",
    DISPUTE="It is put aside until a dispute is settled.",
    REVERSAL="It came back, since what it was for was undone.",
)
_show(
    TransactionStatus,
    "How far a transaction has come.",
    PENDING="Begun, and nothing has moved yet.",
    SUCCESS="The money has moved.",
    FAILED="Nothing has moved.",
    REFUNDED="The money moved, and all of it was paid back.",
)
_show(
    Language,
    "A language in which the house writes to people.",
    EN="English.",
    DE="German.",
)
_show(
    Role,
    "What a person may do beyond buying for themselves.",
    USER="Buys and owns tickets.",
    SERVICE="Is another system of the house, and not a person.",
    STAFF="Works at the door and sees every ticket.",
    OPERATOR="Runs events and sees every order.",
    ADMIN="May do everything.",
)
_show(
    AnnouncementKind,
    "What other systems are told of.",
    name="WebhookKind",
    TICKET_PURCHASED="An order was paid.",
    TICKET_CANCELLED="A ticket was given up, and its seat is free.",
    TICKET_REFUNDED="Tickets were paid back.",
    TICKET_CHECKED_IN="A ticket was let in at a door.",
    TRANSFER_COMPLETED="A ticket has another owner.",
    TRANSFER_DISPUTED="A transfer is in dispute.",
    TRANSFER_REVERSED="A ticket went back to who had it.",
    ORDER_EXPIRED="A hold ran out and its seats are free.",
    EVENT_PUBLISHED="An event went on sale.",
    EVENT_CANCELLED="An event was cancelled.",
)
_show(
    RefusalCode,
    "Why the answer is no.",
    **{
        "VALIDATION_ERROR": "Some inputs are wrong: `problems` names each of them.",
        "EVENT_INVALID_STATE": "The event is not in a state that allows this.",
        "TOO_MANY_SEATS": "More seats than one order, or one buyer at this event, may have.",
        "SEAT_NOT_HELD": "The hold has time left, yet a seat is no longer the order's.",
        **{code.value: sentence for code, sentence in SENTENCES.items()},
    },
)

__all__ = [
    "AnnouncementKind",
    "DeliveryKind",
    "EventStatus",
    "Language",
    "MovementKind",
    "NotificationChannel",
    "NotificationKind",
    "OrderStatus",
    "RefusalCode",
    "Role",
    "SeatStatus",
    "TicketStatus",
    "TransactionStatus",
    "TransferStatus",
    "VerificationResult",
]
