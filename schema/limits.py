"""What an operation costs, and what is left of the caller's budget."""

from datetime import UTC, datetime

import strawberry

from schema.context import Context


@strawberry.type(description="What this operation costs, and what is left of its caller's budget.")
class RateLimit:
    cost: int = strawberry.field(description="About one for each object that is asked for.")
    limit: int = strawberry.field(description="What all operations of the caller may cost in a minute.")
    remaining: int = strawberry.field(description="What is left of it after this operation.")
    reset_at: datetime = strawberry.field(description="When all of it is there again.")

    @classmethod
    def of(cls, cost: int, context: Context) -> "RateLimit":
        budget = context.house.budgets.of(context.spender)
        reset_at = datetime.fromtimestamp(budget.reset_at, UTC)
        return cls(cost=cost, limit=budget.limit, remaining=budget.remaining, reset_at=reset_at)
