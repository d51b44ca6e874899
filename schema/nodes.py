"""Things with an id of their own."""

import strawberry


@strawberry.interface(description="A thing with an id of its own, by which `node` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque and globally unique; a client never takes it apart."
    )
