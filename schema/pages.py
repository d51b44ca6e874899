"""Relay connections over keyset pages."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from dataloaders.pages import Listing, Page, PageArguments, PageError
from schema.context import Info
from schema.errors import wrong_argument

NodeType = TypeVar("NodeType")

First = Annotated[int | None, strawberry.argument(description="How many from the front: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the back: 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether more comes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last entry.")


@strawberry.type(description="An entry of a list, and its place in it.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The entry's place, for `after` and `before`.")
    node: NodeType = strawberry.field(description="The entry.")


@strawberry.type(description="A page of a list; without `first` and `last` it has the first 20 entries.")
class Connection(Generic[NodeType]):
    entries: strawberry.Private[list[Any]]
    page: strawberry.Private[Page[Any]]
    listing: strawberry.Private[Listing[Any]]
    parent: strawberry.Private[Any]

    @strawberry.field(description="The entries with their cursors.")
    def edges(self) -> list[Edge[NodeType]]:
        pairs = zip(self.page.cursors, self.entries, strict=True)
        return [Edge(cursor=cursor, node=node) for cursor, node in pairs]

    @strawberry.field(description="The entries.")
    def nodes(self) -> list[NodeType]:
        return self.entries

    @strawberry.field(description="Where the page lies in the list.")
    def page_info(self) -> PageInfo:
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )

    @strawberry.field(description="How many entries the whole list has.")
    async def total_count(self, info: Info) -> int:
        return await info.context.loads.pages.count(self.listing, self.parent)


async def connect(
    info: Info,
    listing: Listing[Any],
    of: Callable[[Any], Any],
    arguments: PageArguments,
    parent: Any = None,
) -> Any:
    """Load a page of a list as a connection of what `of` makes of its rows."""
    try:
        page: Page[Any] = await info.context.loads.pages.page(listing, arguments, parent)
    except PageError as error:
        raise wrong_argument(str(error)) from None
    return Connection(entries=[of(row) for row in page.rows], page=page, listing=listing, parent=parent)
