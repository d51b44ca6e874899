"""Sessions: getting one, keeping it, and seeing where one is logged in."""

from datetime import datetime
from typing import Annotated

import strawberry

from models import sessions as rows
from schema import ids, later
from schema.context import Info
from schema.enums import Language
from schema.nodes import Node
from schema.refusals import Refusal


@strawberry.type(description="A person logged in on a device, until it ends.")
class Session(Node):
    created_at: datetime = strawberry.field(description="When the person logged in.")
    last_used_at: datetime = strawberry.field(description="When its tokens were last refreshed.")
    device: str = strawberry.field(description="What logged in, as it named itself in User-Agent.")
    row: strawberry.Private[rows.Session]

    @classmethod
    def of(cls, row: rows.Session) -> "Session":
        return cls(
            id=ids.session_id(row.user_id, row.id),
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            device=row.device,
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "Session | None":
        """Find an open session of a person whom the caller may see."""
        user_id, session_id = ids.read_session(id)
        if not info.context.may_see_account(user_id):
            return None
        row = await info.context.loads.open_session.load((user_id, session_id))
        return cls.of(row) if row else None

    @strawberry.field(description="Whether it is the session of this very request.")
    def current(self, info: Info) -> bool:
        viewer = info.context.viewer
        return viewer is not None and viewer.session_id == self.row.id


@strawberry.input(description="What a person says of themselves to get an account.")
class RegisterInput:
    email: str = strawberry.field(description="The e-mail address; one account each.")
    password: str = strawberry.field(description="8 to 128 characters.")
    phone: str | None = strawberry.field(default=None, description="The phone number, in E.164.")
    username: str | None = strawberry.field(default=None, description="A user name; one account each.")
    full_name: str | None = strawberry.field(default=None, description="The full name.")
    language: Language | None = strawberry.field(
        default=None,
        description="The language in which the house writes; null: as Accept-Language says.",
    )


@strawberry.input(description="What a person proves themselves with.")
class LoginInput:
    email: str = strawberry.field(description="The e-mail address.")
    password: str = strawberry.field(description="The password.")


@strawberry.input(description="What keeps a session going.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(description="The last refresh token of the session.")


@strawberry.input(description="Which session ends.")
class LogoutInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="A refresh token of it, when there is no access token that is still good."
    )


@strawberry.input(description="A session, by its id.")
class SessionInput:
    session_id: strawberry.ID = strawberry.field(description="The session.")


@strawberry.input(description="The password that was, and the one that is to be.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The password until now.")
    new_password: str = strawberry.field(description="8 to 128 characters.")


@strawberry.input(description="Whose password is forgotten.")
class RequestPasswordResetInput:
    email: str = strawberry.field(description="The e-mail address of the account.")


@strawberry.input(description="What proves who one is without the password, and the one that is to be.")
class ResetPasswordInput:
    token: str = strawberry.field(description="The word that was sent by e-mail.")
    new_password: str = strawberry.field(description="8 to 128 characters.")


@strawberry.type(description="What to send with each request: Authorization: Bearer <accessToken>.")
class SessionTokens:
    access_token: str = strawberry.field(description="Says who is asking.")
    refresh_token: str = strawberry.field(
        description="Gets the next tokens from `refreshSession`, once. Keep it secret, and keep the last one."
    )
    token_type: str = strawberry.field(description='"Bearer".')
    expires_in: int = strawberry.field(description="For how many seconds the access token is good.")
    user: later.User = strawberry.field(description="The person that it speaks for.")


@strawberry.type(description="A person is logged in.")
class SessionPayload:
    session: SessionTokens = strawberry.field(description="The tokens, and who they speak for.")


@strawberry.type(description="It is done.")
class LogoutPayload:
    success: bool = strawberry.field(description="True.")


SessionResult = Annotated[
    SessionPayload | Refusal, strawberry.union("SessionResult", description="The session, or why not.")
]
LogoutResult = Annotated[
    LogoutPayload | Refusal, strawberry.union("LogoutResult", description="Done, or why not.")
]
