"""Letters about what happened: to whoever wants them, once, in their language, or not at all."""

import asyncio
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import Record
from pydantic import SecretStr
from pypdf import PdfReader

from database import Database, Transaction
from jobs.tell_people import tell_people_once
from messages.envelopes import Envelopes
from messages.message import Draft, Undeliverable
from models.deliveries import DeliveryKind
from models.notifications import NotificationChannel, NotificationKind
from models.orders import Order
from models.users import User
from schema.letters import facts_of
from settings import Mode
from steps.delete_user import delete_user
from steps.notify import Notice, notify
from steps.tell_people import AN_HOUR_MAX, tell_people
from steps.transact import transact
from tests.codes import ENVELOPES, LETTERS, SETTINGS
from tests.delivering import Provider, delivered, let_it_be_due
from tests.transfers import bought, initiated
from tests.world import everything, hold, new_event, new_user, pay, refund, until_somebody_waits

SMS_MAX = AN_HOUR_MAX[DeliveryKind.SMS]


@pytest.fixture
async def alice(database: Database) -> User:
    alice = await new_user(database, credits_minor=10_000, email="alice@example.com")
    await changed(database, full_name="Alice Archer")
    return alice


@pytest.fixture
async def order(database: Database, alice: User) -> Order:
    """An order that was paid, of two seats, of which nobody was told yet."""
    return await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))


async def changed(database: Database, **columns: object) -> None:
    """Let all people have these values."""
    async with database.transaction() as tx:
        for name, value in columns.items():
            await tx.rows(f"UPDATE users SET {name} = $1", value)


async def prefers(database: Database, user: User, channel: str, kind: str, *, wanted: bool) -> None:
    async with database.transaction() as tx:
        await tx.rows(
            "INSERT INTO notification_preferences VALUES ($1, $2, $3, $4)", user.id, kind, channel, wanted
        )


async def told(database: Database, envelopes: Envelopes = ENVELOPES) -> list[Draft]:
    """What is to be sent once nobody has anything to be told."""
    while await tell_people_once(database, envelopes):
        pass
    rows = await database.rows(
        "SELECT * FROM deliveries WHERE state = 'PENDING' ORDER BY kind, created_at, id"
    )
    drafts = [ENVELOPES.open(row) for row in rows]
    return [draft for draft in drafts if isinstance(draft, Draft)]


async def notifications(database: Database) -> list[Record]:
    return list(await database.rows("SELECT * FROM notifications ORDER BY id"))


async def test_who_has_bought_gets_the_tickets_by_mail_once(
    database: Database, alice: User, order: Order
) -> None:
    (draft,) = await told(database)
    ((id,),) = await database.rows("SELECT id FROM notifications WHERE told_at IS NOT NULL")
    assert (draft.id, draft.to.at, draft.template) == (id, "alice@example.com", "order_confirmed")
    provider = Provider(database)
    assert await delivered(database, provider) == 1
    (letter,) = provider.sent
    assert letter.id == id
    assert letter.text.subject == f"Your order {order.reference} is confirmed: Show"
    assert "Hello Alice Archer," in letter.text.body
    assert "Total €20.00" in letter.text.body
    _, tickets = letter.text.attachments
    said = PdfReader(BytesIO(tickets.content)).pages[0].extract_text()
    assert "Row 1, Seat 1" in said
    assert "Row 1, Seat 2" in said
    assert await told(database) == []
    assert await delivered(database, provider) == 0


async def test_it_is_in_the_language_of_the_person(database: Database, alice: User, order: Order) -> None:
    await changed(database, language="de")
    (draft,) = await told(database)
    assert LETTERS.text_of(draft).subject == f"Ihre Bestellung {order.reference} ist bestätigt: Show"


@pytest.mark.parametrize("why", ["preference", "deactivated", "no address"])
async def test_who_does_not_want_it_or_cannot_get_it_gets_nothing(
    database: Database, alice: User, order: Order, why: str
) -> None:
    if why == "preference":
        await prefers(database, alice, "EMAIL", "ORDER_CONFIRMED", wanted=False)
    elif why == "deactivated":
        await changed(database, active=False)
    else:
        await changed(database, email="00@no-address.invalid")
    assert await told(database) == []
    assert [row["told_at"] is None for row in await notifications(database)] == [False]


