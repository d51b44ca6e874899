"""How long a client may stay connected: while its access token is good and its session has not ended."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.revocations import Revocations
from auth.tokens import EXPIRED
from auth.viewer import Viewer
from schema.errors import RequestError

ENDED = "The session has ended; log in again."


class StayOver(Exception):
    """The client has to go: its token has `expired`, and another lets it come back; or it is logged out."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__(EXPIRED if expired else ENDED)
        self.expired = expired

    @property
    def error(self) -> RequestError:
        """The same as an error of the request."""
        return RequestError("TOKEN_EXPIRED" if self.expired else "UNAUTHORIZED", str(self))


class Stay:
    """A client's connection, which a viewer may begin to use when it is open already."""

    def __init__(self, revocations: Revocations, timeout: asyncio.Timeout) -> None:
        self._revocations = revocations
        self._timeout = timeout
        self._viewer: Viewer | None = None
        self.has_ended = False

    def begin(self, viewer: Viewer | None) -> None:
        """Let it last as long as this viewer's token and session."""
        if viewer is None:
            return
        self._viewer = viewer
        self._timeout.reschedule(asyncio.get_running_loop().time() + viewer.expires_at - time.time())
        if viewer.session_id:
            self._revocations.watch(viewer.session_id, self._end)

    def finish(self) -> None:
        """Have nothing more to do with the session."""
        if self._viewer and self._viewer.session_id:
            self._revocations.forget(self._viewer.session_id, self._end)

    def _end(self) -> None:
        self.has_ended = True
        if not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())


@asynccontextmanager
async def staying(revocations: Revocations) -> AsyncIterator[Stay]:
    """Run the block as long as its stay lasts; raises `StayOver` in place of what is not done by then."""
    timeout = asyncio.timeout(None)
    stay = Stay(revocations, timeout)
    try:
        async with timeout:
            try:
                yield stay
            finally:
                stay.finish()
    except TimeoutError:
        if not timeout.expired():
            raise
        raise StayOver(expired=not stay.has_ended) from None
