"""One-time codes: asking for one, confirming it, and what the API says of it."""

from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from models.codes import CodePurpose
from schema import ids
from schema.refusals import Refusal
from steps import codes
from steps.code_purposes import Reference


@strawberry.enum(description="What a code is good for.")
class OtpContext(Enum):
    PURCHASE = strawberry.enum_value("PURCHASE", description="To pay an order.")
    TRANSFER = strawberry.enum_value("TRANSFER", description="To confirm a transfer.")
    EMAIL = strawberry.enum_value("EMAIL", description="To take the e-mail address that `updateUser` named.")


def _reference(context: OtpContext, id: str) -> tuple[CodePurpose, Reference]:
    """The purpose of a context, and the key of the thing that an id names in it."""
    match context:
        case OtpContext.PURCHASE:
            return CodePurpose.PURCHASE, ids.read_order(id)
        case OtpContext.EMAIL:
            return CodePurpose.EMAIL, (ids.read_user(id),)
        case OtpContext.TRANSFER:
            return CodePurpose.TRANSFER, ids.read_transfer(id)


@strawberry.input(description="For what a code is wanted.")
class RequestOtpInput:
    context: OtpContext = strawberry.field(description="For what kind of thing.")
    reference_id: strawberry.ID = strawberry.field(
        description="The order, the transfer, or for EMAIL one's own account."
    )

    def read(self) -> tuple[CodePurpose, Reference]:
        return _reference(self.context, self.reference_id)


@strawberry.input(description="A code, and what it is for.")
class VerifyOtpInput:
    context: OtpContext = strawberry.field(description="For what kind of thing.")
    reference_id: strawberry.ID = strawberry.field(
        description="The order, the transfer, or for EMAIL one's own account."
    )
    code: str = strawberry.field(description="The six digits.")

    def read(self) -> tuple[CodePurpose, Reference]:
        return _reference(self.context, self.reference_id)


@strawberry.type(description="How it stands with a code.")
class Otp:
    verified: bool = strawberry.field(description="Whether it was confirmed.")
    sent_to: str = strawberry.field(description="Where it was sent, masked.")
    expires_at: datetime | None = strawberry.field(
        description="Until when it can be confirmed, and counts once it is."
    )
    attempts_left: int = strawberry.field(description="How often a code for this thing may still be wrong.")


@strawberry.type(description="The code, but for its digits.")
class OtpPayload:
    otp: Otp = strawberry.field(description="How it stands with it.")

    @classmethod
    def of(cls, otp: codes.Otp) -> "OtpPayload":
        return cls(otp=Otp(**asdict(otp)))


OtpResult = Annotated[
    OtpPayload | Refusal, strawberry.union("OtpResult", description="The code, or why not.")
]
