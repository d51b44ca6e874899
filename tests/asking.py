"""Every mutation with every input, its ids taken from those that a test gives."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.root import schema
from tests.alice import Ids

DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
MUTATION = schema.graphql_schema.mutation_type
REFUSAL = """... on Refusal { code message field problems { field message } seatIds
    missing { amount currency } retryAfterSeconds attemptsLeft }"""
TEXTS = {
    "email": "new@example.com",
    "phone": "+4930123456",
    "code": "123456",
    "currency": "EUR",
    "timezone": "UTC",
    "seatPlan": None,
    "idempotencyKey": None,
}
REFERENCES = {"PURCHASE": "order", "EMAIL": "user", "TRANSFER": "transfer"}
"""What kind of thing a code's context is about."""
MOMENTS = {"startsAt": "2999-01-01T19:00:00Z", "endsAt": "2999-01-01T22:00:00Z"}
OF_ORDER = " of order"
ALIASES = {"buyer": "user", "id": "notification"}
LEFT_OUT = {"buyerId", "seatId"}
"""What most callers do not say: they are meant themselves."""
INSTEAD_OF = {"buyerId": "buyerEmail", "seatId": "ticketId"}
"""What is said in one of two ways."""
LAST = {"deleteTicket"}
"""What leaves nothing to try anything else on."""
VALUES = {"Int": 1, "Boolean": True, "Decimal": "1.00"}

Input = dict[str, Any]


def mutations(known: Ids) -> Iterator[tuple[str, str, list[Input]]]:
    """Each mutation: its name, its document, and inputs that name each of these ids."""
    assert MUTATION
    for name, field in sorted(MUTATION.fields.items(), key=lambda named: named[0] in LAST):
        if not field.args:
            yield name, f"mutation {{ {name} {{ __typename {REFUSAL} }} }}", [{}]
            continue
        kind = field.args["input"].type
        document = f"mutation ($input: {kind}) {{ {name}(input: $input) {{ __typename {REFUSAL} }} }}"
        yield name, document, list(_inputs(get_named_type(kind), known))


def _inputs(kind: GraphQLInputObjectType, known: Ids) -> Iterator[Input]:
    """An input with the first candidate of each field, then one for each other candidate of each field.

    What is said of an order is about its event.
    """
    if "orderId" in kind.fields:
        of_order = {name: named for name, named in known.items() if name.endswith(OF_ORDER)}
        known = known | {name.removesuffix(OF_ORDER): named for name, named in of_order.items()}
    candidates = {name: list(_candidates(name, field, known)) for name, field in kind.fields.items()}
    first = {name: values[0] for name, values in candidates.items()}
    for wish in _about_codes(known) if "referenceId" in candidates else [{}]:
        yield first | wish
    for name, values in candidates.items():
        without = {INSTEAD_OF[name]: None} if INSTEAD_OF.get(name) in first else {}
        yield from ({**first, **without, name: value} for value in values[1:])


def _about_codes(known: Ids) -> list[Input]:
    return [{"context": context, "referenceId": id} for context, of in REFERENCES.items() for id in known[of]]


def _candidates(name: str, field: GraphQLInputField, known: Ids) -> Iterator[Any]:
    if name in LEFT_OUT:
        yield None
    for value in _values(name, get_named_type(field.type), known):
        yield [value] if is_list_type(get_nullable_type(field.type)) else value


def _values(name: str, kind: Any, known: Ids) -> list[Any]:
    if isinstance(kind, GraphQLInputObjectType) and kind.extensions[DEFINITION].is_one_of:
        return [{member: next(_candidates(member, field, known))} for member, field in kind.fields.items()]
    if isinstance(kind, GraphQLInputObjectType):
        return [next(_inputs(kind, known))]
    if isinstance(kind, GraphQLEnumType):
        return [*kind.values] if name != "context" else ["PURCHASE"]
    match kind.name:
        case "ID":
            kind_of = name.removesuffix("s").removesuffix("Id")
            return known.get(ALIASES.get(kind_of, kind_of)) or known["order"]
        case "String":
            return [TEXTS.get(name, "Something else")]
        case "DateTime":
            return [MOMENTS.get(name)]
    return [VALUES[kind.name]]
