"""Transactions: looking at what happened to one's money, buying credits, and putting things right."""

from typing import Annotated

import strawberry

from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.filters import TransactionFilter, transactions_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.transaction_inputs import (
    AdjustCreditsInput,
    RefundTransactionInput,
    SettleTransactionInput,
    TopUpInput,
    minor_of,
)
from schema.transactions import (
    TopUpPayload,
    TopUpResult,
    Transaction,
    TransactionPayload,
    TransactionResult,
)
from steps.adjust_credits import adjust_credits
from steps.refund_transaction import refund_transaction
from steps.refusals import RefusalCode, Refused
from steps.settle import settle_by_hand
from steps.top_up import note_top_up, open_top_up


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
    @strawberry.mutation(
        description="Buy credits: what it answers is for the provider's form, where the customer pays."
    )
    async def top_up(
        self, info: Info, input: Annotated[TopUpInput, strawberry.argument(description="How much.")]
    ) -> TopUpResult:
        viewer, house = info.context.require_person(), info.context.house
        if house.provider is None:
            raise Refused(RefusalCode.PAYMENT_METHOD_NOT_ALLOWED)
        currency = house.settings.credits_currency
        amount_minor = minor_of(input.amount, currency)
        payment = await info.context.transact(
            open_top_up,
            user_id=viewer.id,
            amount_minor=amount_minor,
            currency=currency,
            bounds_minor=(
                minor_of(house.settings.top_up_min, currency),
                minor_of(house.settings.top_up_max, currency),
            ),
            provider=house.provider.name,
            key=info.context.key("topUp", input.idempotency_key, amount_minor=amount_minor),
        )
        begun = await house.provider.begin(payment)  # between two transactions, and in none
        made = await info.context.transact(note_top_up, news=begun)
        return TopUpPayload.of(made, begun.client_secret)

    @strawberry.mutation(description="Say what became of a PENDING payment, with a reason. ADMIN.")
    async def settle_transaction(
        self,
        info: Info,
        input: Annotated[
            SettleTransactionInput, strawberry.argument(description="Which, what became of it, and why.")
        ],
    ) -> TransactionResult:
        admin, (user_id, id) = info.context.require_admin(), ids.read_transaction(input.transaction_id)
        said = {"id": id, "status": input.status, "reason": input.reason}
        settled = await info.context.transact(
            settle_by_hand,
            actor_id=admin.id,
            seats_per_buyer_max=info.context.house.settings.seats_per_buyer_max,
            envelopes=info.context.house.codes.envelopes,
            user_id=user_id,
            key=info.context.key("settleTransaction", input.idempotency_key, **said),
            **said,
        )
        return TransactionPayload.of(settled)

    @strawberry.mutation(
        description="Pay back a purchase, or a top-up by card, or a part of it, with a reason; tickets stay. "
        "ADMIN."
    )
    async def refund_transaction(
        self,
        info: Info,
        input: Annotated[
            RefundTransactionInput, strawberry.argument(description="Which, how much of it, and why.")
        ],
    ) -> TransactionResult:
        admin, (user_id, id) = info.context.require_admin(), ids.read_transaction(input.transaction_id)
        said = {"id": id, "amount": input.amount, "reason": input.reason}
        made = await info.context.transact(
            refund_transaction,
            actor_id=admin.id,
            user_id=user_id,
            key=info.context.key("refundTransaction", input.idempotency_key, **said),
            **said,
        )
        return TransactionPayload.of(made)

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
