"""Who is asking, and what that person's roles allow."""

import math
from dataclasses import dataclass
from uuid import UUID

from models.users import Role


@dataclass(frozen=True)
class Viewer:
    """The person that an access token speaks for, with the roles that it was made with.

    For a SERVICE it is another system: `id` and `session_id` are its client's.
    """

    id: UUID
    roles: frozenset[Role]
    session_id: UUID | None = None
    expires_at: float = math.inf

    @property
    def runs_events(self) -> bool:
        """OPERATOR and ADMIN run events and see every order."""
        return bool(self.roles & {Role.OPERATOR, Role.ADMIN})

    @property
    def works_at_the_door(self) -> bool:
        """STAFF and above see every ticket."""
        return self.runs_events or Role.STAFF in self.roles

    @property
    def is_service(self) -> bool:
        """A SERVICE is another system: it has no account and no session."""
        return Role.SERVICE in self.roles

    @property
    def manages_people(self) -> bool:
        """ADMIN sees and changes every account."""
        return Role.ADMIN in self.roles
