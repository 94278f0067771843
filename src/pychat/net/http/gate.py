"""The admission gate: decides whether one more connection is accepted, the same for every transport."""

from __future__ import annotations

from math import ceil

from pychat.domain.errors import Refused
from pychat.net.addresses import AddressLimiter

__all__ = ["Gate", "retry_headers"]


class Gate:
    """Admits connections until the server shuts down, within limits in total and for each address.

    Status, text and retry time of each refusal are in `REFUSALS`; each wire only encodes them.
    """

    __slots__ = ("closing", "connecting", "limits")

    def __init__(self, limits: AddressLimiter, connecting: AddressLimiter | None = None) -> None:
        """`limits` counts what is open. `connecting` counts connections that are not yet established, if any are."""
        self.limits = limits
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
        return None

    def enter(self, address: str) -> Refused | None:
        """Count one more connection from `address`, or return why it is refused. Call `leave` when it has ended."""
        refused = self.refusal(address)
        if refused is None:
            self.limits.add(address)
        return refused

    def leave(self, address: str) -> None:
        """Count one connection from `address` less."""
        self.limits.release(address)


def retry_headers(refused: Refused) -> dict[str, str]:
    """The header `Retry-After` (RFC 9110, section 10.2.3) of a refusal, in whole seconds, if it has a retry time."""
    return {} if refused.retry_after is None else {"Retry-After": str(max(1, ceil(refused.retry_after)))}
