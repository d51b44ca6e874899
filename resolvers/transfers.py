"""Transfers: giving tickets to others, and what follows from it."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

import strawberry

from auth.rate_limits import Door
from dataloaders.pages import PageArguments
from schema import ids
from schema.context import Info
from schema.errors import not_found
from schema.filters import TransferFilter, transfers_listing
from schema.pages import After, Before, Connection, First, Last, connect
from schema.transfer_inputs import (
    ConfirmTransferInput,
    DisputeTransferInput,
    InitiateTransferInput,
    TransferInput,
)
from schema.transfers import Transfer, TransferPayload, TransferResult
from steps.confirm_transfer import confirm_transfer
from steps.dispute_transfer import dispute_transfer, reject_dispute, reverse_transfer
from steps.end_transfer import cancel_transfer
from steps.initiate_transfer import initiate_transfer
from steps.transferable import TransferRules

TheTransfer = Annotated[TransferInput, strawberry.argument(description="The transfer.")]


@strawberry.type
class TransferQueries:
    @strawberry.field(description="A transfer: from or to oneself, or any for OPERATOR and ADMIN.")
    async def transfer(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Transfer | None:
        key = ids.read_transfer(id)
        info.context.require_viewer()
        return await Transfer.visible(info, key)

    @strawberry.field(
        description="Transfers, the newest first: from and to oneself, or all for OPERATOR and ADMIN."
    )
    async def transfers(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[
            TransferFilter | None, strawberry.argument(description="Only these transfers.")
        ] = None,
    ) -> Connection[Transfer] | None:
        owner = info.context.owner_of_lists(filter.user_id if filter else None)
        listing = transfers_listing(filter or TransferFilter(), of_party=owner is not None)
        return await connect(info, listing, Transfer.of, PageArguments(first, after, last, before), owner)


@strawberry.type
class TransferSubscriptions:
    @strawberry.subscription(
        description="A transfer that `transfer` shows the caller: as it is, then after every change of it, "
        "whoever made it."
    )
    async def transfer_updated(
        self,
        info: Info,
        transfer_id: Annotated[strawberry.ID, strawberry.argument(description="The transfer.")],
    ) -> AsyncGenerator[Transfer, None]:
        key = ids.read_transfer(transfer_id)
        info.context.require_viewer()
        transfer = await Transfer.visible(info, key)
        if transfer is None:
            raise not_found("transfer")
        look = partial(Transfer.look, info, key)
        async with info.context.house.news.follow(look, *await transfer.topics(info)) as changes:
            async for row in changes:
                yield Transfer.of(row)


@strawberry.type
class TransferMutations:
    @strawberry.mutation(
        description="Offer one's ticket to somebody, or ask for somebody's by its seat. Both are sent a "
        "code; nothing changes hands before both have confirmed."
    )
    async def initiate_transfer(
        self,
        info: Info,
        input: Annotated[
            InitiateTransferInput, strawberry.argument(description="Which ticket, to whom, for how much.")
        ],
    ) -> TransferResult:
        caller, settings = info.context.require_person(), info.context.house.settings
        wanted, buyer, currency = input.wanted(), input.buyer(), settings.credits_currency
        price_minor = input.price_minor(currency)
        await info.context.count_try(Door.TRANSFER, str(caller.id))
        await info.context.count_try(Door.CODE, str(caller.id))
        transfer = await info.context.transact(
            initiate_transfer,
            codes=info.context.house.codes,
            caller_id=caller.id,
            wanted=wanted,
            buyer=buyer,
            price_minor=price_minor,
            currency=currency,
            rules=TransferRules(
                settings.transfer_seconds,
                settings.transfer_closes_minutes,
                settings.transfers_per_ticket_max,
                settings.seats_per_buyer_max,
            ),
            key=info.context.key(
                "initiateTransfer",
                input.idempotency_key,
                wanted=repr(wanted),
                buyer=buyer,
                price_minor=price_minor,
            ),
        )
        return TransferPayload.of(transfer)

    @strawberry.mutation(
        description="Confirm a transfer with one's own code, or with both. Once both have, ticket and "
        "credits change hands, together or not at all. The third wrong code of a person fails it."
    )
    async def confirm_transfer(
        self,
        info: Info,
        input: Annotated[
            ConfirmTransferInput, strawberry.argument(description="The transfer, and the codes.")
        ],
    ) -> TransferResult:
        caller, (event_id, transfer_id) = info.context.require_person(), ids.read_transfer(input.transfer_id)
        await info.context.count_try(Door.CODE, str(caller.id))
        said = {"seller_otp": input.seller_otp, "buyer_otp": input.buyer_otp}
        transfer = await info.context.transact(
            confirm_transfer,
            codes=info.context.house.codes,
            caller_id=caller.id,
            event_id=event_id,
            transfer_id=transfer_id,
            seats_per_buyer_max=info.context.house.settings.seats_per_buyer_max,
            key=info.context.key(
                "confirmTransfer", input.idempotency_key, transfer_id=input.transfer_id, **said
            ),
            **said,
        )
        return TransferPayload.of(transfer)

    @strawberry.mutation(description="Give up a transfer that is not confirmed yet: either of the two may.")
    async def cancel_transfer(self, info: Info, input: TheTransfer) -> TransferResult:
        caller, (event_id, transfer_id) = info.context.require_person(), ids.read_transfer(input.transfer_id)
        transfer = await info.context.transact(
            cancel_transfer,
            caller_id=caller.id,
            any_party=caller.runs_events,
            event_id=event_id,
            transfer_id=transfer_id,
            key=info.context.key("cancelTransfer", input.idempotency_key, transfer_id=input.transfer_id),
        )
        return TransferPayload.of(transfer)

    @strawberry.mutation(
        description="Say, within some hours, that a transfer was not right: the price is put aside, and the "
        "ticket stays where it is, until the house has decided."
    )
    async def dispute_transfer(
        self,
        info: Info,
        input: Annotated[DisputeTransferInput, strawberry.argument(description="The transfer, and why.")],
    ) -> TransferResult:
        caller, (event_id, transfer_id) = info.context.require_person(), ids.read_transfer(input.transfer_id)
        transfer = await info.context.transact(
            dispute_transfer,
            caller_id=caller.id,
            event_id=event_id,
            transfer_id=transfer_id,
            reason=input.reason,
            hours=info.context.house.settings.dispute_hours,
            key=info.context.key(
                "disputeTransfer",
                input.idempotency_key,
                transfer_id=input.transfer_id,
                reason=input.reason,
            ),
        )
        return TransferPayload.of(transfer)

    @strawberry.mutation(
        description="Undo a transfer: the ticket is the seller's again and the price the buyer's, unless the "
        "ticket was used or has changed hands again. OPERATOR, ADMIN."
    )
    async def reverse_transfer(self, info: Info, input: TheTransfer) -> TransferResult:
        actor, (event_id, transfer_id) = info.context.require_operator(), ids.read_transfer(input.transfer_id)
        transfer = await info.context.transact(
            reverse_transfer,
            actor_id=actor.id,
            event_id=event_id,
            transfer_id=transfer_id,
            key=info.context.key("reverseTransfer", input.idempotency_key, transfer_id=input.transfer_id),
        )
        return TransferPayload.of(transfer)

    @strawberry.mutation(
        description="Let a disputed transfer stand; the seller has the price again. OPERATOR, ADMIN."
    )
    async def reject_dispute(self, info: Info, input: TheTransfer) -> TransferResult:
        actor, (event_id, transfer_id) = info.context.require_operator(), ids.read_transfer(input.transfer_id)
        transfer = await info.context.transact(
            reject_dispute,
            actor_id=actor.id,
            event_id=event_id,
            transfer_id=transfer_id,
            key=info.context.key("rejectDispute", input.idempotency_key, transfer_id=input.transfer_id),
        )
        return TransferPayload.of(transfer)
