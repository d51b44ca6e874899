"""An event, two people with credits and the house, to whom all sorts of things can happen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.refusals import Refused
from steps.transact import transact
from tests.doors import ticket_at
from tests.transfers import bought, transferred
from tests.world import hold, new_event, new_user, pay


@dataclass(frozen=True)
class Scene:
    """An event, two people with credits, and somebody who works for the house."""

    database: Database
    event: Event
    alice: User
    bob: User
    house: User
    provider: SimulatedProvider

    async def do(self, step: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        return await transact(self.database, step, **arguments)

    async def held(self, *indexes: int) -> Order:
        return await hold(self.database, self.alice, self.event, list(indexes))

    async def paid(self, *indexes: int) -> Order:
        return await pay(self.database, self.alice, await self.held(*indexes))

    async def ticket(self, index: int = 0) -> Ticket:
        return await bought(self.database, self.alice, self.event, index)

    async def given(self, index: int = 0) -> Ticket:
        """A ticket that alice bought and bob owns."""
        await transferred(self.database, self.alice, await self.ticket(index), self.bob)
        return ticket_of(await ticket_at(self.database, self.event.id, index))


async def scene_of(database: Database) -> Scene:
    alice, bob = [await new_user(database, credits_minor=20_000) for _ in range(2)]
    house, provider = await new_user(database), SimulatedProvider(database, "a secret")
    return Scene(database, await new_event(database), alice, bob, house, provider)


Act = Awaitable[object]
Way = Callable[[Scene], Awaitable[Act]]
Told = dict[str, list[str]]
"""What people are notified of, by what they are in the scene, each in its order."""


async def three_times(attempt: Callable[[], Awaitable[object]]) -> None:
    for _ in range(3):
        try:
            await attempt()
        except Refused:
            continue
        raise AssertionError("a wrong code is refused")
