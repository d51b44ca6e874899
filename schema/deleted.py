"""What is there no more."""

from typing import Annotated

import strawberry

from schema.refusals import Refusal


@strawberry.type(description="It is deleted.")
class DeletePayload:
    deleted_id: strawberry.ID = strawberry.field(description="The id of what was deleted.")


DeleteResult = Annotated[
    DeletePayload | Refusal, strawberry.union("DeleteResult", description="What was deleted, or why not.")
]
