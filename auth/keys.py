"""The keys that the house signs with, made of its secrets: one for each purpose, so that none serves two."""

import hmac

from settings import Settings


def keys_for(purpose: str, settings: Settings) -> tuple[bytes, ...]:
    """The keys for a purpose: the first one makes, all of them check."""
    secrets = (settings.secret_key, *settings.other_secret_keys)
    return tuple(hmac.digest(s.get_secret_value().encode(), purpose.encode(), "sha256") for s in secrets)
