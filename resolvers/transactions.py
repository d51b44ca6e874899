"""Transactions: looking at what happened to one's money, and putting it right."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.filters import TransactionFilter, transactions_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.transaction_inputs import AdjustCreditsInput, minor_of
from schema.transactions import Transaction, TransactionPayload, TransactionResult
from steps.adjust_credits import adjust_credits


@strawberry.type
class TransactionQueries:
    @strawberry.field(
        description="Transactions, the newest first: one's own, or all for OPERATOR and ADMIN. Of a period, "
        "the amounts of SUCCESS and REFUNDED ones add up to what the balance changed."
    )
    async def transactions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[
            TransactionFilter | None, strawberry.argument(description="Only these transactions.")
        ] = None,
    ) -> Connection[Transaction] | None:
        owner = info.context.owner_of_lists(filter.user_id if filter else None)
        listing = transactions_listing(filter or TransactionFilter(), ("user_id", "uuid") if owner else None)
        return await connect(info, listing, Transaction.of, PageArguments(first, after, last, before), owner)


@strawberry.type
class TransactionMutations:
    @strawberry.mutation(description="Give credits to a person or take them, with a reason. ADMIN.")
    async def adjust_credits(
        self,
        info: Info,
        input: Annotated[AdjustCreditsInput, strawberry.argument(description="Whose, how much, and why.")],
    ) -> TransactionResult:
        admin, currency = info.context.require_admin(), info.context.house.settings.credits_currency
        user_id, amount_minor = ids.read_user(input.user_id), minor_of(input.amount, currency)
        said = {"user_id": user_id, "amount_minor": amount_minor, "reason": input.reason}
        made = await info.context.transact(
            adjust_credits,
            actor_id=admin.id,
            currency=currency,
            key=info.context.key("adjustCredits", input.idempotency_key, **said),
            **said,
        )
        return TransactionPayload.of(made)
