"""What was given up on its way out of the house, for those who look after it: never what it says."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from dataloaders.loads import DEAD_LETTERS
from dataloaders.pages import BY_ID, Listing, Sort, by_moment
from models import deliveries as rows
from schema import ids
from schema.context import Info
from schema.enums import DeliveryKind
from schema.nodes import Node
from schema.refusals import Refusal
from steps.dead_letters import shown_answer, shown_recipient

GIVEN_UP: Listing[rows.Delivery] = Listing(
    DEAD_LETTERS, (by_moment("next_attempt_at"), BY_ID, Sort("owner_id", "uuid", UUID)), descending=True
)
"""The last to be given up first; a webhook has the same id at each endpoint."""


@strawberry.type(description="A message, webhook or event that could not be sent; what it says is not shown.")
class DeadLetter(Node):
    kind: DeliveryKind = strawberry.field(description="By what it was to go.")
    recipient: str = strawberry.field(
        description="To whom: an e-mail address, masked, or the id of the person or endpoint, as "
        "`rowlock deliveries` shows it."
    )
    attempts: int = strawberry.field(description="How often it was tried.")
    answer_status: int | None = strawberry.field(description="The status that came last, if one did.")
    answer: str | None = strawberry.field(
        description="The beginning of what was answered last, with the address masked."
    )
    created_at: datetime = strawberry.field(description="When it was to be sent.")
    given_up_at: datetime = strawberry.field(description="Since when it is not tried any more.")

    @classmethod
    def of(cls, row: rows.Delivery) -> "DeadLetter":
        return cls(
            id=ids.delivery_id(row.owner_id, row.id),
            kind=DeliveryKind(row.kind),
            recipient=shown_recipient(row.kind, row.recipient, row.owner_id),
            attempts=row.attempts,
            answer_status=row.answer_status,
            answer=shown_answer(row.answer, row.kind, row.recipient, row.owner_id),
            created_at=row.created_at,
            given_up_at=row.next_attempt_at,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "DeadLetter | None":
        key, viewer = ids.read_delivery(id), info.context.viewer
        may_see = viewer is not None and viewer.runs_events
        row = await info.context.loads.dead_letter.load(key) if may_see else None
        return cls.of(row) if row else None


@strawberry.input(description="What is to be sent after all.")
class RetryDeliveryInput:
    delivery_id: strawberry.ID = strawberry.field(description="Its id in `deadLetters`.")


@strawberry.type(description="It is tried again, from the start.")
class RetryDeliveryPayload:
    delivery_id: strawberry.ID = strawberry.field(description="What is tried again.")


RetryDeliveryResult = Annotated[
    RetryDeliveryPayload | Refusal,
    strawberry.union("RetryDeliveryResult", description="What is tried again, or why not."),
]
