"""What a key's first request made, read as it is now."""

from uuid import UUID

from database import Transaction
from models.columns import plain_row
from models.orders import ORDERS_NOW, Order, order_of
from models.tickets import Ticket, ticket_of
from models.transactions import TRANSACTIONS_NOW
from models.transactions import Transaction as Entry
from models.transfers import TRANSFERS_NOW, Transfer
from steps.refusals import RefusalCode, Refused

ORDER_NOW = f"SELECT * FROM {ORDERS_NOW} AS now WHERE event_id = $1 AND id = $2"
TRANSFER_NOW = f"SELECT * FROM {TRANSFERS_NOW} AS now WHERE event_id = $1 AND id = $2"
ENTRY_NOW = f"SELECT * FROM {TRANSACTIONS_NOW} AS now WHERE user_id = $1 AND id = $2"


async def order_now(tx: Transaction, event_id: UUID, order_id: UUID) -> Order:
    """Read an order as it is at this moment: EXPIRED once its hold lapsed, COMPLETED after the event."""
    row = await tx.row(ORDER_NOW, event_id, order_id)
    if row is None:  # it was deleted since
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    return order_of(row)


async def ticket_now(tx: Transaction, event_id: UUID, ticket_id: UUID) -> Ticket:
    """Read a ticket as it is at this moment."""
    row = await tx.row("SELECT * FROM tickets WHERE event_id = $1 AND id = $2", event_id, ticket_id)
    if row is None:  # it was deleted since
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    return ticket_of(row)


async def transfer_now(tx: Transaction, event_id: UUID, transfer_id: UUID) -> Transfer:
    """Read a transfer as it is at this moment: FAILED once its time is over, or its ticket is no more."""
    row = await tx.row(TRANSFER_NOW, event_id, transfer_id)
    if row is None:
        raise Refused(RefusalCode.TRANSFER_NOT_FOUND)
    return plain_row(Transfer, row)


async def transaction_now(tx: Transaction, user_id: UUID, id: UUID) -> Entry:
    """Read what happened to a person's money as it is at this moment."""
    row = await tx.row(ENTRY_NOW, user_id, id)
    assert row is not None, "the books only grow"
    return plain_row(Entry, row)
