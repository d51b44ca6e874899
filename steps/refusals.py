"""Every way to say no to a person, once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class RefusalCode(StrEnum):
    """Why the answer is no."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    EMAIL_ALREADY_EXISTS = "EMAIL_ALREADY_EXISTS"
    USERNAME_ALREADY_EXISTS = "USERNAME_ALREADY_EXISTS"
    SESSION_EXPIRED = "SESSION_EXPIRED"
    SESSION_REVOKED = "SESSION_REVOKED"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    USER_DEACTIVATED = "USER_DEACTIVATED"
    USER_HAS_TICKETS = "USER_HAS_TICKETS"
    EVENT_NOT_FOUND = "EVENT_NOT_FOUND"
    EVENT_ENDED = "EVENT_ENDED"
    EVENT_NOT_ON_SALE = "EVENT_NOT_ON_SALE"
    EVENT_INVALID_STATE = "EVENT_INVALID_STATE"
    VENUE_NOT_FOUND = "VENUE_NOT_FOUND"
    HALL_NOT_FOUND = "HALL_NOT_FOUND"
    HALL_OCCUPIED = "HALL_OCCUPIED"
    TIER_NOT_FOUND = "TIER_NOT_FOUND"
    SEAT_NOT_FOUND = "SEAT_NOT_FOUND"
    SEAT_UNAVAILABLE = "SEAT_UNAVAILABLE"
    SEAT_ALREADY_SOLD = "SEAT_ALREADY_SOLD"
    SEAT_NOT_HELD = "SEAT_NOT_HELD"
    TOO_MANY_SEATS = "TOO_MANY_SEATS"
    NOT_ENOUGH_SEATS = "NOT_ENOUGH_SEATS"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_ALREADY_CONFIRMED = "ORDER_ALREADY_CONFIRMED"
    ORDER_INVALID_STATE = "ORDER_INVALID_STATE"
    CART_EMPTY = "CART_EMPTY"
    CART_ITEM_NOT_FOUND = "CART_ITEM_NOT_FOUND"
    INSUFFICIENT_CREDITS = "INSUFFICIENT_CREDITS"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    PAYMENT_METHOD_NOT_ALLOWED = "PAYMENT_METHOD_NOT_ALLOWED"
    REFUND_NOT_ALLOWED = "REFUND_NOT_ALLOWED"
    TRANSACTION_NOT_FOUND = "TRANSACTION_NOT_FOUND"
    TRANSACTION_INVALID_STATE = "TRANSACTION_INVALID_STATE"
    OTP_REQUIRED = "OTP_REQUIRED"
    OTP_INVALID = "OTP_INVALID"
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_MAX_RETRIES = "OTP_MAX_RETRIES"
    TICKET_NOT_FOUND = "TICKET_NOT_FOUND"
    TICKET_INVALID_STATE = "TICKET_INVALID_STATE"
    NOT_SEAT_OWNER = "NOT_SEAT_OWNER"
    QR_INVALID = "QR_INVALID"
    SELF_TRANSFER = "SELF_TRANSFER"
    TRANSFER_NOT_FOUND = "TRANSFER_NOT_FOUND"
    TRANSFER_INVALID_STATE = "TRANSFER_INVALID_STATE"
    TRANSFER_IN_PROGRESS = "TRANSFER_IN_PROGRESS"
    TRANSFER_NOT_ALLOWED = "TRANSFER_NOT_ALLOWED"
    NOTIFICATION_NOT_FOUND = "NOTIFICATION_NOT_FOUND"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    BUSY = "BUSY"


