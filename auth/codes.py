"""One-time codes: six digits to be typed, or a long word to be pasted, of which only an HMAC is kept."""

import base64
import binascii
import hmac
import secrets
from typing import NamedTuple
from uuid import UUID

from auth.keys import keys_for
from messages.envelopes import Envelopes
from models.codes import CodePurpose
from settings import Settings

DIGITS = 6
TOKEN_PREFIX = "pr_"  # noqa: S105
TOKEN_SECRET_BYTES = 24
TOKEN_CHARACTERS_MAX = 100


class CodeObject(NamedTuple):
    """Who is to prove what by a code, and for which thing. A code counts for nothing else."""

    user_id: UUID
    purpose: CodePurpose
    object_id: UUID


class Codes:
    """Makes codes, compares them, and knows how long they are good and in what envelopes they leave."""

    def __init__(self, settings: Settings) -> None:
        self._peppers = keys_for("one-time codes", settings)
        self.envelopes = Envelopes(settings)
        self.seconds = settings.code_seconds
        self.pause_seconds = settings.code_pause_seconds

    def make(self) -> str:
        """Make six digits that nobody can guess."""
        return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"

    def make_token(self, user_id: UUID) -> str:
        """Make a word that names its person, and that nobody else could have said."""
        said = user_id.bytes + secrets.token_bytes(TOKEN_SECRET_BYTES)
        return TOKEN_PREFIX + base64.urlsafe_b64encode(said).decode().rstrip("=")

    def person_of(self, token: str) -> UUID | None:
        """Whom such a word names, which proves nothing yet; None when it is no such word."""
        encoded = token.removeprefix(TOKEN_PREFIX)
        if encoded == token or len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            return None
        try:
            said = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except binascii.Error:
            return None
        return UUID(bytes=said[:16]) if len(said) == 16 + TOKEN_SECRET_BYTES else None

    def digest(self, code: str, about: CodeObject) -> bytes:
        """What is kept of a code."""
        return _digest(self._peppers[0], code, about)

    def is_code(self, code: str, about: CodeObject, digest: bytes) -> bool:
        """Say whether it is the code of this digest; takes as long for one that is nearly right."""
        made = [hmac.compare_digest(_digest(pepper, code, about), digest) for pepper in self._peppers]
        return any(made)


def _digest(pepper: bytes, code: str, about: CodeObject) -> bytes:
    said = about.user_id.bytes + about.object_id.bytes + f"{about.purpose.value} {code}".encode()
    return hmac.digest(pepper, said, "sha256")
