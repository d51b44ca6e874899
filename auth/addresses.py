"""Whom an address of the internet stands for, when what comes from it is counted."""

import ipaddress
from functools import lru_cache

ADDRESSES_REMEMBERED_MAX = 10_000
NETWORK_BITS = {4: 32, 6: 64}
"""One subscriber has so much of the internet for themselves."""


@lru_cache(ADDRESSES_REMEMBERED_MAX)
def network_of(address: str) -> str:
    """What one subscriber has: an address of version 4, or a network of version 6; else what was given."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network((ip, NETWORK_BITS[ip.version]), strict=False))
