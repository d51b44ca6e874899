"""A message to somebody, and what whoever sends it promises."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

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
class Text:
    """What a message says. What is secret stands in the body; an SMS has no subject."""

    subject: str
    body: str


@dataclass(frozen=True)
class Message:
    """A text to an address; a repeat of the same message has the same id."""

    id: UUID
    to: Address
    text: Text


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
