"""What people say to give tickets to each other."""

from decimal import Decimal
from uuid import UUID

import strawberry

from models.money import to_minor
from schema import ids
from schema.order_inputs import KEY
from steps.initiate_transfer import Wanted
from steps.refusals import invalid


@strawberry.input(description="A ticket to give away, or to ask its owner for.")
class InitiateTransferInput:
    ticket_id: strawberry.ID | None = strawberry.field(
        default=None, description="One's own ticket; exactly one of ticket and seat."
    )
    seat_id: strawberry.ID | None = strawberry.field(
        default=None, description="The seat of a ticket, which is all that others than its owner know."
    )
    buyer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who is to get it; without a buyer it is the caller."
    )
    buyer_email: str | None = strawberry.field(
        default=None, description="The same, by the e-mail address of their account."
    )
    price: Decimal = strawberry.field(
        description="What the buyer pays, in the house's currency; 0 for a gift."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def wanted(self) -> Wanted:
        """The ticket, said in exactly one way."""
        if (self.ticket_id is None) == (self.seat_id is None):
            raise invalid("input.ticketId", "Say which ticket: by its id, or by its seat's, and not by both.")
        if self.ticket_id is not None:
            event_id, ticket_id = ids.read_ticket(self.ticket_id)
            return Wanted(event_id, ticket_id=ticket_id)
        assert self.seat_id is not None
        event_id, index = ids.read_seat(self.seat_id)
        return Wanted(event_id, index=index)

    def buyer(self) -> UUID | str | None:
        """Who is to get it, said in at most one way."""
        if self.buyer_id is not None and self.buyer_email is not None:
            raise invalid("input.buyerId", "Say who gets it by their id or by their e-mail address.")
        return self.buyer_email if self.buyer_id is None else ids.read_user(self.buyer_id)

    def price_minor(self, currency: str) -> int:
        """The price in minor units; one that the currency does not have is refused."""
        try:
            return to_minor(self.price, currency)
        except ValueError as error:
            raise invalid("input.price", str(error)) from None


@strawberry.input(description="A transfer to confirm: with one's own code, or with both.")
class ConfirmTransferInput:
    transfer_id: strawberry.ID = strawberry.field(description="The transfer.")
    seller_otp: str | None = strawberry.field(default=None, description="The code that the seller was sent.")
    buyer_otp: str | None = strawberry.field(default=None, description="The code that the buyer was sent.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A transfer, by its id.")
class TransferInput:
    transfer_id: strawberry.ID = strawberry.field(description="The transfer.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A transfer to dispute.")
class DisputeTransferInput:
    transfer_id: strawberry.ID = strawberry.field(description="The transfer.")
    reason: str = strawberry.field(
        description="Why, in up to 500 characters; the other one and the house read it too."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)
