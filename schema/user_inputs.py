"""What is to change about people, and the answers to it."""

from typing import Annotated

import strawberry

from schema.enums import Language, Role
from schema.refusals import Refusal
from schema.users import User
from steps.update_user import PROFILE


@strawberry.input(description="What to change of an account; what is not named stays as it is.")
class UpdateUserInput:
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; null: one's own. ADMIN: anybody's."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The e-mail address; it takes effect when the code that is sent to it is confirmed.",
    )
    username: str | None = strawberry.field(
        default=strawberry.UNSET, description="The user name; null takes it away."
    )
    full_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The full name; null takes it away."
    )
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The phone number, in E.164; null takes it away."
    )
    language: Language | None = strawberry.field(
        default=strawberry.UNSET, description="The language in which the house writes; null leaves it."
    )

    def changes(self) -> dict[str, str | None]:
        """The parts that are named, with their new values."""
        named = {name: getattr(self, name) for name in ("email", "language", *PROFILE)}
        return {name: value for name, value in named.items() if value is not strawberry.UNSET}


@strawberry.input(description="What a person may do from now on.")
class SetUserRolesInput:
    user_id: strawberry.ID = strawberry.field(description="Whose roles.")
    roles: list[Role] = strawberry.field(description="All the roles that the person is to have.")


@strawberry.input(description="Whether a person is a high risk.")
class SetUserFlaggedInput:
    user_id: strawberry.ID = strawberry.field(description="Who.")
    flagged: bool = strawberry.field(description="True: a high risk.")


@strawberry.input(description="A person, by the id.")
class UserInput:
    user_id: strawberry.ID = strawberry.field(description="Who.")


@strawberry.type(description="An account as it is now.")
class UserPayload:
    user: User = strawberry.field(description="The account.")


@strawberry.type(description="Everything that the house knows of a person.")
class ExportPayload:
    json: str = strawberry.field(description="It all, as a JSON object with a list of rows for each kind.")


UserResult = Annotated[
    UserPayload | Refusal, strawberry.union("UserResult", description="The account, or why not.")
]
ExportResult = Annotated[
    ExportPayload | Refusal, strawberry.union("ExportResult", description="The data, or why not.")
]
