"""The whole API on a page."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from resolvers.events import EventMutations, EventQueries
from resolvers.nodes import NodeQueries
from resolvers.orders import OrderMutations, OrderQueries
from resolvers.seats import SeatSubscriptions
from resolvers.tickets import TicketQueries
from resolvers.users import UserMutations, UserQueries
from resolvers.venues import VenueMutations, VenueQueries
from schema.documents import KnownDocuments, OneOperation
from schema.masking import PresentErrors
from schema.refusals import AnswerWithRefusal
from schema.scalars import DateTime, DecimalString
from schema.strings import FitStrings


@strawberry.type(description="What can be asked.")
class Query(NodeQueries, UserQueries, EventQueries, VenueQueries, OrderQueries, TicketQueries):
    pass


@strawberry.type(
    description="What can be done. Each answer is what was made, or a Refusal that changed nothing."
)
class Mutation(UserMutations, OrderMutations, VenueMutations, EventMutations):
    pass


@strawberry.type(description="What can be watched.")
class Subscription(SeatSubscriptions):
    pass


class Schema(strawberry.Schema):
    """Ours; an error is logged where it is masked for the client, and a client's mistake is not."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        pass


def sorted_sdl() -> str:
    """The schema as the text that is committed as schema/schema.graphql."""
    return schema.as_str() + "\n"


_scalars: dict[object, Any] = {datetime: DateTime, Decimal: DecimalString}

schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[KnownDocuments, OneOperation, FitStrings, PresentErrors],
    exception_handlers=[AnswerWithRefusal()],
    config=StrawberryConfig(scalar_map=_scalars, disable_field_suggestions=True),
)
