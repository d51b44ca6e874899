"""The post office: by whom each kind of message leaves, as the settings say."""

from collections.abc import Mapping

from database import Database
from messages.letters import Letters
from messages.mailbox import Mailbox
from messages.message import Answer, Draft, Message, Sender
from messages.smtp import SmtpSender
from messages.twilio import TwilioSender
from models.deliveries import DeliveryKind
from settings import Settings

SETTINGS = {DeliveryKind.SMS: "TWILIO_ACCOUNT_SID", DeliveryKind.AMQP: "AMQP_URL"}


class NobodySends(Exception):
    """The settings name nobody who sends this kind of message."""


class Post:
    """Sends each message by the sender of its kind, and puts drafts into words for it."""

    def __init__(self, senders: Mapping[DeliveryKind, Sender], letters: Letters | None = None) -> None:
        self._senders = senders
        self._letters = letters

    async def send(self, message: Message | Draft) -> Answer | None:
        """Hand a message over to its sender. Raises what that raises, or `NobodySends`."""
        sender = self._senders.get(message.to.kind)
        if sender is None:
            kind = message.to.kind
            raise NobodySends(f"no sender of {kind.value} is set, see {SETTINGS.get(kind, 'SMTP_URL')}")
        if isinstance(message, Draft):
            assert self._letters, "who sends to people has letters"
            message = await self._letters.write(message)
        return await sender.send(message)

    async def close(self) -> None:
        """Let go of connections and threads."""
        if self._letters:
            self._letters.close()
        for sender in self._senders.values():
            if isinstance(sender, TwilioSender):
                await sender.close()


def post_of(
    settings: Settings,
    database: Database,
    webhooks: Sender | None = None,
    broker: Sender | None = None,
    letters_share: float = 1,
) -> Post:
    """The senders that are set; in their place the mailbox, but never in production or for systems."""
    senders: dict[DeliveryKind, Sender] = {}
    if not settings.is_production:
        senders = dict.fromkeys(DeliveryKind, Mailbox(database))
    if settings.smtp_url:
        senders[DeliveryKind.EMAIL] = SmtpSender(settings.smtp_url.get_secret_value(), settings.mail_from)
    if settings.twilio_account_sid:
        senders[DeliveryKind.SMS] = TwilioSender(settings)
    for kind, sender in ((DeliveryKind.WEBHOOK, webhooks), (DeliveryKind.AMQP, broker)):
        senders.pop(kind, None)
        if sender:
            senders[kind] = sender
    return Post(senders, Letters(settings, letters_share))
