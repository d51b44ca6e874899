"""Let another system of the house in, and shut it out."""

import hashlib
import secrets
from uuid import UUID

from database import Transaction
from models.service_clients import ServiceClient
from steps.refusals import Inputs, RefusalCode, Refused

NAME_CHARACTERS_MAX = 100
SECRET_BYTES = 32


def secret_hash(secret: str) -> bytes:
    """What is kept of a client's secret, which is random and long, so that a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


async def make_service_client(tx: Transaction, *, name: str) -> tuple[UUID, str]:
    """Put a client on record; return its id and its secret, which nobody can read again."""
    inputs = Inputs()
    inputs.check_text(name, "name", "name", NAME_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    client = ServiceClient(name=name, secret_hash=secret_hash(secret))
    tx.session.add(client)
    await tx.session.flush()
    return client.id, secret


async def revoke_service_client(tx: Transaction, *, client_id: UUID) -> str:
    """Give this client no token any more, and let those that it has be good no longer; return its name."""
    name: str | None = await tx.value(
        """UPDATE service_clients SET revoked_at = statement_timestamp()
           WHERE id = $1 AND revoked_at IS NULL RETURNING name""",
        client_id,
    )
    if name is None:
        raise Refused(RefusalCode.VALIDATION_ERROR, "There is no such client, or it was revoked before.")
    tx.ended_sessions.add(client_id)
    return name
