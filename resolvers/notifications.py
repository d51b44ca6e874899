"""Notifications: hearing of them at once, having read them, and by which channels they go out."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from live.arrivals import arriving
from models.topics import person_topic
from schema import ids
from schema.context import Info
from schema.notifications import (
    MarkNotificationsReadInput,
    Notification,
    NotificationsPayload,
    NotificationsResult,
    SetNotificationPreferencesInput,
)
from schema.user_inputs import UserPayload, UserResult
from schema.users import User
from steps.mark_read import mark_read
from steps.set_preferences import set_preferences


@strawberry.type
class NotificationMutations:
    @strawberry.mutation(description="Mark one's own notifications as read; what is read stays so.")
    async def mark_notifications_read(
        self,
        info: Info,
        input: Annotated[MarkNotificationsReadInput, strawberry.argument(description="Which.")],
    ) -> NotificationsResult:
        viewer = info.context.require_person()
        named = None if input.ids is None else [ids.read_notification(id) for id in input.ids]
        marked = await info.context.transact(mark_read, user_id=viewer.id, named=named)
        return NotificationsPayload(notifications=[Notification.of(row) for row in marked], user_id=viewer.id)

    @strawberry.mutation(description="Say by which channels one wants to hear of what.")
    async def set_notification_preferences(
        self,
        info: Info,
        input: Annotated[SetNotificationPreferencesInput, strawberry.argument(description="What.")],
    ) -> UserResult:
        viewer, preferences = info.context.require_person(), input.by_name()
        user = await info.context.transact(set_preferences, user_id=viewer.id, preferences=preferences)
        return UserPayload(user=User.of(user))


@strawberry.type
class NotificationSubscriptions:
    @strawberry.subscription(description="Each new notification of the caller, once.")
    async def notification_added(self, info: Info) -> AsyncGenerator[Notification, None]:
        viewer, house = info.context.require_person(), info.context.house
        async with house.news.watch(person_topic(viewer.id)) as ticks:
            async for row in arriving(ticks, house.looks.notifications_since.load, viewer.id):
                yield Notification.of(row)
