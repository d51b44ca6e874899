"""What the messages of the house say."""

from decimal import Decimal

from messages.message import Text
from models.codes import CodePurpose

SECONDS_A_MINUTE = 60

_FOR = {
    CodePurpose.PURCHASE: "to pay your order",
    CodePurpose.TRANSFER: "to confirm the transfer of a ticket",
    CodePurpose.EMAIL: "to confirm that this is your e-mail address",
    CodePurpose.PASSWORD: "to set a new password",
}


def code_text(purpose: CodePurpose, code: str, seconds: int) -> Text:
    """Tell a code, what it is for, and how long it is good."""
    minutes = max(1, seconds // SECONDS_A_MINUTE)
    body = (
        f"Your code {_FOR[purpose]}: {code}\n\n"
        f"It is good for {minutes} minutes. If you did not ask for it, tell nobody and do nothing."
    )
    return Text(f"Your code {_FOR[purpose]}", body)


def email_changed_text(masked_new: str) -> Text:
    """Tell the owner of an old address that the account has a new one."""
    body = (
        f"The e-mail address of your account is now {masked_new}.\n\n"
        "If you did not do this, set a new password and write to the house."
    )
    return Text("Your e-mail address was changed", body)


def late_money_text(amount: Decimal, currency: str) -> Text:
    """Tell a buyer that what they paid by card goes back, since the order could not be kept any more."""
    body = (
        f"Your payment of {amount} {currency} came when your order could not be kept any more.\n\n"
        "All of it goes back to your card, which may take some days. You do not have the tickets: "
        "while there are seats, you can order again."
    )
    return Text("Your payment goes back to your card", body)
