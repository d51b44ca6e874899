"""Every way in which something happens to the two of a transfer."""

from jobs.fail_transfers import fail_transfers_once
from models.codes import CodePurpose
from steps.cancel_ticket import cancel_ticket
from steps.delete_ticket import delete_ticket
from steps.delete_user import delete_user
from tests.codes import code_sent_to, other_than, verified
from tests.life import ended
from tests.steps.scene import Act, Scene, Told, Way, three_times
from tests.transfers import (
    cancelled,
    codes_of,
    confirmed,
    disputed,
    initiated,
    let_time_be_over,
    rejected,
    transferred,
    undone,
)


async def offer_a_ticket(s: Scene) -> Act:
    return initiated(s.database, s.alice, await s.ticket(), s.bob)


async def ask_for_a_ticket(s: Scene) -> Act:
    return initiated(s.database, s.bob, await s.ticket(), by_seat=True)


async def confirm_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return confirmed(s.database, s.alice, transfer, **await codes_of(s.database, s.alice, s.bob))


async def three_wrong_codes_for_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    wrong = other_than(await code_sent_to(s.database, s.bob))
    return three_times(lambda: confirmed(s.database, s.bob, transfer, buyer_otp=wrong))


async def three_wrong_codes_by_themselves(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    wrong, reference = other_than(await code_sent_to(s.database, s.bob)), (transfer.event_id, transfer.id)
    return three_times(lambda: verified(s.database, s.bob, reference, wrong, CodePurpose.TRANSFER))


async def let_a_transfer_lapse(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    await let_time_be_over(s.database, transfer)
    return fail_transfers_once(s.database)


async def begin_another_transfer_after_one_that_lapsed(s: Scene) -> Act:
    ticket = await s.ticket()
    await let_time_be_over(s.database, await initiated(s.database, s.alice, ticket, s.bob))
    return initiated(s.database, s.alice, ticket, s.bob)


async def delete_a_ticket_that_was_on_its_way(s: Scene) -> Act:
    ticket = await s.ticket()
    await initiated(s.database, s.alice, ticket, s.bob)
    await ended(s.database, cancel_ticket, s.alice, ticket)
    return s.do(delete_ticket, actor_id=s.house.id, event_id=s.event.id, ticket_id=ticket.id)


async def give_a_transfer_up(s: Scene) -> Act:
    return cancelled(s.database, s.alice, await initiated(s.database, s.alice, await s.ticket(), s.bob))


async def let_the_house_end_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return cancelled(s.database, s.house, transfer, any_party=True)


async def delete_who_was_to_get_a_ticket(s: Scene) -> Act:
    await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return s.do(delete_user, user_id=s.bob.id)


async def dispute_a_transfer(s: Scene) -> Act:
    return disputed(s.database, s.alice, await transferred(s.database, s.alice, await s.ticket(), s.bob))


async def reject_a_dispute(s: Scene) -> Act:
    transfer = await transferred(s.database, s.alice, await s.ticket(), s.bob)
    return rejected(s.database, await disputed(s.database, s.bob, transfer))


async def reverse_a_transfer(s: Scene) -> Act:
    return undone(s.database, await transferred(s.database, s.alice, await s.ticket(), s.bob))


BOTH_FAILED: Told = {"alice": ["TRANSFER_FAILED"], "bob": ["TRANSFER_FAILED"]}

TRANSFER_WAYS: dict[Way, Told] = {
    offer_a_ticket: {"bob": ["TRANSFER_REQUESTED"]},
    ask_for_a_ticket: {"alice": ["TRANSFER_REQUESTED"]},
    confirm_a_transfer: {"alice": ["TRANSFER_COMPLETED"], "bob": ["TRANSFER_COMPLETED"]},
    three_wrong_codes_for_a_transfer: BOTH_FAILED,
    three_wrong_codes_by_themselves: BOTH_FAILED,
    let_a_transfer_lapse: BOTH_FAILED,
    begin_another_transfer_after_one_that_lapsed: BOTH_FAILED
    | {"bob": ["TRANSFER_FAILED", "TRANSFER_REQUESTED"]},
    delete_a_ticket_that_was_on_its_way: BOTH_FAILED,
    give_a_transfer_up: {"bob": ["TRANSFER_FAILED"]},
    let_the_house_end_a_transfer: BOTH_FAILED,
    delete_who_was_to_get_a_ticket: {"alice": ["TRANSFER_FAILED"]},
    dispute_a_transfer: {"bob": ["TRANSFER_DISPUTED"]},
    reject_a_dispute: {"alice": ["TRANSFER_COMPLETED"], "bob": ["TRANSFER_COMPLETED"]},
    reverse_a_transfer: {"alice": ["TRANSFER_REVERSED"], "bob": ["TRANSFER_REVERSED"]},
}
