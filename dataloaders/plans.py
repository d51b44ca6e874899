"""The plans of events, made once a process in each form: a published event's plan never changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import orjson

from database import Database
from dataloaders.load import load_records
from models.layouts import Layout

PLANS_KEPT_MAX = 256
SEATS_KEPT_MAX = 250_000
"""Of all plans that are kept; a seat takes up to half a kilobyte, so together they take up to 125 MB."""

DOCUMENTS = "SELECT event_id, document FROM plans WHERE event_id = ANY($1::uuid[])"

Form = TypeVar("Form")
Key = tuple[Callable[[UUID, Layout], Any], UUID]


class Plans:
    """Keeps the most recently used plans of published events, in the forms that were asked for."""

    def __init__(self, database: Database) -> None:
        self._documents = load_records(database, DOCUMENTS)
        self._kept: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._in_the_making: dict[Key, asyncio.Task[Any]] = {}
        self._seats_kept = 0

    def known(self, form: Callable[[UUID, Layout], Form], event_id: UUID) -> Form | None:
        """Return an event's plan if it is kept in this form."""
        if (form, event_id) not in self._kept:
            return None
        self._kept.move_to_end((form, event_id))
        made: Form = self._kept[form, event_id][0]
        return made

    async def plan(self, form: Callable[[UUID, Layout], Form], event_id: UUID, *, is_final: bool) -> Form:
        """Return what `form` makes of an event's layout, in a thread, once for all who ask at one time.

        A plan that is not final yet is read and made anew each time.
        """
        if not is_final:
            return (await self._made(form, event_id))[0]
        known = self.known(form, event_id)
        if known is not None:
            return known
        key = form, event_id
        if key not in self._in_the_making:
            self._in_the_making[key] = asyncio.create_task(self._make(key))
        # Whoever gives up waiting leaves the making to the others.
        made: Form = await asyncio.shield(self._in_the_making[key])
        return made

    async def _make(self, key: Key) -> Any:
        try:
            made, seats = await self._made(*key)
        finally:
            del self._in_the_making[key]
        self._kept[key] = made, seats
        self._seats_kept += seats
        while len(self._kept) > PLANS_KEPT_MAX or self._seats_kept > SEATS_KEPT_MAX:
            _, (_, gone) = self._kept.popitem(last=False)
            self._seats_kept -= gone
        return made

    async def _made(self, form: Callable[[UUID, Layout], Form], event_id: UUID) -> tuple[Form, int]:
        document = (await self._documents.load(event_id))[0]["document"]
        return await asyncio.to_thread(_formed, form, event_id, document)


def _formed(form: Callable[[UUID, Layout], Form], event_id: UUID, document: str) -> tuple[Form, int]:
    layout = Layout.from_document(orjson.loads(document))
    return form(event_id, layout), layout.numbered
