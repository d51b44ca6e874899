"""Who is asking: getting an account, logging in, looking at oneself."""

from typing import Annotated

import strawberry

from auth.passwords import hash_password, is_password
from models import users as rows
from models.users import Role
from schema.context import Info
from schema.users import (
    LoginInput,
    RegisterInput,
    SessionPayload,
    SessionResult,
    SessionTokens,
    User,
)
from steps.refusals import RefusalCode, Refused
from steps.register import check_person, register_user


@strawberry.type
class UserQueries:
    @strawberry.field(description="Who is asking; null for an anonymous caller.")
    async def viewer(self, info: Info) -> User | None:
        viewer = info.context.viewer
        return await User.visible(info, viewer.id) if viewer else None


@strawberry.type
class UserMutations:
    @strawberry.mutation(description="Get an account, and be logged in.")
    async def register(
        self,
        info: Info,
        input: Annotated[RegisterInput, strawberry.argument(description="Who wants an account.")],
    ) -> SessionResult:
        person = check_person(
            email=input.email,
            password=input.password,
            phone=input.phone,
            username=input.username,
            full_name=input.full_name,
        )
        password_hash = await hash_password(input.password)
        return _session(
            info, await info.context.transact(register_user, person=person, password_hash=password_hash)
        )

    @strawberry.mutation(
        description="Log in. An unknown e-mail address and a wrong password get the same answer."
    )
    async def login(
        self, info: Info, input: Annotated[LoginInput, strawberry.argument(description="Who logs in.")]
    ) -> SessionResult:
        found = await info.context.house.database.rows(
            "SELECT * FROM users WHERE lower(email) = lower($1)", input.email.strip()
        )
        user = rows.User(**found[0]) if found else None
        right = await is_password(input.password, user.password_hash if user else None)
        if user is None or not right or not user.active:
            raise Refused(RefusalCode.INVALID_CREDENTIALS)
        return _session(info, user)


def _session(info: Info, user: rows.User) -> SessionPayload:
    tokens = info.context.house.tokens
    token = tokens.make(user.id, frozenset(Role(role) for role in user.roles))
    session = SessionTokens(
        access_token=token,
        token_type="Bearer",  # noqa: S106
        expires_in=tokens.lifetime_seconds,
        user=User.of(user),
    )
    return SessionPayload(session=session)
