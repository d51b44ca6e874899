"""Executes as Strawberry does, with a shorter way for lists of plain objects.

A selection is plain when all its fields are attributes without a resolver, down to the leaves. A list of
such objects is completed a column at a time, without a path, an info and a call for each field. When anything
in it is unusual the whole list is left to graphql-core, so that data and errors are the same.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from graphql import Executor as GraphQLCoreExecutor
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLResolveInfo, is_leaf_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.columns import Column, Field, Unusual, all_present, constant, leaves, lists, objects, some_present


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Runs one operation; how its lists are completed is planned once for each selection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The selection is kept beside its plan: while it is there, its id is nobody else's.
        self._columns: dict[tuple[Any, int], tuple[FieldDetailsList, Column | None]] = {}

    def build_per_event_executor(self, payload: Any) -> "GraphQLCoreExecutor[Any]":
        """Plan each update of a subscription anew: its selections are not those of the one before.

        What graphql-core remembers of them would grow by each update, for as long as a subscription lives.
        """
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, Executor)
        executor._columns, executor._relevant_sub_fields = {}, {}
        return executor

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        column = self._planned(return_type, field_details_list) if position_context is None else None
        if column is not None:
            with suppress(Exception):
                return column([result])[0]
        return super().complete_list_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _planned(self, kind: GraphQLList[Any], selected: FieldDetailsList) -> Column | None:
        """How to complete a list with this selection, or None when it is not plain."""
        key = kind, id(selected)
        if key not in self._columns:
            self._columns[key] = selected, None
            with suppress(Exception):
                self._columns[key] = selected, self._present(kind, selected)
        return self._columns[key][1]

    def _column(self, kind: Any, selected: FieldDetailsList) -> Column:
        if isinstance(kind, GraphQLNonNull):
            return partial(all_present, self._present(kind.of_type, selected))
        return partial(some_present, self._present(kind, selected))

    def _present(self, kind: Any, selected: FieldDetailsList) -> Column:
        """How to complete values that are not null; raises `Unusual` when the selection is not plain."""
        if isinstance(kind, GraphQLList) and not _is_streamed(selected):
            return partial(lists, self._column(kind.of_type, selected))
        if isinstance(kind, GraphQLObjectType) and self.middleware_manager is None:
            return self._objects(kind, selected)
        if is_leaf_type(kind):
            return partial(leaves, kind)
        raise Unusual

    def _objects(self, kind: GraphQLObjectType, selected: FieldDetailsList) -> Column:
        grouped, deferred, _ = self.collect_subfields(kind, selected)
        definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if deferred or definition is None or definition.is_type_of is not None:
            raise Unusual
        fields = {name: self._field(kind, of_name) for name, of_name in grouped.items()}
        return partial(objects, kind.is_type_of, fields)

    def _field(self, kind: GraphQLObjectType, selected: FieldDetailsList) -> Field:
        node = selected[0].node
        if node.name.value == "__typename":
            return None, partial(constant, kind.name)
        field = kind.fields.get(node.name.value)
        definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field is None or definition is None or field.args or node.arguments:
            raise Unusual
        if not definition.is_basic_field or definition.default_resolver is not getattr:
            raise Unusual
        return definition.python_name, self._column(field.type, selected)


def _is_streamed(selected: FieldDetailsList) -> bool:
    return any(d.name.value == "stream" for detail in selected for d in detail.node.directives or ())
