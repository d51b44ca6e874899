"""Amounts of money as a client sees them."""

from decimal import Decimal

import strawberry

from models.money import to_major


@strawberry.type(description="An exact amount of money.")
class Money:
    amount: Decimal = strawberry.field(description="In major units, exact.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")

    @classmethod
    def of(cls, minor: int, currency: str) -> "Money":
        return cls(amount=to_major(minor, currency), currency=currency)
