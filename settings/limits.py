"""How much one client may ask of the endpoint; docs/limits.md says what each limit answers."""

from pydantic import Field
from pydantic_settings import BaseSettings

KIB = 1024


class EndpointLimits(BaseSettings):
    """Limits of documents, bodies, sockets and time."""

    introspection: bool | None = Field(
        None, description="Whether the schema may be asked for; unset: yes, but not in production"
    )
    query_tokens_max: int = Field(1_000, ge=200, le=20_000, description="Words and signs in one document")
    query_depth_max: int = Field(15, ge=1, le=50, description="How deep the fields of a query may be nested")
    query_aliases_max: int = Field(30, ge=0, le=1_000, description="Aliases in one operation")
    query_directives_max: int = Field(50, ge=0, le=1_000, description="Directives in one operation")
    query_repeats_max: int = Field(
        30, ge=1, le=1_000, description="How often one field may stand in one place of an operation"
    )
    query_cost_max: int = Field(
        50_000, ge=100, description="What one operation may cost, about the objects in its answer"
    )
    list_items_max: int = Field(1_000, ge=100, le=100_000, description="Items of a list in a request")
    body_bytes_max: int = Field(64 * KIB, ge=KIB, description="Bytes in a request's body")
    operator_body_bytes_max: int = Field(
        16 * KIB * KIB, ge=KIB, description="Bytes in the body of an OPERATOR or ADMIN: a seating plan"
    )
    body_seconds_max: float = Field(
        30, gt=0, le=3_600, description="How long a request's body may take to arrive"
    )
    operation_seconds_max: float = Field(
        15, gt=0, le=3_600, description="How long a query or a mutation may run"
    )
    socket_message_bytes_max: int = Field(64 * KIB, ge=KIB, description="Bytes in a message of a WebSocket")
    socket_operations_max: int = Field(
        100, ge=1, le=10_000, description="Operations that may run on a WebSocket at once"
    )
    sockets_per_address_max: int = Field(
        500, ge=1, description="WebSockets that one address may have open at one server process"
    )
    hello_seconds_max: float = Field(
        5, gt=0, le=60, description="How long a WebSocket may be silent before its connection_init"
    )
