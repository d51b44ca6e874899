"""Counts the statements that a query takes, on one connection so that it is no matter of luck."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asyncpg.connection import LoggedQuery
from graphql import (
    OperationType,
)
from sqlalchemy import event as listening

from auth.budgets import Budgets
from auth.codes import Codes
from auth.issuers import Issuers
from auth.qr_codes import QrCodes
from auth.rate_limits import RateLimits
from auth.refresh_tokens import RefreshTokens
from auth.revocations import Revocations
from auth.tokens import AccessTokens
from auth.viewer import Viewer
from database import Database
from dataloaders.loads import Loads
from dataloaders.plans import Plans
from live.bus import Bus
from live.hub import Hub
from live.news import News
from models.users import Role, User
from schema.context import Context, House
from schema.engine import Asked, Engine
from schema.root import schema
from settings import Settings
from steps.pay_together import Payments
from steps.reserve_together import Reservations
from steps.visitors import Visitors
from tests.world import LIMITS

COST_MAX = 200_000  # more than a client may ask for at once


class Asking:
    """Runs queries on the database of the test, and counts the statements that each takes.

    One connection reads, so that statements are answered in the order in which they were asked: what meets in
    one batch is then no matter of luck.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"database_pool_size": 1, "query_cost_max": COST_MAX})
        self.database, self.engine = Database(self.settings), Engine(schema, self.settings)

    async def ask(self, query: str, user: User | None = None, **variables: Any) -> tuple[dict[str, Any], int]:
        """The data of an answer without errors, and how many statements were run for it."""
        viewer = Viewer(user.id, frozenset(Role(role) for role in user.roles)) if user else None
        asked = Asked(query, variables, None, frozenset({OperationType.QUERY}))
        with counted(self.database) as statements:
            result = await self.engine.execute(asked, Context(self._house(), viewer))
        assert result.errors is None
        assert result.data is not None
        return result.data, len(statements)

    def _house(self) -> House:
        """A house that remembers nothing, so that no query is cheap for having been asked before."""
        refresh_tokens = RefreshTokens(self.settings)
        return House(
            settings=self.settings,
            database=self.database,
            tokens=AccessTokens(self.settings),
            refresh_tokens=refresh_tokens,
            visitors=Visitors(self.database, Issuers([]), refresh_tokens, self.settings.access_token_seconds),
            revocations=Revocations(self.database, Bus(None), self.settings.access_token_seconds),
            rate_limits=RateLimits(self.settings),
            budgets=Budgets(self.settings.cost_per_minute_max),
            codes=Codes(self.settings),
            qr_codes=QrCodes(self.settings),
            plans=Plans(self.database),
            hub=Hub(self.database, Bus(self.settings.redis_url)),
            news=News(Bus(None)),
            looks=Loads(self.database),
            payments=Payments(self.database, self.settings.credits_currency),
            reservations=Reservations(self.database, LIMITS),
            provider=None,
        )


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that the reading connections send, from the driver itself."""
    statements: list[str] = []
    logged: dict[int, tuple[Any, Callable[[LoggedQuery], None]]] = {}

    def log(query: LoggedQuery) -> None:
        statements.append(query.query)

    def listen(connection: Any, *_: object) -> None:
        driver = connection.driver_connection
        if id(driver) not in logged:
            logged[id(driver)] = driver, log
            driver.add_query_logger(log)

    listening.listen(database.readers.sync_engine, "checkout", listen)
    try:
        yield statements
    finally:
        listening.remove(database.readers.sync_engine, "checkout", listen)
        for driver, _ in logged.values():
            driver.remove_query_logger(log)
