"""Where a request comes from, as far as that is counted."""

from starlette.requests import HTTPConnection

from auth.addresses import network_of


def caller_of(connection: HTTPConnection) -> str:
    """The caller's part of the internet, as the server and its proxies tell it; empty when nobody does."""
    return network_of(connection.client.host) if connection.client else ""
