"""Lists of plain objects are completed as graphql-core completes them: the same data, the same errors."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, execute, parse, subscribe
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Standard

from schema.documents import varies
from schema.executor import Executor, Selections
from schema.masking import presented
from tests.schema.trees import (
    ALL,
    ROOTS,
    SCHEMA,
    Branch,
    Query,
    Tree,
    Twig,
    WithProperty,
    branch,
    documents,
    leaf,
)


def run(
    executor: type[Standard],
    document: DocumentNode,
    root: object,
    kept: Selections | None = None,
    **variables: Any,
) -> ExecutionResult:
    given = {} if kept is None else {"selections": kept}

    async def ran() -> ExecutionResult:
        result = execute(
            SCHEMA,
            document,
            root,
            variable_values=variables,
            is_awaitable=optimized_is_awaitable,
            executor_class=executor,
            **given,
        )
        result = result if isinstance(result, ExecutionResult) else await result
        # What an error left behind runs to its end, so that no coroutine is dropped.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        return result

    return asyncio.run(ran())


def told(result: ExecutionResult) -> tuple[object, ...]:
    """All that a client could see, and the kind of each error's cause."""
    return repr(result.data), [(e.formatted, type(e.original_error)) for e in result.errors or ()]


@settings(max_examples=100, deadline=None)
@given(documents(), ROOTS, st.booleans(), st.none() | st.booleans())
def test_every_query_has_the_result_of_the_standard_executor(
    document: DocumentNode, root: Query, yes: bool, no: bool | None
) -> None:
    expected = told(run(Standard, document, root, yes=yes, no=no or False))
    assert told(run(Executor, document, root, yes=yes, no=no or False)) == expected
    kept = None if varies(document) else Selections()
    for _ in range(3):
        assert told(run(Executor, document, root, kept, yes=yes, no=no or False)) == expected


def test_what_is_selected_is_looked_at_once_unless_variables_decide() -> None:
    root, kept = Query(tree=Tree(branches=[branch(leaf())], named=[]), forest=[]), Selections()
    document = parse("{ tree { branches { name } } }")
    run(Executor, document, root, kept)
    known = dict(kept.sub_fields), dict(kept.columns)
    assert known[1]
    assert told(run(Executor, document, root, kept)) == told(run(Standard, document, root))
    assert (kept.sub_fields, kept.columns) == known
    assert not varies(document)
    assert varies(parse("query ($no: Boolean!) { tree { branches { name @skip(if: $no) } } }"))


class OnlyShort(Executor):
    """Has no other way for lists than the short one."""

    def complete_iterable_value(self, *_: Any) -> Any:
        raise AssertionError("the standard way was taken")


PLAIN = f"""{{ tree {{ branches {{ name leaf {{ {ALL} }} sure {{ ...Of }} leaves {{ a: name b: name ...Of }}
    rare {{ id }} twigs {{ name count __typename }} }} }} }} fragment Of on Leaf {{ {ALL} }}"""


def test_plain_objects_take_the_short_way_however_deep() -> None:
    root = Query(tree=Tree(branches=[branch(leaf(), leaf()), branch()], named=[]), forest=[])
    document = parse(PLAIN)
    short = run(OnlyShort, document, root)
    assert short.errors is None
    assert told(short) == told(run(Standard, document, root))


@pytest.mark.parametrize("field", ["resolved", "name"])
def test_what_is_not_plain_takes_the_standard_way(field: str) -> None:
    entry = WithProperty("p") if field == "name" else leaf()
    root = Query(tree=Tree(branches=[branch(entry)], named=[]), forest=[])
    document = parse(f"{{ tree {{ branches {{ leaves {{ {field} }} }} }} }}")
    assert run(OnlyShort, document, root).errors
    assert told(run(Executor, document, root)) == told(run(Standard, document, root))


def test_one_that_was_given_out_as_another_type_takes_the_standard_way() -> None:
    twigs = [Twig(name=name, count=1) for name in "abc"]
    strawberry.cast(Branch, twigs[1])
    root = Query(tree=Tree(branches=[replace(branch(), twigs=twigs)], named=[]), forest=[])
    document = parse("{ tree { branches { twigs { name } } } }")
    assert run(Standard, document, root).errors
    assert told(run(Executor, document, root)) == told(run(Standard, document, root))


def test_one_bad_value_in_a_long_list_is_told_with_its_path() -> None:
    leaves = [leaf(count=number) for number in range(50)]
    leaves[30].count = "many"  # type: ignore[assignment]
    root = Query(tree=Tree(branches=[branch(*leaves)], named=[]), forest=[])
    result = run(Executor, parse("{ tree { branches { leaves { count } } } }"), root)
    assert result.data == {"tree": None}
    assert [error.path for error in result.errors or ()] == [["tree", "branches", 0, "leaves", 30, "count"]]


FAILING = """{ tree { branches { one: leaves { name risky } also: later { riskyLater ...Of }
    named: leaf { risky } } } } fragment Of on Leaf { again: riskyLater __typename }"""


@pytest.mark.parametrize("kept", [None, Selections()])
def test_what_a_resolver_raises_in_a_list_is_told_and_masked_the_same(kept: Selections | None) -> None:
    leaves = [leaf(count=-1 if number == 3 else 1) for number in range(5)]
    root = Query(tree=Tree(branches=[branch(), branch(*leaves)], named=[]), forest=[])
    expected = run(Standard, parse(FAILING), root)
    result = run(Executor, parse(FAILING), root, kept)
    assert told(result) == told(expected)
    assert ["tree", "branches", 1, "one", 3, "risky"] in [error.path for error in result.errors or ()]
    masked, same = presented(result.errors) or [], presented(expected.errors) or []
    assert {error.extensions.pop("correlationId") for error in masked if error.extensions}
    assert {error.extensions.pop("correlationId") for error in same if error.extensions}
    assert [error.formatted for error in masked] == [error.formatted for error in same]
    assert "secret" not in str(masked)


def test_a_property_is_read_as_often_as_the_standard_executor_reads_it() -> None:
    read = []

    class Counting:
        @property
        def name(self) -> str:
            read.append(self)
            return "n"

    root = Query(tree=Tree(branches=[branch(Counting(), Counting())], named=[]), forest=[])
    run(Executor, parse("{ tree { branches { leaves { name } } } }"), root)
    assert len(read) == 2


async def test_a_subscription_remembers_nothing_of_the_updates_before() -> None:
    remembered = []

    class Watched(Executor):
        def complete_list_value(self, *arguments: Any) -> Any:
            remembered.append(len(self._selections.columns) + len(self._relevant_sub_fields))
            return super().complete_list_value(*arguments)

    document = parse("subscription { trees { branches { name twigs { name } later { count } } } }")
    source = subscribe(SCHEMA, document, executor_class=Watched)
    results = source if isinstance(source, AsyncIterator) else await cast(Any, source)
    found = [result async for result in results]
    assert [told(result) for result in found[1:]] == [told(found[0])] * (len(found) - 1)
    each = len(remembered) // len(found)
    assert remembered[-each:] == remembered[:each]
