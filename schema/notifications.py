"""Notifications: what happened to a person, and by which channels they want to hear of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from dataloaders.loads import NOTIFICATIONS
from dataloaders.pages import BY_ID, Listing
from messages.notifications import message_of
from models import notifications as rows
from schema import ids, later, orders, tickets, transactions, transfers
from schema.context import Info
from schema.enums import Language, NotificationChannel, NotificationKind
from schema.nodes import Node
from schema.refusals import Refusal
from steps.refusals import invalid

NEWEST_FIRST = Listing(NOTIFICATIONS, (BY_ID,), descending=True, parent=("user_id", "uuid"))


@strawberry.type(description="Something that happened to a person.")
class Notification(Node):
    kind: NotificationKind = strawberry.field(description="What happened.")
    created_at: datetime = strawberry.field(description="When.")
    read_at: datetime | None = strawberry.field(description="When the person marked it as read.")
    row: strawberry.Private[rows.Notification]

    @classmethod
    def of(cls, row: rows.Notification) -> "Notification":
        return cls(
            id=ids.notification_id(row.user_id, row.id),
            kind=NotificationKind(row.kind),
            created_at=row.created_at,
            read_at=row.read_at,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Notification | None":
        """Find a notification of a person whose account the caller may see."""
        user_id, notification_id = ids.read_notification(id)
        if not info.context.may_see_account(user_id):
            return None
        row = await info.context.loads.notification.load((user_id, notification_id))
        return cls.of(row) if row else None

    @strawberry.field(description="What happened, as a sentence in the language of the person.")
    async def message(self, info: Info) -> str:
        event_id = self.row.event_id
        event = await info.context.loads.event.load((event_id,)) if event_id else None
        person = await info.context.loads.user.load((self.row.user_id,))
        language = Language(person.language) if person else Language.EN
        return message_of(self.kind, event.name if event else None, language)

    @strawberry.field(description="The order that it is about; null when it is not the caller's to see.")
    async def order(self, info: Info) -> later.Order | None:
        key = self._of_event(self.row.order_id)
        return await orders.Order.visible(info, key) if key else None

    @strawberry.field(description="The ticket that it is about; null when it is not the caller's to see.")
    async def ticket(self, info: Info) -> later.Ticket | None:
        key = self._of_event(self.row.ticket_id)
        row = await info.context.loads.ticket.load(key) if key else None
        return tickets.Ticket.of(row) if row and tickets.Ticket.is_visible(info, row) else None

    @strawberry.field(description="The transfer that it is about.")
    async def transfer(self, info: Info) -> later.Transfer | None:
        key = self._of_event(self.row.transfer_id)
        return await transfers.Transfer.visible(info, key) if key else None

    @strawberry.field(description="The money that moved by it.")
    async def transaction(self, info: Info) -> later.Transaction | None:
        id = self.row.transaction_id
        return await transactions.Transaction.visible(info, (self.row.user_id, id)) if id else None

    def _of_event(self, id: UUID | None) -> tuple[UUID, UUID] | None:
        return (self.row.event_id, id) if self.row.event_id and id else None


@strawberry.type(description="Whether a person wants to hear of something by a channel.")
class NotificationPreference:
    kind: NotificationKind = strawberry.field(description="Of what.")
    channel: NotificationChannel = strawberry.field(description="By what.")
    wanted: bool = strawberry.field(description="Whether they want it.")

    @classmethod
    async def of_user(cls, info: Info, user_id: UUID) -> list["NotificationPreference"]:
        """All kinds and channels, as the person wants them or by default."""
        said = await info.context.loads.notification_preferences_of_user.load((user_id,))
        wanted = {(row.kind, row.channel): row.wanted for row in said}
        return [
            cls(kind=kind, channel=channel, wanted=wanted.get((kind, channel), by_default))
            for (kind, channel), by_default in rows.WANTED_BY_DEFAULT.items()
        ]


@strawberry.input(description="Which notifications were read.")
class MarkNotificationsReadInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most 100 of them; null: all, and of very many the oldest 1,000."
    )


@strawberry.input(description="Whether the caller wants to hear of something by a channel.")
class NotificationPreferenceInput:
    kind: NotificationKind = strawberry.field(description="Of what.")
    channel: NotificationChannel = strawberry.field(description="By what.")
    wanted: bool = strawberry.field(description="Whether they want it.")


@strawberry.input(description="By which channels the caller wants to hear of what.")
class SetNotificationPreferencesInput:
    preferences: list[NotificationPreferenceInput] = strawberry.field(
        description="Each kind and channel once; what is not named stays as it is."
    )

    def by_name(self) -> dict[tuple[NotificationKind, NotificationChannel], bool]:
        """What is wanted of each kind by each channel; refuses one that is named twice."""
        found = {(said.kind, said.channel): said.wanted for said in self.preferences}
        if len(found) < len(self.preferences):
            raise invalid("input.preferences", "Name each kind and channel once.")
        return found


@strawberry.type(description="What was marked as read.")
class NotificationsPayload:
    notifications: list[Notification] = strawberry.field(
        description="Those that were named, or that were marked, the newest first; at most 100."
    )
    user_id: strawberry.Private[UUID]

    @strawberry.field(description="How many are unread now; while it is not 0, more can be marked.")
    async def unread_notifications(self, info: Info) -> int:
        return await unread_notifications(info, self.user_id)


NotificationsResult = Annotated[
    NotificationsPayload | Refusal,
    strawberry.union("NotificationsResult", description="What was marked, or why not."),
]


async def unread_notifications(info: Info, user_id: UUID) -> int:
    """How many notifications a person has not read."""
    counted = await info.context.loads.unread_notifications.load(user_id)
    return sum(record["unread"] for record in counted)
