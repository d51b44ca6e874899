"""The one shape of a no, and the one place where a step's refusal becomes it."""

import logging

import strawberry
from strawberry.types.field import StrawberryField

from auth.passwords import Overloaded
from observing.current import observed
from payments.provider import ProviderAway
from schema import ids
from schema.context import Info
from schema.enums import RefusalCode
from schema.money import Money
from steps import refusals

log = logging.getLogger("rowlock.payments")


@strawberry.type(description="One input that is wrong.")
class InputProblem:
    field: str = strawberry.field(description='The input\'s path, as "input.email".')
    message: str = strawberry.field(description="A sentence that can be shown to a person.")


@strawberry.type(
    description="A no for a reason that a person can run into. Nothing was changed; wrong codes are counted."
)
class Refusal:
    code: RefusalCode = strawberry.field(description="The reason, for programs.")
    message: str = strawberry.field(description="The reason, as a sentence that can be shown to a person.")
    field: str | None = strawberry.field(
        description='The input that it is about, as a path: "input.email"; the first of `problems`.'
    )
    problems: list[InputProblem] = strawberry.field(description="Every input that is wrong.")
    seat_ids: list[strawberry.ID] = strawberry.field(description="The seats that it is about, if any.")
    missing: Money | None = strawberry.field(description="INSUFFICIENT_CREDITS: how much is missing.")
    retry_after_seconds: int | None = strawberry.field(
        description="In how many seconds trying again makes sense."
    )
    attempts_left: int | None = strawberry.field(
        description="OTP_INVALID: how often a code for this thing may still be wrong."
    )

    @classmethod
    def of(cls, refused: refusals.Refused) -> "Refusal":
        observed().refused(refused.code)
        return cls(
            code=refused.code,
            message=str(refused),
            field=refused.problems[0].field if refused.problems else None,
            problems=[InputProblem(field=p.field, message=p.message) for p in refused.problems],
            seat_ids=[ids.seat_id(event_id, index) for event_id, index in refused.seats],
            missing=Money.of(*refused.missing) if refused.missing else None,
            retry_after_seconds=refused.retry_after_seconds,
            attempts_left=refused.attempts_left,
        )


class AnswerWithRefusal(strawberry.ExceptionHandler[refusals.Refused, Refusal]):
    """Turns the refusal that a step raised into the answer of its mutation."""

    def handle(self, exception: refusals.Refused, *, field: StrawberryField, info: Info) -> Refusal:
        return Refusal.of(exception)


class AnswerThatWeAreBusy(strawberry.ExceptionHandler[Overloaded, Refusal]):
    """Turns passwords that wait for each other into the refusal that says to come back."""

    def handle(self, exception: Overloaded, *, field: StrawberryField, info: Info) -> Refusal:
        return Refusal.of(refusals.busy())


class AnswerThatProviderIsAway(strawberry.ExceptionHandler[ProviderAway, Refusal]):
    """Turns a payment provider that does not answer into the refusal that says to try again."""

    def handle(self, exception: ProviderAway, *, field: StrawberryField, info: Info) -> Refusal:
        log.warning("the payment provider does not answer: %s", exception)
        return Refusal.of(refusals.Refused(RefusalCode.PAYMENT_FAILED, retry_after_seconds=5))