SENTENCES = {
    RefusalCode.INVALID_CREDENTIALS: "The e-mail address or the password is wrong.",
    RefusalCode.EMAIL_ALREADY_EXISTS: "There is an account with this e-mail address already.",
    RefusalCode.USERNAME_ALREADY_EXISTS: "This user name is taken.",
    RefusalCode.SESSION_EXPIRED: "The session is over; log in again.",
    RefusalCode.SESSION_REVOKED: "The session was ended; log in again.",
    RefusalCode.USER_NOT_FOUND: "There is no such account.",
    RefusalCode.USER_HAS_TICKETS: "This person owns tickets to an event to come, or holds seats.",
    RefusalCode.USER_DEACTIVATED: "This account is deactivated; write to the house.",
    RefusalCode.EVENT_NOT_FOUND: "There is no such event.",
    RefusalCode.EVENT_ENDED: "The event is over.",
    RefusalCode.EVENT_NOT_ON_SALE: "Tickets for this event are not on sale now.",
    RefusalCode.VENUE_NOT_FOUND: "There is no such venue.",
    RefusalCode.HALL_NOT_FOUND: "There is no such hall.",
    RefusalCode.HALL_OCCUPIED: "Another event takes place in this hall at that time.",
    RefusalCode.TIER_NOT_FOUND: "This event has no such price tier.",
    RefusalCode.SEAT_NOT_FOUND: "This event has no such seat.",
    RefusalCode.SEAT_UNAVAILABLE: "Some of these seats are not available any more.",
    RefusalCode.SEAT_ALREADY_SOLD: "These seats are sold.",
    RefusalCode.SEAT_NOT_HELD: "Some seats of this order are no longer held for it.",
    RefusalCode.NOT_ENOUGH_SEATS: "There are not enough seats left.",
    RefusalCode.HOLD_EXPIRED: "The time to pay is over and the seats are free again; choose them anew.",
    RefusalCode.ORDER_NOT_FOUND: "There is no such order.",
    RefusalCode.ORDER_ALREADY_CONFIRMED: "This order is paid already.",
    RefusalCode.ORDER_INVALID_STATE: "The order is not in a state that allows this.",
    RefusalCode.CART_EMPTY: "There is nothing in the cart.",
    RefusalCode.CART_ITEM_NOT_FOUND: "There is no such item in the cart.",
    RefusalCode.INSUFFICIENT_CREDITS: "There are not enough credits on the account.",
    RefusalCode.REFUND_NOT_ALLOWED: "This cannot be paid back.",
    RefusalCode.PAYMENT_METHOD_NOT_ALLOWED: "This cannot be paid in this way.",
    RefusalCode.PAYMENT_FAILED: "The payment was not begun; try again in a moment.",
    RefusalCode.TRANSACTION_NOT_FOUND: "There is no such transaction.",
    RefusalCode.TRANSACTION_INVALID_STATE: "The transaction is not in a state that allows this.",
    RefusalCode.OTP_REQUIRED: "This needs a code: ask for one, and confirm it.",
    RefusalCode.OTP_INVALID: "This is not the code.",
    RefusalCode.OTP_EXPIRED: "There is no code that is still good; ask for a new one.",
    RefusalCode.OTP_MAX_RETRIES: "The code was wrong too often; begin anew.",
    RefusalCode.TICKET_NOT_FOUND: "There is no such ticket.",
    RefusalCode.TICKET_INVALID_STATE: "The ticket is not in a state that allows this.",
    RefusalCode.NOT_SEAT_OWNER: "The ticket is somebody else's.",
    RefusalCode.QR_INVALID: "This is not a code of this house, or it was tampered with.",
    RefusalCode.SELF_TRANSFER: "Whoever gives a ticket and whoever gets it must be two people.",
    RefusalCode.TRANSFER_NOT_FOUND: "There is no such transfer.",
    RefusalCode.TRANSFER_INVALID_STATE: "The transfer is not in a state that allows this.",
    RefusalCode.TRANSFER_IN_PROGRESS: "This ticket is being transferred already.",
    RefusalCode.TRANSFER_NOT_ALLOWED: "This ticket cannot be transferred now.",
    RefusalCode.NOTIFICATION_NOT_FOUND: "There is no such notification.",
    RefusalCode.IDEMPOTENCY_MISMATCH: "This idempotency key was used before with another input.",
    RefusalCode.BUSY: "Too many people are at it right now; try again in a moment.",
}


@dataclass(frozen=True)
class InputProblem:
    """One input that is wrong: its path, as `input.email`, and a sentence."""

    field: str
    message: str


@dataclass(eq=False)
class Refused(Exception):
    """The answer is no, for a reason that a person can run into; whatever was begun is rolled back.

    `seats` are the events and indexes of the seats that it is about; `missing` is an amount in minor units
    and its currency.
    """

    code: RefusalCode
    message: str = ""
    seats: tuple[tuple[UUID, int], ...] = ()
    problems: tuple[InputProblem, ...] = ()
    missing: tuple[int, str] | None = None
    retry_after_seconds: int | None = None
    attempts_left: int | None = None

    def __str__(self) -> str:
        return self.message or SENTENCES[self.code]


class InFlight(Refused):
    """The answer is no only because others are at the same rows now: worth one more try, from the start."""


def busy() -> Refused:
    return Refused(RefusalCode.BUSY, retry_after_seconds=1)


def invalid(field_path: str, message: str) -> Refused:
    """Refuse one input that is wrong."""
    return Refused(RefusalCode.VALIDATION_ERROR, message, problems=(InputProblem(field_path, message),))


@dataclass
class Inputs:
    """Collects everything that is wrong with an input, so that it is refused once and whole."""

    problems: list[InputProblem] = field(default_factory=list)

    def check(self, is_right: bool, field_path: str, message: str) -> None:
        if not is_right:
            self.problems.append(InputProblem(field_path, message))

    def check_text(self, text: str, field_path: str, called: str, most: int, *, least: int = 1) -> None:
        """Note a text that is too long, empty though it must not be, or not fit to be kept."""
        right = least <= len(text.strip()) and len(text) <= most
        self.check(right, field_path, f"The {called} must have {least} to {most:,} characters.")

    def take(self, read: Callable[[], T], field_path: str, otherwise: T) -> T:
        """Return what `read` makes of an input; note the ValueError's sentence if it can make nothing."""
        try:
            return read()
        except ValueError as error:
            self.problems.append(InputProblem(field_path, str(error)))
            return otherwise

    def refuse_if_wrong(self) -> None:
        if self.problems:
            raise Refused(
                RefusalCode.VALIDATION_ERROR,
                " ".join(dict.fromkeys(problem.message for problem in self.problems)),
                problems=tuple(self.problems),
            )


def seats_refused(code: RefusalCode, event_id: UUID, indexes: Iterable[int]) -> Refused:
    """Refuse with exactly these seats in the way."""
    return Refused(code, seats=tuple((event_id, index) for index in sorted(indexes)))
