"""Bytes that are ready to be sent and may be kept: their ETag, and whether somebody has them."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Encoded:
    """Bytes that are ready to be sent, and what identifies them."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> "Encoded":
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def is_had(self, if_none_match: str) -> bool:
        """Say whether who sends this `If-None-Match` has these bytes."""
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or self.etag in tags
