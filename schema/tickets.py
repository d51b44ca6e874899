"""Tickets: who owns which seat."""

from datetime import datetime
from typing import Annotated

import strawberry

from models import tickets as rows
from models import transfers as transfer_rows
from schema import events, ids, later, orders, seats, transfers, users
from schema.context import Info
from schema.enums import RefusalCode, TicketStatus
from schema.money import Money
from schema.nodes import Node
from schema.order_inputs import KEY
from schema.qr import TicketQr
from schema.refusals import Refusal
from schema.ticket_actions import TicketAction, actions_of


@strawberry.type(description="Something that happened to a ticket.")
class TicketEvent:
    at: datetime = strawberry.field(description="When.")
    what: str = strawberry.field(
        description="PURCHASED, TRANSFERRED, TRANSFER_REVERSED, SCANNED (it was let in), CHECK_IN_UNDONE, "
        "CANCELLED or REFUNDED; there may be more."
    )
    row: strawberry.Private[transfer_rows.TicketEvent]

    @classmethod
    def of(cls, row: transfer_rows.TicketEvent) -> "TicketEvent":
        return cls(at=row.at, what=row.what, row=row)

    @staticmethod
    def is_visible(info: Info, row: transfer_rows.TicketEvent) -> bool:
        """Say whether the caller may know: whoever had the ticket before or after, and who runs events."""
        viewer = info.context.viewer
        return viewer is not None and (viewer.id in {row.before_id, row.who_id} or viewer.runs_events)

    @strawberry.field(description="Whose the ticket was by then.")
    async def who(self) -> later.Person | None:
        return users.Person.of(self.row.who_id)


@strawberry.type(description="The right to a seat at an event.")
class Ticket(Node):
    reference: str = strawberry.field(description="Short, to be said aloud at a counter.")
    status: TicketStatus = strawberry.field(description="Where it is in its life.")
    price_paid: Money = strawberry.field(description="What was paid for it.")
    purchased_at: datetime = strawberry.field(description="When it was bought.")
    row: strawberry.Private[rows.Ticket]

    @classmethod
    def of(cls, row: rows.Ticket) -> "Ticket":
        return cls(
            id=ids.ticket_id(row.event_id, row.id),
            reference=row.reference,
            status=TicketStatus(row.status),
            price_paid=Money.of(row.price_minor, row.currency),
            purchased_at=row.purchased_at,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Ticket | None":
        row = await info.context.loads.ticket.load(ids.read_ticket(id))
        return cls.of(row) if row and cls.is_visible(info, row) else None

    @staticmethod
    def is_visible(info: Info, row: rows.Ticket) -> bool:
        """Say whether the caller may see a ticket: its owner, and STAFF and above."""
        viewer = info.context.viewer
        return viewer is not None and (viewer.id == row.owner_id or viewer.works_at_the_door)

    @strawberry.field(description="The event that it is for.")
    async def event(self, info: Info) -> later.Event:
        return await events.Event.at(info, self.row.event_id)

    @strawberry.field(description="The seat that it is for.")
    async def seat(self, info: Info) -> later.Seat:
        return await seats.Seat.at(info, self.row.event_id, self.row.index)

    @strawberry.field(description="Who owns it.")
    async def owner(self) -> later.Person:
        return users.Person.of(self.row.owner_id)

    @strawberry.field(description="The transfer of it that waits for codes; for the two whose it is.")
    async def pending_transfer(self, info: Info) -> later.Transfer | None:
        row = await info.context.loads.pending_transfer_of_ticket.load((self.row.event_id, self.row.id))
        return transfers.Transfer.of(row) if row and transfers.Transfer.is_visible(info, row) else None

    @strawberry.field(
        description="What happened to it, in the order of time: all of it for OPERATOR and ADMIN, for its "
        "owner what they had to do with."
    )
    async def history(self, info: Info) -> list["TicketEvent"]:
        found = await info.context.loads.history_of_ticket.load((self.row.event_id, self.row.id))
        return [TicketEvent.of(row) for row in found if TicketEvent.is_visible(info, row)]

    @strawberry.field(description="The order that it was bought in; null when it is not the caller's to see.")
    async def order(self, info: Info) -> later.Order | None:
        return await orders.Order.visible(info, (self.row.event_id, self.row.order_id))

    @strawberry.field(
        description="A fresh code to show at the door: for the owner, while the ticket is ACTIVE or PENDING."
    )
    async def qr(self, info: Info) -> TicketQr | None:
        if self._why_no_qr(info) is not None:
            return None
        now, codes = await info.context.loads.now.load(()), info.context.house.qr_codes
        return TicketQr.of(*codes.issue(self.row.event_id, self.row.id, self.row.version, now))

    @strawberry.field(
        description="Why `qr` is null: NOT_SEAT_OWNER, or TICKET_INVALID_STATE; null when there is one."
    )
    async def qr_unavailable(self, info: Info) -> RefusalCode | None:
        return self._why_no_qr(info)

    @strawberry.field(description="What the caller may do with it now.")
    async def available_actions(self, info: Info) -> list[TicketAction]:
        return await actions_of(info, self.row)

    def _why_no_qr(self, info: Info) -> RefusalCode | None:
        viewer = info.context.viewer
        if viewer is None or viewer.id != self.row.owner_id:
            return RefusalCode.NOT_SEAT_OWNER
        return None if self.row.status in rows.SHOWN else RefusalCode.TICKET_INVALID_STATE


@strawberry.input(description="A ticket that something is to be done with.")
class TicketInput:
    ticket_id: strawberry.ID = strawberry.field(description="The ticket.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The ticket as it is now.")
class TicketPayload:
    ticket: Ticket = strawberry.field(description="The ticket.")

    @classmethod
    def of(cls, row: rows.Ticket) -> "TicketPayload":
        return cls(ticket=Ticket.of(row))


TicketResult = Annotated[
    TicketPayload | Refusal, strawberry.union("TicketResult", description="The ticket, or why not.")
]
