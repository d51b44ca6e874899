"""A message to somebody, and what whoever sends it promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from models.columns import new_id
from models.deliveries import DeliveryKind
from models.users import masked_email

PHONE_CHARACTERS_SHOWN = 3


@dataclass(frozen=True)
class Address:
    """Where somebody is reached: an e-mail address, or a phone number in E.164."""

    kind: DeliveryKind
    at: str

    @property
    def masked(self) -> str:
        """Enough of it for its owner to know it by, and for nobody else."""
        if self.kind is DeliveryKind.EMAIL:
            return masked_email(self.at)
        return f"{self.at[:PHONE_CHARACTERS_SHOWN]}***{self.at[-PHONE_CHARACTERS_SHOWN + 1 :]}"


def address_at(at: str) -> Address:
    """Tell an e-mail address from a phone number."""
    return Address(DeliveryKind.EMAIL if "@" in at else DeliveryKind.SMS, at)


@dataclass(frozen=True)
class Attachment:
    """A file that goes with an e-mail; its type is as in `text/calendar; method=PUBLISH`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Text:
    """What a message says. What is secret stands in the body; an SMS has no subject.

    An e-mail may say the same in HTML too, and have files with it.
    """

    subject: str
    body: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Message:
    """A text to an address; a repeat of the same message has the same id."""

    id: UUID
    to: Address
    text: Text


@dataclass(frozen=True)
class Draft:
    """A message to a person before it is put into words, which is done when it is sent.

    Its facts are plain JSON: moments in ISO 8601, amounts as `{"minor": 1000, "currency": "EUR"}`.
    """

    to: Address
    language: str
    template: str
    facts: Mapping[str, Any]
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class Answer:
    """What a receiver answered: the status of its protocol, and how its text begins."""

    status: int
    excerpt: str


class Undeliverable(Exception):
    """The message will never be taken: there is no use in trying again."""


class NotTaken(Exception):
    """The receiver answered, and did not take the message."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"status {answer.status}")
        self.answer = answer


class Sender(Protocol):
    """Sends messages of one kind."""

    async def send(self, message: Message) -> Answer | None:
        """Hand a message over; return what was answered, if that is worth keeping.

        Raises `Undeliverable`, or anything else when it may be tried again.
        """