async def test_an_sms_goes_to_who_wants_one_and_has_a_phone_where_there_is_a_provider(
    database: Database, alice: User, order: Order
) -> None:
    await changed(database, phone="+4930123456")
    await prefers(database, alice, "SMS", "ORDER_CONFIRMED", wanted=True)
    mail, sms = await told(database)
    assert (sms.to.kind, sms.to.at) == ("SMS", "+4930123456")
    assert sms.id != mail.id
    assert LETTERS.text_of(sms).body == f"Your order {order.reference} is confirmed: Show"
    await untell(database)
    for url, kinds in ((SecretStr("smtp://mail.example"), ["EMAIL"]), (None, [])):
        production = Envelopes(SETTINGS.model_copy(update={"mode": Mode.PRODUCTION, "smtp_url": url}))
        assert [draft.to.kind for draft in await told(database, production)] == kinds
        await untell(database)


async def untell(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM deliveries")
        await tx.rows("UPDATE notifications SET told_at = NULL")


async def notified(database: Database, *notices: Notice) -> None:
    async def step(tx: Transaction) -> None:
        await notify(tx, *notices)

    await transact(database, step)


async def test_every_kind_of_notification_has_its_letter(database: Database, alice: User) -> None:
    bob = await new_user(database, credits_minor=10_000, email="bob@example.com")
    ticket = await bought(database, alice)
    transfer = await initiated(database, alice, ticket, bob)
    other = await pay(database, alice, await hold(database, alice, await new_event(database), [3]))
    await refund(database, alice, other)
    ((transaction_id,),) = await database.rows("SELECT id FROM movements WHERE kind = 'REFUND'")
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM notifications")
        await tx.rows("DELETE FROM deliveries")
    about: dict[str, UUID] = {"event_id": ticket.event_id, "order_id": ticket.order_id}
    more: dict[str, dict[str, Any]] = {
        "TICKET": {**about, "ticket_id": ticket.id, "transaction_id": transaction_id},
        "TRANSFER": {"event_id": ticket.event_id, "ticket_id": ticket.id, "transfer_id": transfer.id},
        "TOP": {"transaction_id": transaction_id},
    }
    for user in (alice, bob):
        for kind in NotificationKind:
            for channel in NotificationChannel:
                await prefers(database, user, channel.value, kind.value, wanted=True)
            facts = more.get(kind.partition("_")[0], about)
            if user is alice or "transfer_id" in facts:
                await notified(database, Notice(user.id, kind, **facts))
    drafts = await told(database)
    alices = {draft.template for draft in drafts if draft.to.at == alice.email}
    assert alices == {kind.value.lower() for kind in NotificationKind}
    bobs = {draft.template: LETTERS.text_of(draft) for draft in drafts if draft.to.at == bob.email}
    assert "Alice Archer wants to hand you this ticket for €15.00" in bobs["transfer_requested"].body
    assert "€10.00" not in "".join(letter.body for letter in bobs.values())  # what Alice has paid
    assert all(LETTERS.text_of(draft).html for draft in drafts)
    refunded = next(draft for draft in drafts if draft.template == "ticket_refunded")
    assert "You get €10.00 back" in LETTERS.text_of(refunded).body


async def test_what_is_rolled_back_nobody_is_told(database: Database, alice: User) -> None:
    async def fail(tx: Transaction) -> None:
        await notify(tx, Notice(alice.id, NotificationKind.TOP_UP_SUCCEEDED))
        raise Undeliverable

    with pytest.raises(Undeliverable):
        await transact(database, fail)
    assert await told(database) == []


async def test_who_dies_while_telling_leaves_it_to_another_and_who_dies_after_it_loses_nothing(
    database: Database, alice: User, order: Order
) -> None:
    before = await everything(database)

    async def die(tx: Transaction) -> None:
        await tell_people(tx, envelopes=ENVELOPES, facts_of=facts_of, notifications_max=10)
        raise Undeliverable

    with pytest.raises(Undeliverable):
        await transact(database, die)
    assert await everything(database) == before
    (draft,) = await told(database)
    dying, provider = Provider(database, hangs=True), Provider(database)
    worker = asyncio.create_task(delivered(database, dying))
    async with asyncio.timeout(10):
        while not dying.sent:
            await asyncio.sleep(0.001)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await let_it_be_due(database)
    await delivered(database, provider)
    assert [message.id for message in provider.sent] == [draft.id]
    assert provider.sent == dying.sent  # to the letter, with the same Message-ID


async def test_two_workers_do_not_tell_the_same(database: Database, alice: User) -> None:
    event = await new_event(database)
    for index in range(6):
        await pay(database, alice, await hold(database, alice, event, [index]))
    await asyncio.gather(*(tell_people_once(database, ENVELOPES) for _ in range(4)))
    assert len({draft.id for draft in await told(database)}) == 6


async def test_what_another_worker_has_in_hand_is_passed_by(database: Database, alice: User) -> None:
    event = await new_event(database)
    for user in (alice, await new_user(database)):
        await notified(database, Notice(user.id, NotificationKind.EVENT_CANCELLED, event.id))
    one = {"envelopes": ENVELOPES, "facts_of": facts_of, "notifications_max": 1}
    async with database.transaction() as tx:
        assert await tell_people(tx, **one) == 1
        assert await transact(database, tell_people, **one) == 1
        assert await transact(database, tell_people, **one) == 0
    assert len(await told(database)) == 2


async def test_nobody_is_sent_more_in_an_hour_than_is_good_and_all_of_it_is_in_their_list(
    database: Database, alice: User
) -> None:
    await changed(database, phone="+4930123456")
    await prefers(database, alice, "SMS", "TICKET_ACTIVATED", wanted=True)
    bob, event = await new_user(database), await new_event(database)
    about = (NotificationKind.TICKET_ACTIVATED, event.id)
    await notified(database, *(Notice(alice.id, *about) for _ in range(SMS_MAX + 3)))
    assert len(await told(database)) == SMS_MAX
    await notified(
        database, Notice(alice.id, *about), Notice(bob.id, NotificationKind.EVENT_CANCELLED, event.id)
    )
    assert len(await told(database)) == SMS_MAX + 1  # bob has had nothing yet
    assert all(row["told_at"] for row in await notifications(database))
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET created_at = created_at - interval '1 hour'")
    await notified(database, Notice(alice.id, *about))
    assert len(await told(database)) == SMS_MAX + 2


async def test_what_is_gone_is_not_written_about(database: Database, alice: User, order: Order) -> None:
    gone = {"event_id": order.event_id, "order_id": alice.id}
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM notifications")
    await notified(database, Notice(alice.id, NotificationKind.ORDER_CANCELLED, **gone))
    assert await told(database) == []
    assert [row["told_at"] is None for row in await notifications(database)] == [False]


async def test_whom_somebody_changes_just_now_is_told_in_the_next_round(
    database: Database, alice: User, order: Order
) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET active = active WHERE id = $1", alice.id)
        assert await tell_people_once(database, ENVELOPES) == 0
    assert len(await told(database)) == 1


async def test_what_belongs_to_nobody_is_looked_at_once_and_in_nobodys_way(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.rows(
            "INSERT INTO notifications (user_id, id, kind) VALUES ($1, $1, 'TOP_UP_SUCCEEDED')", uuid4()
        )
    assert [await tell_people_once(database, ENVELOPES) for _ in range(2)] == [1, 0]
    assert await told(database) == []


async def test_who_is_deleted_meanwhile_is_written_nothing(database: Database, alice: User) -> None:
    event = await new_event(database)
    await notified(database, Notice(alice.id, NotificationKind.EVENT_CANCELLED, event.id))
    async with database.transaction() as tx:
        await tell_people(tx, envelopes=ENVELOPES, facts_of=facts_of, notifications_max=10)
        assert await tx.value("SELECT count(*) FROM deliveries") == 1
        deleting = asyncio.create_task(transact(database, delete_user, user_id=alice.id))
        await until_somebody_waits(database)
    await deleting
    for table in ("deliveries", "notifications", "users"):
        assert not await database.rows(f"SELECT 1 FROM {table}")
