"""Money between two people: it passes through escrow, and stays there while a transfer is disputed."""

from uuid import UUID

from database import Transaction
from models.columns import new_id
from models.ledger import AccountKind, MovementKind
from models.transfers import Transfer
from steps.ledger import move
from steps.locks import lock_accounts


async def pay_seller(tx: Transaction, transfer: Transfer, *, actor_id: UUID) -> None:
    """Move the price of a transfer from its buyer, by way of escrow, to its seller."""
    for user_id, amount_minor in (
        (transfer.buyer_id, -transfer.price_minor),
        (transfer.seller_id, transfer.price_minor),
    ):
        await _move(tx, transfer, user_id, amount_minor, MovementKind.TRANSFER, actor_id)


async def put_aside(tx: Transaction, transfer: Transfer, *, actor_id: UUID) -> int:
    """Move the seller's proceeds to escrow; return what of it was spent, which the seller now owes the house.

    The house lends what is missing, so that escrow has the whole price and no balance falls below zero.
    """
    balances = await lock_accounts(tx, [transfer.seller_id], transfer.currency)
    spent_minor = max(0, transfer.price_minor - balances.get(transfer.seller_id, 0))
    owed = AccountKind.RECEIVABLES
    await _move(tx, transfer, transfer.seller_id, spent_minor, MovementKind.DISPUTE, actor_id, owed)
    await _move(tx, transfer, transfer.seller_id, -transfer.price_minor, MovementKind.DISPUTE, actor_id)
    return spent_minor


async def release(tx: Transaction, transfer: Transfer, *, actor_id: UUID) -> None:
    """Move what was put aside back to the seller, less what they owe the house for it."""
    owed = AccountKind.RECEIVABLES
    await _move(tx, transfer, transfer.seller_id, transfer.price_minor, MovementKind.DISPUTE, actor_id)
    await _move(
        tx, transfer, transfer.seller_id, -transfer.receivable_minor, MovementKind.DISPUTE, actor_id, owed
    )


async def pay_back(tx: Transaction, transfer: Transfer, *, actor_id: UUID) -> None:
    """Move what was put aside back to the buyer."""
    await _move(tx, transfer, transfer.buyer_id, transfer.price_minor, MovementKind.REVERSAL, actor_id)


async def _move(
    tx: Transaction,
    transfer: Transfer,
    user_id: UUID,
    amount_minor: int,
    kind: MovementKind,
    actor_id: UUID,
    other: AccountKind = AccountKind.ESCROW,
) -> None:
    if not amount_minor:
        return
    await move(
        tx,
        id=new_id(),
        user_id=user_id,
        amount_minor=amount_minor,
        currency=transfer.currency,
        other=other,
        kind=kind,
        event_id=transfer.event_id,
        reference=transfer.id,
        actor_id=actor_id,
    )
