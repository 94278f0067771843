"""The client's address and the requested host, read from the headers of trusted proxies."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pychat.domain.errors import UsageError

__all__ = ["Proxies"]

_Address = IPv4Address | IPv6Address


def _parse(text: str) -> _Address | None:
    """An address as it stands in X-Forwarded-For: bare, bracketed, or with a port."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class Proxies:
    """The proxies whose headers are trusted; none by default.

    `trusted` holds addresses and networks (`"127.0.0.1"`, `"10.0.0.0/8"`), `"unix"` for proxies that connect
    through a Unix socket, or `"*"` for all. Raises `UsageError` for anything else.
    """

    __slots__ = ("_all", "_networks", "_unix")

    def __init__(self, trusted: Iterable[str] | str = ()) -> None:
        names = [trusted] if isinstance(trusted, str) else list(trusted)
        self._all = "*" in names
        self._unix = self._all or "unix" in names
        try:
            self._networks = [ip_network(name, strict=False) for name in names if name not in {"*", "unix"}]
        except ValueError as problem:
            raise UsageError(f'trusted_proxies: {problem}; write addresses, networks, "unix" or "*"') from None

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the trusted proxies."""
        return tuple(self._networks)

    def trusts(self, peer: str) -> bool:
        """Return whether this peer is a trusted proxy. An empty peer is a Unix socket."""
        if self._all or not peer:
            return self._unix
        if not self._networks:
            return False
        address = _parse(peer)
        return address is not None and any(
            address in network
            for network in self._networks
            if address.version == (6 if isinstance(network, IPv6Network) else 4)
        )

    def client(self, peer: str, forwarded_for: str | None) -> str:
        """The client's address: X-Forwarded-For walked from the right for as long as the hop is trusted."""
        if not forwarded_for or not self.trusts(peer):
            return peer
        address = peer
        for hop in reversed(forwarded_for.split(",")):
            parsed = _parse(hop)
            if parsed is None:
                break
            address = str(parsed)
            if not self.trusts(address):
                break
        return address

    def host(self, peer: str, host: str | None, forwarded_host: str | None) -> str | None:
        """The host that the client asked for: X-Forwarded-Host where a trusted proxy says so, else Host."""
        if forwarded_host and self.trusts(peer):
            return forwarded_host.rpartition(",")[2].strip()
        return host
