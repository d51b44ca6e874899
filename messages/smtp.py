"""E-mail over SMTP."""

from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import aiosmtplib

from messages.message import Attachment, Message, Undeliverable

TIMEOUT_SECONDS = 15
PERMANENT_CODE_MIN = 500
PORTS = {"smtp": 587, "smtps": 465}


class SmtpSender:
    """Sends by the server of a URL such as smtp://user:password@host:587; smtps:// is TLS from the start.

    With smtp:// TLS begins as soon as the server offers it; a password is not sent without.
    """

    def __init__(self, url: str, sent_from: str) -> None:
        parts = urlsplit(url)
        self._sent_from = sent_from
        self._options = {
            "hostname": parts.hostname,
            "port": parts.port or PORTS[parts.scheme],
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "use_tls": parts.scheme == "smtps",
            "start_tls": True if parts.scheme == "smtp" and parts.username else None,
            "timeout": TIMEOUT_SECONDS,
        }

    async def send(self, message: Message) -> None:
        """Hand a message over to the server. Raises `Undeliverable` for one that it will never take."""
        try:
            await aiosmtplib.send(self._letter(message), **self._options)  # type: ignore[arg-type]
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refused.code >= PERMANENT_CODE_MIN for refused in error.recipients):
                raise Undeliverable("the mail server does not know the recipient") from None
            raise

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"] = self._sent_from, message.to.at
        letter["Subject"], letter["Date"] = message.text.subject, formatdate()
        letter["Message-ID"] = f"<{message.id}@{self._sent_from.rpartition('@')[2].strip('>')}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text.body)
        if message.text.html:
            letter.add_alternative(message.text.html, subtype="html")
        for attachment in message.text.attachments:
            _attach(letter, attachment)
        return letter


def _attach(letter: EmailMessage, attachment: Attachment) -> None:
    kind, *said = attachment.media_type.split("; ")
    main, _, sub = kind.partition("/")
    params = dict(one.split("=", 1) for one in said)
    letter.add_attachment(
        attachment.content, maintype=main, subtype=sub, filename=attachment.name, params=params
    )
