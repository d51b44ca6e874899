"""Addresses that one subscriber can have are one when they are counted."""

import pytest
from starlette.requests import HTTPConnection

from auth.addresses import network_of
from routes.callers import caller_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("2001:db8::1", "2001:0DB8:0000::1"),
    ],
)
def test_addresses_of_one_subscriber_are_one(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(("one", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")])
def test_addresses_of_two_subscribers_are_two(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


def test_what_is_no_address_is_taken_as_it_is() -> None:
    assert network_of("testclient") == "testclient"


def test_a_caller_is_the_network_of_the_connection() -> None:
    scope = {"type": "http", "headers": [], "client": ("2001:db8::1", 1)}
    assert caller_of(HTTPConnection(scope)) == "2001:db8::/64"
    assert caller_of(HTTPConnection(scope | {"client": None})) == ""
