"""The post office: by whom each kind of message leaves, as the settings say."""

from collections.abc import Mapping

from database import Database
from messages.mailbox import Mailbox
from messages.message import Answer, Message, Sender
from messages.smtp import SmtpSender
from models.deliveries import DeliveryKind
from settings import Settings

SETTINGS = {DeliveryKind.AMQP: "AMQP_URL"}


class NobodySends(Exception):
    """The settings name nobody who sends this kind of message."""


class Post:
    """Sends each message by the sender of its kind."""

    def __init__(self, senders: Mapping[DeliveryKind, Sender]) -> None:
        self._senders = senders

    async def send(self, message: Message) -> Answer | None:
        """Hand a message over to its sender. Raises what that raises, or `NobodySends`."""
        sender = self._senders.get(message.to.kind)
        if sender is None:
            kind = message.to.kind
            raise NobodySends(f"no sender of {kind.value} is set, see {SETTINGS.get(kind, 'SMTP_URL')}")
        return await sender.send(message)


def post_of(
    settings: Settings, database: Database, webhooks: Sender | None = None, broker: Sender | None = None
) -> Post:
    """The senders that are set; in their place the mailbox, but never in production or for systems."""
    senders: dict[DeliveryKind, Sender] = {}
    if not settings.is_production:
        senders = dict.fromkeys(DeliveryKind, Mailbox(database))
    if settings.smtp_url:
        senders[DeliveryKind.EMAIL] = SmtpSender(settings.smtp_url.get_secret_value(), settings.mail_from)
    systems = {DeliveryKind.WEBHOOK: webhooks, DeliveryKind.AMQP: broker}
    for kind, sender in systems.items():
        senders.pop(kind, None)
        if sender:
            senders[kind] = sender
    return Post(senders)
