"""Getting an account, logging in, keeping a session going, and ending it."""

import asyncio
from typing import Annotated

import strawberry

from auth.passwords import hash_password, is_password, renewed_hash
from auth.rate_limits import Door
from models import users as rows
from models.languages import language_of
from schema import ids
from schema.context import Info
from schema.sessions import (
    ChangePasswordInput,
    LoginInput,
    LogoutInput,
    LogoutPayload,
    LogoutResult,
    RefreshSessionInput,
    RegisterInput,
    RequestPasswordResetInput,
    ResetPasswordInput,
    SessionInput,
    SessionPayload,
    SessionResult,
    SessionTokens,
)
from schema.users import User
from steps.change_password import change_password
from steps.end_sessions import end_session, log_out
from steps.log_in import LoggedIn, log_in, register_and_log_in
from steps.refresh import refresh_session
from steps.refusals import RefusalCode, Refused
from steps.register import check_password, check_person
from steps.reset_password import request_password_reset, reset_password

WRONG_PASSWORD = "The password until now is another one."  # noqa: S105
RESET_ANSWER_SECONDS = 0.5
"""How long it takes to hear that a reset was asked for, for known and unknown people alike."""


@strawberry.type
class SessionMutations:
    @strawberry.mutation(description="Get an account, and be logged in.")
    async def register(
        self,
        info: Info,
        input: Annotated[RegisterInput, strawberry.argument(description="Who wants an account.")],
    ) -> SessionResult:
        await info.context.count_try(Door.REGISTER)
        person = check_person(
            email=input.email,
            password=input.password,
            phone=input.phone,
            username=input.username,
            full_name=input.full_name,
            language=input.language or language_of(info.context.accepted_languages),
        )
        logged_in = await info.context.transact(
            register_and_log_in,
            person=person,
            envelopes=info.context.house.codes.envelopes,
            password_hash=await hash_password(input.password),
            tokens=info.context.house.refresh_tokens,
            device=info.context.device,
        )
        return _session(info, logged_in)

    @strawberry.mutation(
        description="Log in. An unknown e-mail address and a wrong password get the same answer."
    )
    async def login(
        self, info: Info, input: Annotated[LoginInput, strawberry.argument(description="Who logs in.")]
    ) -> SessionResult:
        await info.context.count_try(Door.LOGIN, input.email)
        found = await info.context.house.database.rows(
            "SELECT * FROM users WHERE lower(email) = lower($1)", input.email.strip()
        )
        user = rows.User(**found[0]) if found else None
        right = await is_password(input.password, user.password_hash if user else None)
        if user is None or not right:
            raise Refused(RefusalCode.INVALID_CREDENTIALS)
        await info.context.house.rate_limits.forget(Door.LOGIN, input.email)
        logged_in = await info.context.transact(
            log_in,
            user_id=user.id,
            proven_hash=user.password_hash,
            new_hash=await renewed_hash(input.password, user.password_hash),
            tokens=info.context.house.refresh_tokens,
            device=info.context.device,
        )
        return _session(info, logged_in)

    @strawberry.mutation(
        description="Get the next tokens for a refresh token, which is good once. One that was used before "
        "ends its session; only shortly after it may come once more, and gets the same refresh token."
    )
    async def refresh_session(
        self,
        info: Info,
        input: Annotated[RefreshSessionInput, strawberry.argument(description="The refresh token.")],
    ) -> SessionResult:
        tokens = info.context.house.refresh_tokens
        token = tokens.read(input.refresh_token)
        await info.context.count_try(Door.REFRESH, str(token.user_id) if token else None)
        logged_in = await info.context.transact(
            refresh_session, tokens=tokens, refresh_token=input.refresh_token
        )
        return _session(info, logged_in)

    @strawberry.mutation(
        description="End the session, at once and everywhere: that of the access token that was sent, and "
        "that of a refresh token."
    )
    async def logout(
        self,
        info: Info,
        input: Annotated[LogoutInput | None, strawberry.argument(description="Which session.")] = None,
    ) -> LogoutResult:
        viewer, refresh_token = info.context.viewer, input.refresh_token if input else None
        if viewer or refresh_token is None:
            info.context.require_person()
        await info.context.transact(
            log_out,
            tokens=info.context.house.refresh_tokens,
            refresh_token=refresh_token,
            user_id=viewer.id if viewer else None,
            session_id=viewer.session_id if viewer else None,
        )
        return LogoutPayload(success=True)

    @strawberry.mutation(description="End a session from another: one's own; ADMIN anybody's.")
    async def end_session(
        self, info: Info, input: Annotated[SessionInput, strawberry.argument(description="Which session.")]
    ) -> LogoutResult:
        caller, (user_id, session_id) = info.context.require_person(), ids.read_session(input.session_id)
        await info.context.transact(
            end_session,
            caller_id=caller.id,
            any_user=caller.manages_people,
            user_id=user_id,
            session_id=session_id,
        )
        return LogoutPayload(success=True)

    @strawberry.mutation(description="Change one's password; every other session ends.")
    async def change_password(
        self,
        info: Info,
        input: Annotated[ChangePasswordInput, strawberry.argument(description="The old and the new one.")],
    ) -> SessionResult:
        viewer = info.context.require_person()
        check_password(input.new_password, "input.newPassword")
        await info.context.count_try(Door.LOGIN, str(viewer.id))
        user = await info.context.loads.user.load((viewer.id,))
        proven_hash = user.password_hash if user else None
        if not await is_password(input.current_password, proven_hash):
            raise Refused(RefusalCode.INVALID_CREDENTIALS, WRONG_PASSWORD)
        logged_in = await info.context.transact(
            change_password,
            user_id=viewer.id,
            session_id=viewer.session_id,
            proven_hash=proven_hash,
            new_hash=await hash_password(input.new_password),
            tokens=info.context.house.refresh_tokens,
        )
        return _session(info, logged_in)

    @strawberry.mutation(
        description="Be sent a word by e-mail that sets a new password. The answer is the same, and takes as "
        "long, whether there is such an account or not."
    )
    async def request_password_reset(
        self,
        info: Info,
        input: Annotated[RequestPasswordResetInput, strawberry.argument(description="Whose.")],
    ) -> LogoutResult:
        await info.context.count_try(Door.CODE, input.email)
        step = info.context.transact(
            request_password_reset, codes=info.context.house.codes, email=input.email.strip()
        )
        await asyncio.gather(step, asyncio.sleep(RESET_ANSWER_SECONDS))
        return LogoutPayload(success=True)

    @strawberry.mutation(
        description="Set a new password by the word that was sent, and be logged in. All other sessions end."
    )
    async def reset_password(
        self,
        info: Info,
        input: Annotated[ResetPasswordInput, strawberry.argument(description="The word, and the password.")],
    ) -> SessionResult:
        check_password(input.new_password, "input.newPassword")
        await info.context.count_try(Door.CODE)
        logged_in = await info.context.transact(
            reset_password,
            codes=info.context.house.codes,
            token=input.token.strip(),
            new_hash=await hash_password(input.new_password),
            tokens=info.context.house.refresh_tokens,
            device=info.context.device,
        )
        return _session(info, logged_in)


def _session(info: Info, logged_in: LoggedIn) -> SessionPayload:
    tokens, user = info.context.house.tokens, logged_in.user
    session = SessionTokens(
        access_token=tokens.make(user.id, logged_in.roles, logged_in.session_id),
        refresh_token=logged_in.refresh_token,
        token_type="Bearer",  # noqa: S106
        expires_in=tokens.lifetime_seconds,
        user=User.of(user),
    )
    return SessionPayload(session=session)
