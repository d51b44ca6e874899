"""Plays the customer of a top-up or an order, and the network between the provider and our webhook."""

import httpx2

from database import Database
from payments.simulated import SimulatedProvider
from settings import Settings

ANSWER_SECONDS_MAX = 10
LATE = "No webhook was sent: a job finds out, within 10 minutes."


async def play_customer(
    database: Database, settings: Settings, client_secret: str, fails: bool, webhooks: int
) -> str:
    """Pay, or fail to, and send the webhook so many times; say what the server answered.

    Raises SystemExit with a sentence for a client secret of no payment, or a server that is not there.
    """
    provider = SimulatedProvider(database, settings.secret_key.get_secret_value())
    reference = await provider.reference_of(client_secret)
    if reference is None:
        raise SystemExit("No payment of the simulated provider has this client secret.")
    news = await provider.play(reference, "failed" if fails else "succeeded")
    said = [f"{reference}: {news.said.value.lower()}."]
    body, signature = await provider.event(reference)
    url = f"http://{settings.host}:{settings.port}/webhooks/stripe"
    async with httpx2.AsyncClient(timeout=ANSWER_SECONDS_MAX) as http:
        for _ in range(webhooks):
            try:
                answer = await http.post(url, content=body, headers={"stripe-signature": signature})
            except httpx2.HTTPError as error:
                raise SystemExit(
                    f"{url} does not answer: {type(error).__name__}. Is the server on?"
                ) from None
            said.append(f"The webhook was sent: {answer.status_code}.")
    return "\n".join(said if webhooks else [*said, LATE])
