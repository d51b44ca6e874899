"""What could not be sent: seeing it, and trying once more."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.deliveries import (
    GIVEN_UP,
    DeadLetter,
    RetryDeliveryInput,
    RetryDeliveryPayload,
    RetryDeliveryResult,
)
from schema.pages import After, Before, Connection, First, Last, connect
from steps.dead_letters import retry_delivery


@strawberry.type
class DeliveryQueries:
    @strawberry.field(
        description="Messages and webhooks that were given up, the last one first. What they say is not "
        "shown. OPERATOR, ADMIN."
    )
    async def dead_letters(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[DeadLetter] | None:
        info.context.require_operator()
        return await connect(info, GIVEN_UP, DeadLetter.of, PageArguments(first, after, last, before))


@strawberry.type
class DeliveryMutations:
    @strawberry.mutation(
        description="Try again what was given up, from the start. What is to be sent anyway stays as it "
        "is; what was sent or is erased is refused. OPERATOR, ADMIN."
    )
    async def retry_delivery(
        self,
        info: Info,
        input: Annotated[RetryDeliveryInput, strawberry.argument(description="What is to be sent.")],
    ) -> RetryDeliveryResult:
        info.context.require_operator()
        owner_id, delivery_id = ids.read_delivery(input.delivery_id)
        await info.context.transact(retry_delivery, owner_id=owner_id, delivery_id=delivery_id)
        return RetryDeliveryPayload(delivery_id=input.delivery_id)
