"""What happened to a person's money, as that person, OPERATOR and ADMIN see it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from models import transactions as rows
from schema import ids, later, orders, transfers, users
from schema.context import Info
from schema.enums import MovementKind, TransactionStatus
from schema.money import Money
from schema.nodes import Node
from schema.order_inputs import PaymentMethod
from schema.refusals import Refusal

OF_TRANSFERS = {MovementKind.TRANSFER, MovementKind.DISPUTE, MovementKind.REVERSAL}


@strawberry.type(description="Money that moved, or is to move, from or to a person's credits.")
class Transaction(Node):
    kind: MovementKind = strawberry.field(description="Why it moved.")
    status: TransactionStatus = strawberry.field(description="How far it has come.")
    amount: Money = strawberry.field(description="Positive: the person got it; negative: the person paid it.")
    method: PaymentMethod | None = strawberry.field(description="How it was paid, if it was a payment.")
    reason: str | None = strawberry.field(description="Why, in words, if somebody said so.")
    created_at: datetime = strawberry.field(description="When it began.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    row: strawberry.Private[rows.Transaction]

    @classmethod
    def of(cls, row: rows.Transaction) -> "Transaction":
        return cls(
            id=ids.transaction_id(row.user_id, row.id),
            kind=MovementKind(row.kind),
            status=TransactionStatus(row.status),
            amount=Money.of(row.amount_minor, row.currency),
            method=None if row.method is None else PaymentMethod[row.method],
            reason=row.reason,
            created_at=row.created_at,
            updated_at=row.updated_at,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Transaction | None":
        return await cls.visible(info, ids.read_transaction(id))

    @classmethod
    async def visible(cls, info: Info, key: tuple[UUID, UUID]) -> "Transaction | None":
        """Load a transaction that the caller may see: the person whose money it is, and who runs events."""
        if not info.context.may_see_account(key[0]):
            return None
        row = await info.context.loads.transaction.load(key)
        return cls.of(row) if row else None

    @strawberry.field(description="Whose money it is.")
    async def user(self) -> later.Person:
        return users.Person.of(self.row.user_id)

    @strawberry.field(description="The order that it is for.")
    async def order(self, info: Info) -> later.Order | None:
        if self.row.event_id is None or self.row.reference is None or self.row.kind in OF_TRANSFERS:
            return None
        return await orders.Order.visible(info, (self.row.event_id, self.row.reference))

    @strawberry.field(description="The transfer that it is for.")
    async def transfer(self, info: Info) -> later.Transfer | None:
        if self.row.event_id is None or self.row.reference is None or self.row.kind not in OF_TRANSFERS:
            return None
        return await transfers.Transfer.visible(info, (self.row.event_id, self.row.reference))

    @strawberry.field(description="Of a REFUND: what is paid back.")
    async def refund_of(self, info: Info) -> "Transaction | None":
        if self.row.refund_of is None:
            return None
        return await Transaction.visible(info, (self.row.user_id, self.row.refund_of))


@strawberry.type(description="The transaction as it is now.")
class TransactionPayload:
    transaction: Transaction = strawberry.field(description="The transaction.")

    @classmethod
    def of(cls, row: rows.Transaction) -> "TransactionPayload":
        return cls(transaction=Transaction.of(row))


TransactionResult = Annotated[
    TransactionPayload | Refusal,
    strawberry.union("TransactionResult", description="The transaction, or why not."),
]


@strawberry.type(description="Credits that are being bought.")
class TopUp:
    transaction: Transaction = strawberry.field(description="What is to become of it; PENDING until then.")
    client_secret: str = strawberry.field(description="For the provider's own form in the browser.")
    amount: Money = strawberry.field(description="What is to be paid.")


@strawberry.type(description="A top-up that has begun.")
class TopUpPayload:
    top_up: TopUp = strawberry.field(description="The top-up.")

    @classmethod
    def of(cls, row: rows.Transaction, client_secret: str | None) -> "TopUpPayload":
        assert client_secret, "the provider says what a payment is paid with"
        made = Transaction.of(row)
        return cls(top_up=TopUp(transaction=made, client_secret=client_secret, amount=made.amount))


TopUpResult = Annotated[
    TopUpPayload | Refusal, strawberry.union("TopUpResult", description="The top-up, or why not.")
]
