"""Executes as Strawberry does, with a shorter way for plain objects and lists of them.

A selection is plain when all its fields are attributes without a resolver, down to the leaves. A list of
such objects is completed a column at a time, without a path, an info and a call for each field. When anything
in it is unusual the whole list is left to graphql-core, so that data and errors are the same.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import Executor as GraphQLCoreExecutor
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLResolveInfo, is_leaf_type
from graphql.execution.collect_fields import DeferUsage, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.columns import Column, Field, Leaves, Objects, Unusual, all_present, constant, lists, some_present


@dataclass
class Selections:
    """What an operation selects, as far as it was looked at, and how that is completed.

    Each selection is kept beside what is known of it: while it is there, its id is nobody else's.
    """

    root: GroupedFieldSet | None = None
    sub_fields: dict[Any, Any] = field(default_factory=dict)
    columns: dict[tuple[Any, int], tuple[FieldDetailsList, Column | None]] = field(default_factory=dict)


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Runs one operation; how its lists are completed is planned once for each selection.

    The `selections` of an operation that does not depend on its variables are kept from run to run.
    """

    def __init__(self, *args: Any, selections: Selections | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_kept = selections is not None
        self._select(selections or Selections())

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """Made when they are asked for: an executor that kept them would be a cycle, and so would leave all
        that a request has made to the garbage collector."""
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, helpers: GraphQLResolveInfoHelpers) -> None:
        del helpers

    def _select(self, selections: Selections) -> None:
        self._selections = selections
        self._relevant_sub_fields = selections.sub_fields

    def build_per_event_executor(self, payload: Any) -> "GraphQLCoreExecutor[Any]":
        """Plan each update of a subscription anew: its selections are not those of the one before.

        What graphql-core remembers of them would grow by each update, for as long as a subscription lives.
        """
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, Executor)
        if not self._is_kept:
            executor._select(Selections())
        return executor

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        new_defer_usages: Sequence[DeferUsage],
    ) -> Any:
        if self._selections.root is None:
            self._selections.root = grouped_field_set
        return super().execute_collected_root_fields(
            root_type, root_value, self._selections.root, serially, new_defer_usages
        )

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        # For one object alone a plan that is used once costs more than it saves.
        if self._is_kept and position_context is None:
            column = self._planned(return_type, field_details_list)
            if column is not None:
                with suppress(Exception):
                    return column([result])[0]
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

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

    def _planned(self, kind: Any, selected: FieldDetailsList) -> Column | None:
        """How to complete a list or an object with this selection, or None when it is not plain."""
        columns, key = self._selections.columns, (kind, id(selected))
        if key not in columns:
            columns[key] = selected, None
            with suppress(Exception):
                columns[key] = selected, self._present(kind, selected)
        return columns[key][1]

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
            return Leaves(kind)
        raise Unusual

    def _objects(self, kind: GraphQLObjectType, selected: FieldDetailsList) -> Column:
        grouped, deferred, _ = self.collect_subfields(kind, selected)
        definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if deferred or definition is None or definition.is_type_of is not None:
            raise Unusual
        fields = {name: self._field(kind, of_name) for name, of_name in grouped.items()}
        return Objects(kind.is_type_of, fields)

    def _field(self, kind: GraphQLObjectType, selected: FieldDetailsList) -> Field:
        node = selected[0].node
        if node.name.value == "__typename":
            return None, partial(constant, kind.name)
        given = kind.fields.get(node.name.value)
        definition = given and given.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if given is None or definition is None or given.args or node.arguments:
            raise Unusual
        if not definition.is_basic_field or definition.default_resolver is not getattr:
            raise Unusual
        return definition.python_name, self._column(given.type, selected)


def _is_streamed(selected: FieldDetailsList) -> bool:
    return any(d.name.value == "stream" for detail in selected for d in detail.node.directives or ())
