"""One-time codes: asking for one, and confirming it."""

from typing import Annotated

import strawberry

from auth.rate_limits import Door
from schema.codes import OtpPayload, OtpResult, RequestOtpInput, VerifyOtpInput
from schema.context import Info
from steps.request_otp import request_otp
from steps.verify_otp import verify_otp


@strawberry.type
class CodeMutations:
    @strawberry.mutation(
        description="Be sent a code of six digits, good for five minutes, by SMS or e-mail. It voids the one "
        "before, but not the count of wrong tries."
    )
    async def request_otp(
        self, info: Info, input: Annotated[RequestOtpInput, strawberry.argument(description="For what.")]
    ) -> OtpResult:
        viewer, (purpose, reference) = info.context.require_person(), input.read()
        await info.context.count_try(Door.CODE, str(viewer.id))
        otp = await info.context.transact(
            request_otp,
            codes=info.context.house.codes,
            user_id=viewer.id,
            purpose=purpose,
            reference=reference,
        )
        return OtpPayload.of(otp)

    @strawberry.mutation(
        description="Confirm a code. The third wrong one cancels the order, or gives up what else it was for."
    )
    async def verify_otp(
        self, info: Info, input: Annotated[VerifyOtpInput, strawberry.argument(description="The code.")]
    ) -> OtpResult:
        viewer, (purpose, reference) = info.context.require_person(), input.read()
        await info.context.count_try(Door.CODE, str(viewer.id))
        otp = await info.context.transact(
            verify_otp,
            codes=info.context.house.codes,
            user_id=viewer.id,
            purpose=purpose,
            reference=reference,
            code=input.code,
            seats_per_buyer_max=info.context.house.settings.seats_per_buyer_max,
        )
        return OtpPayload.of(otp)
