"""The mailbox of a development server: what would have been sent, bounded, and never in production."""

import logging

import pytest

from database import Database
from messages import mailbox
from messages.mailbox import Mailbox
from messages.message import Address, Message, Text
from messages.post import NobodySends, post_of
from models.columns import new_id
from models.deliveries import DeliveryKind
from settings import Mode, Settings
from tests.serving import Server, serving


def message(at: str = "ann@example.com", body: str = "the code is 123456") -> Message:
    return Message(new_id(), Address(DeliveryKind.EMAIL, at), Text("A code", body))


async def test_what_is_sent_can_be_read_and_the_log_does_not_say_it(
    database: Database, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rowlock")
    post = post_of(server.app.state.house.settings, database)
    for sent in (message(), message("bob@example.com", "for Bob")):
        await post.send(sent)
    assert "A code" in caplog.text
    assert "123456" not in caplog.text
    assert "ann@" not in caplog.text
    mails = (await server.http.get("/mailbox")).json()
    assert [(mail["recipient"], mail["body"]) for mail in mails] == [
        ("bob@example.com", "for Bob"),
        ("ann@example.com", "the code is 123456"),
    ]
    mails = (await server.http.get("/mailbox", params={"to": "ann@example.com"})).json()
    assert [mail["recipient"] for mail in mails] == ["ann@example.com"]


async def test_only_the_last_mails_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAILS_MAX", 3)
    box = Mailbox(database)
    for number in range(5):
        await box.send(message(body=str(number)))
    assert [mail["body"] for mail in await box.newest()] == ["4", "3", "2"]


async def test_in_production_there_is_no_mailbox_and_what_nobody_sends_is_an_error(
    database: Database, settings: Settings
) -> None:
    production = settings.model_copy(update={"mode": Mode.PRODUCTION})
    with pytest.raises(NobodySends):
        await post_of(production, database).send(message())
    async with serving(production) as server:
        assert (await server.http.get("/mailbox")).status_code == 404
    assert not await database.rows("SELECT 1 FROM mailbox")
