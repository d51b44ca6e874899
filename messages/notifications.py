"""What a notification says, made when it is read."""

from models.languages import Language
from models.notifications import NotificationKind

ENGLISH = {
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
GERMAN = {
    NotificationKind.ORDER_CONFIRMED: "Ihre Bestellung für {event} ist bestätigt: Die Tickets gehören Ihnen.",
    NotificationKind.ORDER_CANCELLED: "Ihre Bestellung für {event} wurde storniert: Die Plätze sind frei.",
    NotificationKind.ORDER_REFUNDED: "Was Sie für {event} bezahlt haben, ist auf dem Weg zu Ihnen zurück.",
    NotificationKind.HOLD_EXPIRED: "Die Zeit für Ihre Bestellung für {event} ist um: Die Plätze sind frei.",
    NotificationKind.TICKET_ACTIVATED: "Ihr Ticket für {event} ist jetzt gültig.",
    NotificationKind.TICKET_CANCELLED: "Ein Ticket von Ihnen für {event} wurde storniert.",
    NotificationKind.TICKET_REFUNDED: "Ein Ticket für {event} wurde erstattet und gilt nicht mehr.",
    NotificationKind.TRANSFER_REQUESTED: "Jemand bietet Ihnen ein Ticket für {event} an oder möchte Ihres.",
    NotificationKind.TRANSFER_COMPLETED: "Die Weitergabe eines Tickets für {event} ist abgeschlossen.",
    NotificationKind.TRANSFER_FAILED: "Die Weitergabe eines Tickets für {event} kam nicht zustande.",
    NotificationKind.TRANSFER_DISPUTED: "Die Weitergabe eines Tickets für {event} ist beanstandet.",
    NotificationKind.TRANSFER_REVERSED: "Die Weitergabe eines Tickets für {event} ist rückgängig gemacht.",
    NotificationKind.TOP_UP_SUCCEEDED: "Ihr Guthaben wurde aufgeladen.",
    NotificationKind.EVENT_CANCELLED: "{event} ist abgesagt. Was Sie bezahlt haben, geht zurück.",
}
SENTENCES = {Language.EN: ENGLISH, Language.DE: GERMAN}
"""One sentence for each kind in each language."""


def message_of(kind: NotificationKind, event_name: str | None, language: Language) -> str:
    """Say what happened, as a sentence that can be shown to the person."""
    return SENTENCES[language][kind].format(event=event_name)
