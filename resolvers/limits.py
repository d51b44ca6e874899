"""What a caller may still ask for."""

import strawberry

from observing.current import observed
from schema.context import Info
from schema.limits import RateLimit


@strawberry.type
class LimitQueries:
    @strawberry.field(description="What this operation costs, and what is left of the caller's budget.")
    def rate_limit(self, info: Info) -> RateLimit:
        return RateLimit.of(observed().cost or 0, info.context)
