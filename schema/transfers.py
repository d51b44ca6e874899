"""Transfers: tickets that change hands, as the two whose they are and those who run events see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from models import transfers as rows
from models.topics import order_topic, transfer_topic
from schema import ids, later, seats, tickets, users
from schema.context import Info
from schema.enums import TransferStatus
from schema.money import Money
from schema.nodes import Node
from schema.refusals import Refusal


@strawberry.type(description="A ticket that one person gives to another, for a price or as a gift.")
class Transfer(Node):
    price: Money = strawberry.field(description="What the buyer pays the seller; 0 for a gift.")
    status: TransferStatus = strawberry.field(description="Where it is in its life.")
    seller_confirmed: bool = strawberry.field(description="Whether the seller's code was given.")
    buyer_confirmed: bool = strawberry.field(description="Whether the buyer's code was given.")
    dispute_reason: str | None = strawberry.field(description="Why it was disputed, if it was.")
    created_at: datetime = strawberry.field(description="When it began.")
    expires_at: datetime = strawberry.field(description="Until when both can confirm it.")
    row: strawberry.Private[rows.Transfer]

    @classmethod
    def of(cls, row: rows.Transfer) -> "Transfer":
        return cls(
            id=ids.transfer_id(row.event_id, row.id),
            price=Money.of(row.price_minor, row.currency),
            status=TransferStatus(row.status),
            seller_confirmed=row.seller_confirmed,
            buyer_confirmed=row.buyer_confirmed,
            dispute_reason=row.dispute_reason,
            created_at=row.created_at,
            expires_at=row.expires_at,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Transfer | None":
        return await cls.visible(info, ids.read_transfer(id))

    @classmethod
    async def visible(cls, info: Info, key: tuple[UUID, UUID]) -> "Transfer | None":
        """Load a transfer that the caller may see: the two whose it is, and those who run events."""
        row = await info.context.loads.transfer.load(key) if info.context.viewer else None
        return cls.of(row) if row and cls.is_visible(info, row) else None

    @classmethod
    async def look(cls, info: Info, key: tuple[UUID, UUID]) -> rows.Transfer | None:
        """Read a transfer for whoever watches it, if they may see it."""
        row = await info.context.house.looks.transfer.load(key)
        return row if row and cls.is_visible(info, row) else None

    async def topics(self, info: Info) -> list[str]:
        """What to watch for a change of it: its ticket's order too, as what ends the ticket ends it."""
        ticket = await info.context.loads.ticket.load((self.row.event_id, self.row.ticket_id))
        of_ticket = [order_topic(ticket.event_id, ticket.order_id)] if ticket else []
        return [transfer_topic(self.row.event_id, self.row.id), *of_ticket]

    @staticmethod
    def is_visible(info: Info, row: rows.Transfer) -> bool:
        return any(info.context.may_see_account(party) for party in (row.seller_id, row.buyer_id))

    @strawberry.field(description="The ticket; null when it is not the caller's to see.")
    async def ticket(self, info: Info) -> later.Ticket | None:
        row = await info.context.loads.ticket.load((self.row.event_id, self.row.ticket_id))
        return tickets.Ticket.of(row) if row and tickets.Ticket.is_visible(info, row) else None

    @strawberry.field(description="The seat that the ticket is for.")
    async def seat(self, info: Info) -> later.Seat:
        return await seats.Seat.at(info, self.row.event_id, self.row.index)

    @strawberry.field(description="Who owns the ticket when it begins.")
    async def seller(self) -> later.Person:
        return users.Person.of(self.row.seller_id)

    @strawberry.field(description="Who is to get the ticket.")
    async def buyer(self) -> later.Person:
        return users.Person.of(self.row.buyer_id)


@strawberry.type(description="The transfer as it is now.")
class TransferPayload:
    transfer: Transfer = strawberry.field(description="The transfer.")

    @classmethod
    def of(cls, row: rows.Transfer) -> "TransferPayload":
        return cls(transfer=Transfer.of(row))


TransferResult = Annotated[
    TransferPayload | Refusal,
    strawberry.union("TransferResult", description="The transfer, or why not."),
]
