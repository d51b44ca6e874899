"""People: looking at oneself and changing it; finding and managing others."""

from typing import Annotated

import strawberry

from auth.rate_limits import Door
from dataloaders.loads import USERS
from dataloaders.pages import BY_ID, Listing, PageArguments
from models import users as rows
from schema import ids
from schema.context import Info
from schema.deleted import DeletePayload, DeleteResult
from schema.errors import wrong_argument
from schema.pages import After, Before, Connection, First, Last, connect
from schema.user_inputs import (
    ExportPayload,
    ExportResult,
    SetUserFlaggedInput,
    SetUserRolesInput,
    UpdateUserInput,
    UserInput,
    UserPayload,
    UserResult,
)
from schema.users import User
from schema.words import prefix_query
from steps.delete_user import delete_user
from steps.export_data import export_data
from steps.permit import activate_user, deactivate_user, set_flagged, set_roles
from steps.update_user import update_user

_MATCHES = f"to_tsvector('simple', {rows.SEARCHED}) @@ to_tsquery('simple', {{}})"

Who = Annotated[UserInput, strawberry.argument(description="Who.")]


@strawberry.type
class UserQueries:
    @strawberry.field(description="Who is asking; null for an anonymous caller.")
    async def viewer(self, info: Info) -> User | None:
        viewer = info.context.viewer
        user = await User.visible(info, viewer.id) if viewer else None
        if viewer and user:  # a provider's token has roles of its own
            user.roles = [role for role in rows.Role if role in viewer.roles]
        return user

    @strawberry.field(description="A person, by the id or by the user name. ADMIN.")
    async def user(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The id.")] = None,
        username: Annotated[
            str | None, strawberry.argument(description="The user name, in any case of letters.")
        ] = None,
    ) -> User | None:
        info.context.require_admin()
        if (id is None) == (username is None):
            raise wrong_argument("Ask by `id` or by `username`.")
        if id is not None:
            return await User.find(info, id)
        found = await info.context.house.database.rows(
            "SELECT id FROM users WHERE lower(username) = lower($1)", username
        )
        return await User.visible(info, found[0]["id"]) if found else None

    @strawberry.field(description="People, the newest account first. ADMIN.")
    async def users(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: Annotated[
            str | None,
            strawberry.argument(description="Words in e-mail, user name and full name, in any order."),
        ] = None,
    ) -> Connection[User] | None:
        info.context.require_admin()
        where = ((_MATCHES, prefix_query(search)),) if search else ()
        listing = Listing(USERS, (BY_ID,), descending=True, where=where)
        return await connect(info, listing, User.of, PageArguments(first, after, last, before))


@strawberry.type
class UserMutations:
    @strawberry.mutation(
        description="Change one's own account, or anybody's for ADMIN. A new e-mail address takes effect "
        "when its owner confirms the code that is sent to it."
    )
    async def update_user(
        self, info: Info, input: Annotated[UpdateUserInput, strawberry.argument(description="What.")]
    ) -> UserResult:
        caller, changes = info.context.require_person(), input.changes()
        if "email" in changes:  # it is sent a code
            await info.context.count_try(Door.CODE, str(caller.id))
        user = await info.context.transact(
            update_user,
            caller_id=caller.id,
            any_user=caller.manages_people,
            user_id=caller.id if input.user_id is None else ids.read_user(input.user_id),
            changes=changes,
            codes=info.context.house.codes,
        )
        return _payload(user)

    @strawberry.mutation(
        description="Say what a person may do. Whoever loses a role is logged out everywhere. ADMIN."
    )
    async def set_user_roles(
        self,
        info: Info,
        input: Annotated[SetUserRolesInput, strawberry.argument(description="Who, and which roles.")],
    ) -> UserResult:
        info.context.require_admin()
        user_id = ids.read_user(input.user_id)
        return _payload(await info.context.transact(set_roles, user_id=user_id, roles=input.roles))

    @strawberry.mutation(description="Say whether a person is a high risk. ADMIN.")
    async def set_user_flagged(
        self, info: Info, input: Annotated[SetUserFlaggedInput, strawberry.argument(description="Who.")]
    ) -> UserResult:
        info.context.require_admin()
        user_id = ids.read_user(input.user_id)
        return _payload(await info.context.transact(set_flagged, user_id=user_id, flagged=input.flagged))

    @strawberry.mutation(description="Let a person log in no more, and log them out everywhere. ADMIN.")
    async def deactivate_user(self, info: Info, input: Who) -> UserResult:
        info.context.require_admin()
        return _payload(await info.context.transact(deactivate_user, user_id=ids.read_user(input.user_id)))

    @strawberry.mutation(description="Let a person log in again. ADMIN.")
    async def activate_user(self, info: Info, input: Who) -> UserResult:
        info.context.require_admin()
        return _payload(await info.context.transact(activate_user, user_id=ids.read_user(input.user_id)))

    @strawberry.mutation(
        description="Erase who a person is, and keep the books. Not while they own tickets to come. ADMIN."
    )
    async def delete_user(self, info: Info, input: Who) -> DeleteResult:
        info.context.require_admin()
        deleted = await info.context.transact(delete_user, user_id=ids.read_user(input.user_id))
        return DeletePayload(deleted_id=ids.user_id(deleted))

    @strawberry.mutation(description="Everything that the house knows of the caller.")
    async def export_my_data(self, info: Info) -> ExportResult:
        viewer = info.context.require_person()
        return ExportPayload(json=await info.context.transact(export_data, user_id=viewer.id))


def _payload(user: rows.User) -> UserPayload:
    return UserPayload(user=User.of(user))
