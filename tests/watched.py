"""Two people at an event, and what each watcher of an order or a transfer is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.transfers import Transfer
from models.users import User
from payments.simulated import SimulatedProvider
from tests.serving import Server, receive, subscribe
from tests.transfers import bought, initiated, transferred
from tests.world import hold, new_event, new_user, pay, priced

FIELDS_OF_ORDER = """{ id status heldUntil updatedAt total { amount } refundedTotal { amount }
    items { seat { id } } tickets { id status owner { id } } transactions { id status amount { amount } } }"""
FIELDS_OF_TRANSFER = "{ id status sellerConfirmed buyerConfirmed disputeReason }"
WATCH_ORDER = f"subscription ($t: ID!) {{ orderUpdated(orderId: $t) {FIELDS_OF_ORDER} }}"
WATCH_TRANSFER = f"subscription ($t: ID!) {{ transferUpdated(transferId: $t) {FIELDS_OF_TRANSFER} }}"
SEE_ORDER = f"query ($t: ID!) {{ order(id: $t) {FIELDS_OF_ORDER} }}"
SEE_TRANSFER = f"query ($t: ID!) {{ transfer(id: $t) {FIELDS_OF_TRANSFER} }}"

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Scene:
    """Two people with credits and an event; what `database` commits, the server's watchers are told of."""

    database: Database
    server: Server
    event: Event
    alice: User
    bob: User

    @property
    def provider(self) -> SimulatedProvider:
        return SimulatedProvider(self.database, "a secret")

    async def held(self, *indexes: int) -> Order:
        return await hold(self.database, self.alice, self.event, list(indexes))

    async def paid(self, *indexes: int) -> Order:
        return await pay(self.database, self.alice, await self.held(*indexes))

    async def offered(self) -> Transfer:
        return await initiated(
            self.database, self.alice, await bought(self.database, self.alice, self.event), self.bob
        )

    async def given(self) -> Transfer:
        ticket = await bought(self.database, self.alice, self.event)
        return await transferred(self.database, self.alice, ticket, self.bob)

    async def seen(self, query: str, id: str) -> Any:
        """What a query shows to alice."""
        (shown,) = (await self.server.ask(query, self.alice, t=id)).values()
        return shown


async def new_scene(database: Database, server: Server) -> Scene:
    database.on_touched = server.app.state.house.news.tell
    people = [await new_user(database, credits_minor=9_000) for _ in range(2)]
    return Scene(database, server, await new_event(database, await priced(1, 5)), *people)


async def told(socket: ClientConnection) -> Any:
    """The next state that a watcher is told."""
    message = await receive(socket)
    assert message["type"] == "next", message
    (shown,) = message["payload"]["data"].values()
    return shown


async def has_it_as_it_is(scene: Scene, watch: str, see: str, id: str, act: Act) -> None:
    """Let alice watch a thing while something is done to it, until she has been told what it is then."""
    async with scene.server.socket(scene.alice) as socket:
        await subscribe(socket, watch, t=id)
        before = await told(socket)
        assert before == await scene.seen(see, id)
        await act()
        after = await scene.seen(see, id)
        assert after != before
        while await told(socket) != after:
            pass
