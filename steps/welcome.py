"""Find the person whom an OpenID Connect provider introduces, or make their account."""

from uuid import UUID

from auth.introductions import Introduction
from auth.refresh_tokens import RefreshTokens
from database import Transaction
from models.columns import new_id
from models.users import ROLES_OF_PEOPLE, User
from steps.log_in import LoggedIn, open_session
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused
from steps.register import FULL_NAME_CHARACTERS_MAX, checked_email

NO_ADDRESS = "@no-address.invalid"
"""Ends the address of who has none here: of RFC 2606's names, so that nothing is ever sent to it."""

CLAIM = """
    INSERT INTO identities (user_id, issuer, subject) VALUES ($1, $2, $3)
    ON CONFLICT (issuer, subject) DO NOTHING RETURNING user_id"""

MAKE = "INSERT INTO users (id, email, full_name, language) VALUES ($1, $2, $3, $4)"

MOVE = "UPDATE identities SET user_id = $1, session_id = NULL WHERE issuer = $2 AND subject = $3"

SESSION = """
    SELECT s.id, s.ended_at IS NULL AND s.expires_at > statement_timestamp() AS is_open,
        greatest(i.void_until, s.ended_at) AS void_until
    FROM identities i LEFT JOIN sessions s ON s.user_id = i.user_id AND s.id = i.session_id
    WHERE i.user_id = $1 AND i.issuer = $2 AND i.subject = $3"""

BEGIN = """
    UPDATE identities SET session_id = $4, void_until = $5
    WHERE user_id = $1 AND issuer = $2 AND subject = $3"""


async def welcome(tx: Transaction, *, person: Introduction, tokens: RefreshTokens) -> tuple[UUID, UUID]:
    """The person's id, and that of the session which all tokens of this identity share.

    Refuses who is deactivated or deleted, and a token from before the session was ended (SESSION_REVOKED).
    """
    user = await _welcomed(tx, person)
    session = await tx.row(SESSION, user.id, person.issuer, person.subject)
    assert session is not None, "who is welcomed has an identity"
    void_until = session["void_until"]
    if void_until and person.issued_at <= void_until.timestamp():
        raise Refused(RefusalCode.SESSION_REVOKED)
    if session["is_open"]:
        return user.id, session["id"]
    # Nobody has its refresh token: the provider keeps the person logged in.
    session_id = (await open_session(tx, user, tokens, f"by {person.provider}")).session_id
    await tx.rows(BEGIN, user.id, person.issuer, person.subject, session_id, void_until)
    return user.id, session_id


async def welcome_and_log_in(
    tx: Transaction, *, person: Introduction, tokens: RefreshTokens, device: str, is_handed_over: bool
) -> LoggedIn:
    """Open a session of our own for a person, with the roles of the introduction and no others."""
    user = await _welcomed(tx, person)
    roles = tuple(role for role in ROLES_OF_PEOPLE if role in person.roles)
    return await open_session(tx, user, tokens, device, roles=roles, is_handed_over=is_handed_over)


async def _welcomed(tx: Transaction, person: Introduction) -> User:
    """Lock the person, who may be made for it."""
    row = await lock_user(tx, await _user_id(tx, person))
    if row is None or not row["active"]:
        raise Refused(RefusalCode.USER_DEACTIVATED)
    return User(**row)


async def _user_id(tx: Transaction, person: Introduction) -> UUID:
    subject = person.issuer, person.subject
    named: UUID | None = None
    if person.custom_id:
        named = await tx.value("SELECT id FROM users WHERE id = $1", person.custom_id)
    known: UUID | None = await tx.value(
        "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2", *subject
    )
    if known and named and named != known:
        await tx.rows(MOVE, named, *subject)
        return named
    if known:
        return known
    email = _address(person.email)
    found = named or await _by_email(tx, email)
    user_id = found or new_id()
    if await tx.value(CLAIM, user_id, *subject) is None:  # a twin of this request was first
        twins: UUID = await tx.value(
            "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2", *subject
        )
        return twins
    if not found:
        full_name = person.full_name[:FULL_NAME_CHARACTERS_MAX] if person.full_name else None
        address = email or f"{user_id.hex}{NO_ADDRESS}"
        await tx.rows(MAKE, user_id, address, full_name, person.language.value)
    return user_id


def _address(email: str | None) -> str | None:
    try:
        return checked_email(email) if email else None
    except ValueError:
        return None


async def _by_email(tx: Transaction, email: str | None) -> UUID | None:
    found: UUID | None = None
    if email:
        found = await tx.value("SELECT id FROM users WHERE lower(email) = lower($1)", email)
    return found
