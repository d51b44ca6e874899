"""People: looking at oneself."""

import strawberry

from schema.context import Info
from schema.users import User


@strawberry.type
class UserQueries:
    @strawberry.field(description="Who is asking; null for an anonymous caller.")
    async def viewer(self, info: Info) -> User | None:
        viewer = info.context.viewer
        return await User.visible(info, viewer.id) if viewer else None
