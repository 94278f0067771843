"""Networks of addresses: their usual form, and the lookup of an address among many of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

from pychat.domain.errors import Refused

__all__ = ["Networks", "network_of", "parse_network"]

_WIDEST = {4: 8, 6: 16}  # prefix lengths
_SUBSCRIBER_BITS = 64  # of an IPv6 address: a subscriber has all addresses with this prefix (RFC 6177)
_Network = IPv4Network | IPv6Network
_T = TypeVar("_T")
#: Loopback and unspecified addresses.
_OWN = (IPv4Network("127.0.0.0/8"), IPv4Network("0.0.0.0/8"), IPv6Network("::/64"))


def network_of(address: str) -> str | None:
    """The network that a visitor's address stands for: itself, or its /64 for IPv6; `None` if it can be no network.

    IPv4 addresses that are mapped into IPv6 (`::ffff:192.0.2.1`) are IPv4.
    """
    network = _parsed(address)
    return None if network is None else _text(network)


def parse_network(text: str, protected: Iterable[IPv4Network | IPv6Network] = ()) -> str:
    """The usual form of an address or network that a moderator wrote.

    Raise `Refused` with `bad_request` if it is none, if it is too large, or if it has an address of this computer or of
    `protected`, which are the trusted proxies.
    """
    network = _parsed(text.strip())
    if network is None:
        raise Refused("bad_request", f"{text[:64]!a} is no address and no network, such as 203.0.113.0/24.")
    if network.prefixlen < _WIDEST[network.version]:
        raise Refused("bad_request", f"{_text(network)} is too large a network: /{_WIDEST[network.version]} at most.")
    if any(network.overlaps(each) for each in _OWN if each.version == network.version):
        raise Refused("bad_request", f"{_text(network)} is the server's own computer, and cannot be banned or muted.")
    if any(network.overlaps(each) for each in protected if each.version == network.version):
        raise Refused("bad_request", f"{_text(network)} has a trusted proxy, through which everybody comes.")
    return _text(network)


@lru_cache(1024)
def _parsed(text: str) -> _Network | None:
    try:
        if "/" in text:
            network = ip_network(text, strict=False)
        else:
            address = ip_address(text.partition("%")[0])
            mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
            network = ip_network(mapped or address)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen > _SUBSCRIBER_BITS:
        return network.supernet(new_prefix=_SUBSCRIBER_BITS)
    return network


def _text(network: _Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


class Networks(dict[str, _T]):
    """Values by network. `find` looks in one dict for each length of prefix that there is, and walks over nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths: dict[tuple[int, int], int] = {}  # (version, prefix length) -> how many networks have it

    def add(self, network: str, value: _T) -> None:
        """Set the value of a network in the usual form."""
        if network not in self:
            self._count(network, 1)
        self[network] = value

    def discard(self, network: str) -> None:
        """Forget a network, if it is known."""
        if self.pop(network, None) is not None:
            self._count(network, -1)

    def find(self, address: str) -> list[_T]:
        """The values of all networks that have this address, the smallest network first."""
        network = _parsed(address) if self else None
        if network is None:
            return []
        lengths = [length for version, length in self._lengths if version == network.version]
        keys = [_text(network.supernet(new_prefix=length)) for length in sorted(lengths, reverse=True)]
        return [self[key] for key in keys if key in self]

    def _count(self, network: str, change: int) -> None:
        parsed = _parsed(network)
        if parsed is None:
            return
        key = parsed.version, parsed.prefixlen
        self._lengths[key] = self._lengths.get(key, 0) + change
        if not self._lengths[key]:
            del self._lengths[key]
