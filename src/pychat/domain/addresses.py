"""The key under which an address is counted."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address

__all__ = ["address_key"]

_SUBSCRIBER_BITS = 64  # of an IPv6 address: a subscriber has all addresses with this prefix (RFC 6177)


def address_key(address: str) -> str:
    """What an address is counted as: an IPv4 address as it is, an IPv6 address by its /64.

    IPv4 addresses that are mapped into IPv6 (`::ffff:192.0.2.1`) are IPv4. Anything else is its own key.
    """
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> (128 - _SUBSCRIBER_BITS):x}/64"
