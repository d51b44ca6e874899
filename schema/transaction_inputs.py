"""What an ADMIN says to put money right."""

from decimal import Decimal

import strawberry

from models.money import to_minor
from schema.enums import TransactionStatus
from schema.order_inputs import KEY
from steps.refusals import invalid


def minor_of(amount: Decimal, currency: str) -> int:
    """An amount of `input.amount` in minor units; one that the currency does not have is refused."""
    try:
        return to_minor(amount, currency)
    except ValueError as error:
        raise invalid("input.amount", str(error)) from None


@strawberry.input(description="Credits to buy.")
class TopUpInput:
    amount: Decimal = strawberry.field(description="How much, in the house's currency.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What became of a payment that the provider says nothing about.")
class SettleTransactionInput:
    transaction_id: strawberry.ID = strawberry.field(description="The transaction, which is PENDING.")
    status: TransactionStatus = strawberry.field(description="SUCCESS has its effect, FAILED has none.")
    reason: str = strawberry.field(description="Why, in up to 500 characters; the person reads it too.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A payment to pay back.")
class RefundTransactionInput:
    transaction_id: strawberry.ID = strawberry.field(description="The purchase, or the top-up.")
    amount: Decimal | None = strawberry.field(
        default=None, description="How much, in its currency; none: what is left of it."
    )
    reason: str = strawberry.field(description="Why, in up to 500 characters; the person reads it too.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Credits to give or to take.")
class AdjustCreditsInput:
    user_id: strawberry.ID = strawberry.field(description="To whom, or from whom.")
    amount: Decimal = strawberry.field(
        description="How much, in the house's currency: positive gives, negative takes."
    )
    reason: str = strawberry.field(description="Why, in up to 500 characters; the person reads it too.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)
