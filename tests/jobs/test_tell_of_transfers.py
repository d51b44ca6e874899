"""Letters about transfers of which the house has decided."""

from database import Database
from tests.codes import LETTERS
from tests.jobs.test_tell_people import told
from tests.transfers import bought, disputed, rejected, transferred
from tests.world import new_event, new_user


async def test_a_transfer_that_stands_after_a_dispute_is_not_told_as_a_new_one(database: Database) -> None:
    alice = await new_user(database, credits_minor=10_000)
    event, bob = await new_event(database), await new_user(database, credits_minor=10_000)
    transfer = await transferred(database, alice, await bought(database, alice, event, 0), bob)
    transfer = await disputed(database, bob, transfer)
    sent_before = {draft.id for draft in await told(database)}
    await rejected(database, transfer)
    letters = [draft for draft in await told(database) if draft.id not in sent_before]
    assert {draft.to.at for draft in letters} == {alice.email, bob.email}
    for draft in letters:
        assert LETTERS.text_of(draft).subject == f"The transfer of a ticket for {event.name} stands"
        assert draft.facts["attached"] == []
