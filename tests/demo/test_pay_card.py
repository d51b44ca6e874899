"""Playing the customer: paid, declined, late, twice, and what cannot be."""

from urllib.parse import urlsplit

import pytest

from database import Database
from demo.pay_card import play_customer
from jobs.settle_payments import settle_payments_once
from models.users import User
from payments.simulated import SimulatedProvider
from settings import Settings
from tests.paying import balance, begun, make_due, statuses
from tests.serving import Server
from tests.world import everything, new_user

WAYS = [
    (False, 1, "SUCCESS", 2_500),
    (False, 2, "SUCCESS", 2_500),
    (True, 1, "FAILED", 0),
    (False, 0, "PENDING", 0),
]


@pytest.fixture
def provider(database: Database, settings: Settings) -> SimulatedProvider:
    return SimulatedProvider(database, settings.secret_key.get_secret_value())


async def secret_of(database: Database, user: User, provider: SimulatedProvider) -> str:
    secret = (await begun(database, user, provider)).client_secret
    assert secret
    return secret


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_customer_pays_fails_is_late_or_is_told_of_twice(
    database: Database,
    server: Server,
    settings: Settings,
    provider: SimulatedProvider,
    way: tuple[bool, int, str, int],
) -> None:
    fails, webhooks, status, credited_minor = way
    alice = await new_user(database)
    secret = await secret_of(database, alice, provider)
    here = settings.model_copy(update={"port": urlsplit(server.url).port})
    said = await play_customer(database, here, secret, fails, webhooks)
    assert said.count("The webhook was sent: 200.") == webhooks
    assert (await statuses(database), await balance(database, alice)) == ([status], credited_minor)


async def test_what_comes_late_the_job_finds(
    database: Database, settings: Settings, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    secret = await secret_of(database, alice, provider)
    assert "a job finds out" in await play_customer(database, settings, secret, False, 0)
    await make_due(database)
    await settle_payments_once(database, provider)
    assert await balance(database, alice) == 2_500


async def test_a_wrong_secret_pays_nothing(
    database: Database, settings: Settings, provider: SimulatedProvider
) -> None:
    secret = await secret_of(database, await new_user(database), provider)
    before = await everything(database)
    for wrong in (secret[:-1], "x", "", secret.replace("pi_", "px_")):
        with pytest.raises(SystemExit, match="client secret"):
            await play_customer(database, settings, wrong, False, 1)
    assert await everything(database) == before


async def test_a_server_that_is_off_is_said(
    database: Database, settings: Settings, provider: SimulatedProvider
) -> None:
    secret = await secret_of(database, await new_user(database), provider)
    with pytest.raises(SystemExit, match="Is the server on"):
        await play_customer(database, settings.model_copy(update={"port": 9}), secret, False, 1)
