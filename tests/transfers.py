"""Tickets that are given to others, by the same steps as in life."""

from typing import Any
from uuid import UUID

from database import Database, Transaction
from models.catalogue import Event
from models.columns import plain_row
from models.tickets import Ticket
from models.transfers import TRANSFERS_NOW, Transfer
from models.users import User
from steps.confirm_transfer import confirm_transfer
from steps.dispute_transfer import dispute_transfer, reject_dispute, reverse_transfer
from steps.end_transfer import cancel_transfer
from steps.idempotency import Key
from steps.initiate_transfer import Wanted, initiate_transfer
from steps.refusals import Refused
from steps.transact import transact
from steps.transferable import TransferRules
from tests.codes import CODES, SETTINGS, code_sent_to
from tests.world import CURRENCY, hold, new_event, new_user, pay

RULES = TransferRules(seconds=900, closes_minutes=60, transfers_per_ticket_max=3, seats_per_buyer_max=20)
PRICE_MINOR = 1_500


async def bought(database: Database, owner: User, event: Event | None = None, index: int = 0) -> Ticket:
    """A ticket at 10.00 that its owner has bought, which takes that much of their credits."""
    event = event or await new_event(database)
    order = await pay(database, owner, await hold(database, owner, event, [index]))
    (row,) = await database.rows("SELECT * FROM tickets WHERE order_id = $1", order.id)
    return plain_row(Ticket, dict(row))


async def owner_of(database: Database, ticket: Ticket) -> UUID:
    ((owner_id,),) = await database.rows("SELECT owner_id FROM tickets WHERE id = $1", ticket.id)
    return owner_id


async def credits_of(database: Database, user: User) -> int:
    rows = await database.rows("SELECT balance_minor FROM accounts WHERE user_id = $1", user.id)
    return rows[0][0] if rows else 0


async def transfer_of(database: Database, transfer: Transfer) -> Transfer:
    """A transfer as it reads now."""
    (row,) = await database.rows(f"SELECT * FROM {TRANSFERS_NOW} AS t WHERE id = $1", transfer.id)
    return plain_row(Transfer, dict(row))


def initiating(
    caller: User,
    ticket: Ticket,
    buyer: User | str | None = None,
    *,
    by_seat: bool = False,
    price_minor: int = PRICE_MINOR,
    rules: TransferRules = RULES,
    key: Key | None = None,
) -> dict[str, Any]:
    """The arguments with which the step begins a transfer."""
    by_id = Wanted(ticket.event_id, ticket_id=ticket.id)
    return {
        "codes": CODES,
        "caller_id": caller.id,
        "wanted": Wanted(ticket.event_id, index=ticket.index) if by_seat else by_id,
        "buyer": buyer.id if isinstance(buyer, User) else buyer,
        "price_minor": price_minor,
        "currency": CURRENCY,
        "rules": rules,
        "key": key,
    }


async def initiated(
    database: Database, caller: User, ticket: Ticket, buyer: User | str | None = None, **more: Any
) -> Transfer:
    """Begin a transfer as `initiateTransfer` does, by default of one's own ticket for 15.00."""
    return await transact(database, initiate_transfer, **initiating(caller, ticket, buyer, **more))


async def codes_of(database: Database, seller: User, buyer: User) -> dict[str, str]:
    """What both were sent last."""
    return {
        "seller_otp": await code_sent_to(database, seller),
        "buyer_otp": await code_sent_to(database, buyer),
    }


def confirming(caller: User, transfer: Transfer, **said: Any) -> dict[str, Any]:
    """The arguments with which the step confirms a transfer."""
    codes = {"seller_otp": None, "buyer_otp": None}
    limit = {"seats_per_buyer_max": SETTINGS.seats_per_buyer_max}
    return {"codes": CODES, **of(caller, transfer), **limit, **codes, **said}


async def confirmed(database: Database, caller: User, transfer: Transfer, **said: Any) -> Transfer:
    return await transact(database, confirm_transfer, **confirming(caller, transfer, **said))


async def confirmed_in(tx: Transaction, caller: User, transfer: Transfer, **said: Any) -> Transfer | Refused:
    """Confirm in a transaction that is open."""
    return await confirm_transfer(tx, **confirming(caller, transfer, **said))


def of(caller: User, transfer: Transfer) -> dict[str, Any]:
    return {"caller_id": caller.id, "event_id": transfer.event_id, "transfer_id": transfer.id}


async def transferred(database: Database, seller: User, ticket: Ticket, buyer: User, **more: Any) -> Transfer:
    """Begin a transfer, and let the seller confirm it with both codes."""
    transfer = await initiated(database, seller, ticket, buyer, **more)
    return await confirmed(database, seller, transfer, **await codes_of(database, seller, buyer))


async def cancelled(
    database: Database, caller: User, transfer: Transfer, *, any_party: bool = False, key: Key | None = None
) -> Transfer:
    return await transact(database, cancel_transfer, **of(caller, transfer), any_party=any_party, key=key)


async def disputed(
    database: Database,
    caller: User,
    transfer: Transfer,
    *,
    reason: str = "Not the seat that we spoke of",
    hours: int = 48,
    key: Key | None = None,
) -> Transfer:
    return await transact(
        database, dispute_transfer, **of(caller, transfer), reason=reason, hours=hours, key=key
    )


async def decided(database: Database, step: Any, transfer: Transfer, *, key: Key | None = None) -> Transfer:
    """Let an operator reverse a transfer, or reject its dispute."""
    operator = await new_user(database)
    named = {"actor_id": operator.id, "event_id": transfer.event_id, "transfer_id": transfer.id}
    return await transact(database, step, **named, key=key)


async def undone(database: Database, transfer: Transfer, *, key: Key | None = None) -> Transfer:
    return await decided(database, reverse_transfer, transfer, key=key)


async def rejected(database: Database, transfer: Transfer, *, key: Key | None = None) -> Transfer:
    return await decided(database, reject_dispute, transfer, key=key)


async def let_time_be_over(database: Database, transfer: Transfer) -> None:
    """Let a transfer's time to be confirmed be over at this moment."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE transfers SET expires_at = now() WHERE id = $1", transfer.id)
