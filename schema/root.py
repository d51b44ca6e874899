"""The whole API on a page."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from resolvers.carts import CartMutations
from resolvers.codes import CodeMutations
from resolvers.deliveries import DeliveryMutations, DeliveryQueries
from resolvers.door import DoorMutations, DoorQueries, DoorSubscriptions
from resolvers.events import EventMutations, EventQueries
from resolvers.limits import LimitQueries
from resolvers.nodes import NodeQueries
from resolvers.notifications import NotificationMutations, NotificationSubscriptions
from resolvers.orders import OrderMutations, OrderQueries, OrderSubscriptions
from resolvers.seats import SeatSubscriptions
from resolvers.sessions import SessionMutations
from resolvers.tickets import TicketMutations, TicketQueries
from resolvers.transactions import TransactionMutations, TransactionQueries
from resolvers.transfers import TransferMutations, TransferQueries, TransferSubscriptions
from resolvers.users import UserMutations, UserQueries
from resolvers.venues import VenueMutations, VenueQueries
from resolvers.webhook_endpoints import WebhookEndpointMutations, WebhookEndpointQueries
from schema.executor import Executor
from schema.refusals import AnswerThatProviderIsAway, AnswerThatWeAreBusy, AnswerWithRefusal
from schema.scalars import DateTime, DecimalString


@strawberry.type(description="What can be asked.")
class Query(
    NodeQueries,
    UserQueries,
    EventQueries,
    VenueQueries,
    OrderQueries,
    TicketQueries,
    DoorQueries,
    TransferQueries,
    TransactionQueries,
    WebhookEndpointQueries,
    DeliveryQueries,
    LimitQueries,
):
    pass


@strawberry.type(
    description="What can be done. Each answer is what was made, or a Refusal that changed nothing."
)
class Mutation(
    SessionMutations,
    UserMutations,
    CodeMutations,
    OrderMutations,
    CartMutations,
    TicketMutations,
    DoorMutations,
    TransferMutations,
    TransactionMutations,
    NotificationMutations,
    VenueMutations,
    EventMutations,
    WebhookEndpointMutations,
    DeliveryMutations,
):
    pass


@strawberry.type(description="What can be watched.")
class Subscription(
    SeatSubscriptions,
    OrderSubscriptions,
    TransferSubscriptions,
    DoorSubscriptions,
    NotificationSubscriptions,
):
    pass


class Names(NameConverter):
    """Names in camelCase, each made once and not for each request."""

    def from_generic(self, object_type: Any, types: Any) -> str:
        """A page of a log is called by the log, and not by its entries."""
        return super().from_generic(object_type, types).replace("LogEntry", "Log")

    @staticmethod
    @cache
    def apply_naming_config(name: str) -> str:
        return to_camel_case(name)


class Schema(strawberry.Schema):
    """Ours, as Strawberry builds it; the engine runs it."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema


def sorted_sdl() -> str:
    """The schema as the text that is committed as schema/schema.graphql."""
    return schema.as_str() + "\n"


_scalars: dict[object, Any] = {datetime: DateTime, Decimal: DecimalString}

schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    exception_handlers=[AnswerWithRefusal(), AnswerThatWeAreBusy(), AnswerThatProviderIsAway()],
    execution_context_class=Executor,
    config=StrawberryConfig(scalar_map=_scalars, name_converter=Names()),
)
