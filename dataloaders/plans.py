"""The plans of events, read and unpacked once a process: a published event's plan never changes."""

from collections import OrderedDict
from uuid import UUID

import orjson

from database import Database
from models.layouts import Layout

PLANS_KEPT_MAX = 64


class Plans:
    """Keeps the most recently used plans of published events."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[UUID, Layout] = OrderedDict()

    async def layout(self, event_id: UUID, *, is_final: bool) -> Layout:
        """Return how the event's seats lie; a plan that is not final yet is read anew each time."""
        layout = self._kept.get(event_id) if is_final else None
        if layout is None:
            layout = await self._read(event_id)
        if is_final:
            self._keep(event_id, layout)
        return layout

    async def _read(self, event_id: UUID) -> Layout:
        rows = await self._database.rows("SELECT document FROM plans WHERE event_id = $1", event_id)
        return Layout.from_document(orjson.loads(rows[0]["document"]))

    def _keep(self, event_id: UUID, layout: Layout) -> None:
        self._kept[event_id] = layout
        self._kept.move_to_end(event_id)
        while len(self._kept) > PLANS_KEPT_MAX:
            self._kept.popitem(last=False)
