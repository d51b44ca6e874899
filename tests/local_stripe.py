"""A server that speaks Stripe's API, in a process of its own: its objects, its errors, its webhooks."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

# It would keep everything in a file that belongs to the machine.
RUN = """
import socket, sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
web.run_app(server.app, sock=socket.socket(fileno=int(sys.argv[1])), print=None, access_log=None)
"""


@dataclass(frozen=True)
class LocalStripe:
    """Where it answers, and what a customer's browser and the house's dashboard do there."""

    url: str
    http: httpx2.AsyncClient

    async def send_webhooks_to(self, url: str, secret: str) -> None:
        given = {"url": url, "secret": secret}
        (await self.http.post("/_config/webhooks/house", json=given)).raise_for_status()

    async def customer_pays(self, client_secret: str, card: str = "pm_card_visa") -> httpx2.Response:
        """Confirm a payment with a card, as its form in the browser does."""
        intent = f"/v1/payment_intents/{client_secret.partition('_secret_')[0]}"
        (await self.http.post(intent, json={"payment_method": card})).raise_for_status()
        return await self.http.post(f"{intent}/confirm")

    async def all_of(self, objects: str) -> list[dict[str, Any]]:
        """What there is of a kind, as `refunds`."""
        found: list[dict[str, Any]] = (await self.http.get(f"/v1/{objects}")).json()["data"]
        return found


@asynccontextmanager
async def local_stripe() -> AsyncIterator[LocalStripe]:
    """Run one until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, number = listening.getsockname()[1], listening.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, str(number), pass_fds=[number]
        )
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, auth=("sk_test_1", ""), timeout=20) as http:
            yield LocalStripe(url, http)
    finally:
        process.terminate()
        await process.wait()
