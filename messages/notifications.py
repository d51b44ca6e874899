"""What a notification says, made when it is read."""

from models.notifications import NotificationKind

SENTENCES = {
    NotificationKind.ORDER_CONFIRMED: "Your order for {event} is confirmed: the tickets are yours.",
    NotificationKind.ORDER_CANCELLED: "Your order for {event} was cancelled: its seats are free.",
    NotificationKind.ORDER_REFUNDED: "Money that you paid for {event} is on its way back to you.",
    NotificationKind.HOLD_EXPIRED: "The time to pay your order for {event} is over: its seats are free.",
    NotificationKind.TICKET_ACTIVATED: "Your ticket for {event} is good now.",
    NotificationKind.TICKET_CANCELLED: "A ticket of yours for {event} was cancelled.",
    NotificationKind.TICKET_REFUNDED: "A ticket for {event} was paid back, and is good no longer.",
    NotificationKind.TRANSFER_REQUESTED: "Somebody offers you a ticket for {event}, or asks for yours.",
    NotificationKind.TRANSFER_COMPLETED: "A transfer of a ticket for {event} is complete.",
    NotificationKind.TRANSFER_FAILED: "A transfer of a ticket for {event} did not come about.",
    NotificationKind.TRANSFER_DISPUTED: "A transfer of a ticket for {event} is disputed; the house decides.",
    NotificationKind.TRANSFER_REVERSED: "A transfer of a ticket for {event} was undone.",
    NotificationKind.TOP_UP_SUCCEEDED: "Your credits were topped up.",
    NotificationKind.EVENT_CANCELLED: "{event} is cancelled. What was paid for your tickets goes back.",
}
"""One sentence for each kind."""


def message_of(kind: NotificationKind, event_name: str | None) -> str:
    """Say what happened, as a sentence that can be shown to the person."""
    return SENTENCES[kind].format(event=event_name)
