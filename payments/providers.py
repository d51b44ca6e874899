"""By whom money comes in, as the settings say."""

from database import Database
from payments.provider import Provider
from payments.simulated import SimulatedProvider
from payments.stripe import StripeProvider
from settings import Settings


def provider_of(settings: Settings, database: Database) -> Provider | None:
    """Stripe when its keys are set; else the one that only plays, and in production nobody."""
    if settings.stripe_secret_key and settings.stripe_webhook_secret:
        return StripeProvider(
            settings.stripe_secret_key.get_secret_value(),
            settings.stripe_webhook_secret.get_secret_value(),
            settings.stripe_url,
        )
    if settings.is_production:
        return None
    return SimulatedProvider(database, settings.secret_key.get_secret_value())
