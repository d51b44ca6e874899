"""Make an account for a person."""

from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from auth.passwords import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN
from database import Transaction
from models.languages import Language
from models.users import Role, User
from steps.refusals import Inputs

USERNAME_CHARACTERS_MAX = 50
FULL_NAME_CHARACTERS_MAX = 200


@dataclass(frozen=True)
class Person:
    """What a person says of themselves, checked: the e-mail address normalized, the phone in E.164."""

    email: str
    phone: str | None
    username: str | None
    full_name: str | None
    language: Language = Language.EN


def check_person(
    *,
    email: str,
    password: str,
    phone: str | None,
    username: str | None,
    full_name: str | None,
    language: Language = Language.EN,
) -> Person:
    """Check what a person says of themselves, or refuse with every input that is wrong."""
    inputs = Inputs()
    email = inputs.take(lambda: checked_email(email), "input.email", "")
    phone = check_profile(inputs, phone=phone, username=username, full_name=full_name)
    _check_password(inputs, password, "input.password")
    inputs.refuse_if_wrong()
    return Person(email, phone, username, full_name, language)


def check_profile(
    inputs: Inputs, *, phone: str | None, username: str | None, full_name: str | None
) -> str | None:
    """Note what is wrong with the parts that a person may leave out; return the phone number in E.164."""
    phone = inputs.take(lambda: _checked_phone(phone), "input.phone", None)
    if username is not None:
        inputs.check_text(username, "input.username", "user name", USERNAME_CHARACTERS_MAX)
    if full_name is not None:
        inputs.check_text(full_name, "input.fullName", "full name", FULL_NAME_CHARACTERS_MAX)
    return phone


def check_password(password: str, field_path: str) -> None:
    """Refuse a password that is too short or too long."""
    inputs = Inputs()
    _check_password(inputs, password, field_path)
    inputs.refuse_if_wrong()


def _check_password(inputs: Inputs, password: str, field_path: str) -> None:
    inputs.check(
        PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX,
        field_path,
        f"The password must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters.",
    )


def checked_email(email: str) -> str:
    """Normalize an e-mail address; ValueError says what is wrong with it."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"The e-mail address is not valid: {error}") from None


def _checked_phone(phone: str | None) -> str | None:
    if phone is None:
        return None
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueError("The phone number is not valid in the form +49301234567 (E.164).")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def register_user(
    tx: Transaction, *, person: Person, password_hash: str, roles: tuple[Role, ...] = (Role.USER,)
) -> User:
    """Make an account; a known e-mail address or user name, in any case of letters, is refused."""
    user = User(
        email=person.email,
        phone=person.phone,
        username=person.username,
        full_name=person.full_name,
        password_hash=password_hash,
        roles=[role.value for role in roles],
        language=person.language.value,
    )
    tx.session.add(user)
    await tx.session.flush()
    return user
