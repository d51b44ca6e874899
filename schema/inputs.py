"""Builds inputs by a plan that is made once for each kind, where Strawberry looks at every type each time."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any, TypeVar

from strawberry import Some
from strawberry.scalars import is_scalar
from strawberry.types import get_object_definition
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition

Input = TypeVar("Input")
Convert = Callable[[Any, InputContext], Any]


def by_plan(kind: type[Input]) -> type[Input]:
    """Have values of an input built by a plan: for the requests of which there are very many.

    A `Maybe` in it must not be given null, which only `one_of` sees to: Strawberry leaves it to us here.
    """
    definition = get_object_definition(kind, strict=True)
    plan: dict[str, tuple[str, Convert]] = {}
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }

    def build(_: type, value: Mapping[str, Any], context: InputContext) -> Input:
        if not plan:
            for field in definition.fields:
                name = context.config.name_converter.from_field(field)
                plan[name] = field.python_name, _conversion(field.resolve_type(), name, context)
        given: dict[str, Any] = dict(absent)
        for name, item in value.items():
            python_name, convert = plan[name]
            given[python_name] = convert(item, context)
        return kind(**given)

    definition.from_input = build
    return kind


def _conversion(kind: Any, name: str, context: InputContext) -> Convert:
    """How a value of this type is converted; Strawberry does what is not one of a few plain kinds."""
    if isinstance(kind, StrawberryMaybe):
        some = _conversion(kind.of_type, name, context)
        return lambda value, context: Some(some(value, context))
    if isinstance(kind, StrawberryOptional):
        return _conversion(kind.of_type, name, context)
    if _is_leaf(kind, context):
        return _as_it_is
    if isinstance(kind, StrawberryList) and _is_leaf(kind.of_type, context):
        return _as_list
    definition = get_object_definition(kind)
    build = definition and definition.from_input
    if build:
        return lambda value, context: None if value is None else build(kind, value, context)
    return lambda value, context: context.convert(value, kind, name)


def _is_leaf(kind: Any, context: InputContext) -> bool:
    return isinstance(kind, StrawberryEnumDefinition) or is_scalar(kind, context.scalar_registry)


def _as_it_is(value: Any, _: InputContext) -> Any:
    return value


def _as_list(value: Any, _: InputContext) -> Any:
    return None if value is None else list(value)
