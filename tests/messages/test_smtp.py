"""E-mail over SMTP, to a real server of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message as Letter
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

from database import Database
from messages.message import Address, Draft, Message, Text, Undeliverable
from messages.post import post_of
from messages.samples import ABOUT
from messages.smtp import SmtpSender
from models.columns import new_id
from models.deliveries import DeliveryKind
from settings import Mode, Settings
from tests.codes import LETTERS

CONFIRMED: dict[str, Any] = ABOUT["order_confirmed"][1]
FROM = "The House <tickets@house.example>"


class Inbox:
    """Takes every letter but those to people whom it does not know, or not now."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, Letter]] = []
        self.logins = 0

    def authenticate(self, *_: Any) -> AuthResult:
        """Take any password, also in clear, as no server should."""
        self.logins += 1
        return AuthResult(success=True)

    async def handle_RCPT(  # noqa: N802  (the server's own name)
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.letters.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Inbox, str]]:
    inbox = Inbox()

    def smtp() -> SMTP:
        return SMTP(inbox, authenticator=inbox.authenticate, auth_require_tls=False)

    server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0)
    yield inbox, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


def message(at: str) -> Message:
    return Message(new_id(), Address(DeliveryKind.EMAIL, at), Text("Grüße", "Ein Code: 123456\n"))


async def test_a_letter_arrives_and_a_repeat_has_the_same_id(
    inbox: tuple[Inbox, str], database: Database, settings: Settings
) -> None:
    box, url = inbox
    sent = message("ann@example.com")
    changes = {"mode": Mode.PRODUCTION, "smtp_url": SecretStr(url), "mail_from": FROM}
    post = post_of(settings.model_copy(update=changes), database)
    for _ in range(2):
        await post.send(sent)
    (to, letter), (_, repeat) = box.letters
    assert (to, letter["To"], letter["From"]) == ("ann@example.com", "ann@example.com", FROM)
    assert b"Ein Code: 123456" in letter.get_payload(decode=True)  # type: ignore[operator]
    assert letter["Message-ID"] == repeat["Message-ID"] == f"<{sent.id}@house.example>"


async def test_a_letter_has_its_text_its_html_and_its_files(inbox: tuple[Inbox, str]) -> None:
    draft = Draft(Address(DeliveryKind.EMAIL, "ann@example.com"), "de", "order_confirmed", CONFIRMED)
    await SmtpSender(inbox[1], FROM).send(await LETTERS.write(draft))
    ((_, arrived),) = inbox[0].letters
    assert (arrived["Auto-Submitted"], arrived.get_content_type()) == ("auto-generated", "multipart/mixed")
    assert arrived["Message-ID"] == f"<{draft.id}@house.example>"
    parts = {part.get_content_type(): part for part in arrived.walk()}
    assert list(parts) == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/pdf",
    ]
    calendar, tickets = parts["text/calendar"], parts["application/pdf"]
    assert calendar["Content-Type"] == 'text/calendar; charset="utf-8"; method="PUBLISH"'
    assert (calendar.get_filename(), tickets.get_filename()) == ("event.ics", "tickets.pdf")
    assert b"%PDF-" in tickets.get_payload(decode=True)  # type: ignore[operator]


async def test_no_name_can_add_a_header(inbox: tuple[Inbox, str]) -> None:
    event = CONFIRMED["event"] | {"name": "Show\r\nBcc: all@example.com\r\n\r\nHello"}
    to = Address(DeliveryKind.EMAIL, "ann@example.com")
    draft = Draft(to, "en", "order_cancelled", CONFIRMED | {"event": event})
    await SmtpSender(inbox[1], FROM).send(await LETTERS.write(draft))
    ((_, arrived),) = inbox[0].letters
    assert arrived["Bcc"] is None
    assert str(make_header(decode_header(arrived["Subject"]))).endswith("Show Bcc: all@example.com Hello")


async def test_who_is_not_known_there_is_never_tried_again_and_who_is_busy_is(
    inbox: tuple[Inbox, str],
) -> None:
    sender = SmtpSender(inbox[1], FROM)
    with pytest.raises(Undeliverable):
        await sender.send(message("nobody@example.com"))
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await sender.send(message("later@example.com"))


async def test_a_password_is_not_sent_in_clear(inbox: tuple[Inbox, str]) -> None:
    sender = SmtpSender(inbox[1].replace("//", "//user:secret@"), FROM)
    with pytest.raises(aiosmtplib.SMTPException):
        await sender.send(message("ann@example.com"))
    assert (inbox[0].logins, inbox[0].letters) == (0, [])
