"""The admission gate: decides whether one more connection is accepted, the same for every transport."""

from __future__ import annotations

from math import ceil
from typing import Protocol

from pychat.domain.errors import Refused
from pychat.net.addresses import AddressLimiter

__all__ = ["Gate", "Handshakes", "retry_headers"]


class Handshakes(Protocol):
    """Counts how often each address opens a connection."""

    def wait(self, address: str) -> float:
        """The seconds until `address` may open another connection; 0.0 if it may now."""

    def count(self, address: str) -> None:
        """Count a connection that `address` has opened."""


class Gate:
    """Admits connections until the server shuts down, within limits in total and for each address.

    Status, text and retry time of each refusal are in `REFUSALS`; each wire only encodes them.
    """

    __slots__ = ("closing", "connecting", "handshakes", "limits")

    def __init__(
        self,
        limits: AddressLimiter,
        connecting: AddressLimiter | None = None,
        handshakes: Handshakes | None = None,
    ) -> None:
        """`limits` counts what is open: gates can share it. `connecting` counts what is not yet established."""
        self.limits = limits
        self.handshakes = handshakes
        self.connecting = connecting
        #: True while the server shuts down.
        self.closing = False

    def refusal(self, address: str) -> Refused | None:
        """Return why a connection from `address` is refused; `None` if it is admitted."""
        if self.closing:
            return Refused.standard("shutdown")
        if self.limits.held_by(address) >= self.limits.max_per_address:
            return Refused.standard("address_full")
        if self.limits.full:
            return Refused.standard("full")
        if self.connecting is not None and not self.connecting.allows(address):
            return Refused.standard("connecting_full")
        wait = 0.0 if self.handshakes is None else self.handshakes.wait(address)
        if wait:
            return Refused("rate_limited", "Too many connections were opened from your address. Try again soon.", wait)
        return None

    def enter(self, address: str) -> Refused | None:
        """Count one more connection from `address`, or return why it is refused. Call `leave` when it has ended."""
        refused = self.refusal(address)
        if refused is None:
            self.add(address)
        return refused

    def add(self, address: str) -> None:
        """Count one more connection from `address`, which was admitted."""
        self.limits.add(address)
        if self.handshakes is not None:
            self.handshakes.count(address)

    def leave(self, address: str) -> None:
        """Count one connection from `address` less."""
        self.limits.release(address)


def retry_headers(refused: Refused) -> dict[str, str]:
    """The header `Retry-After` (RFC 9110, section 10.2.3) of a refusal, in whole seconds, if it has a retry time."""
    return {} if refused.retry_after is None else {"Retry-After": str(max(1, ceil(refused.retry_after)))}
