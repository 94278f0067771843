"""Limits how much one address may use, so that there is something left for all others."""

from __future__ import annotations

from pychat.domain.addresses import address_key
from pychat.domain.errors import UsageError

__all__ = ["AddressLimiter", "address_key"]


class AddressLimiter:
    """Counts what is held, in all and by address; each step is O(1), and an address that holds nothing takes no memory.

    An empty address is a Unix socket, that is a proxy on this machine: it counts in all only. Raise `UsageError` for
    limits below 1.
    """

    __slots__ = ("_held", "_total", "max_per_address", "max_total")

    def __init__(self, max_total: int, max_per_address: int) -> None:
        if max_total < 1 or max_per_address < 1:
            raise UsageError("Limits in all and for each address are whole numbers above 0")
        self.max_total = max_total
        self.max_per_address = max_per_address
        self._total = 0
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return self._total

    @property
    def full(self) -> bool:
        """True if the total limit is reached."""
        return self._total >= self.max_total

    def held_by(self, address: str) -> int:
        """How much this address holds."""
        return self._held.get(address_key(address), 0)

    def allows(self, address: str) -> bool:
        """Whether `acquire` would succeed."""
        return not self.full and self.held_by(address) < self.max_per_address

    def acquire(self, address: str) -> bool:
        """Count one more of this address; false, and nothing is counted, if that is too many of it or in all."""
        if not self.allows(address):
            return False
        self.add(address)
        return True

    def add(self, address: str) -> None:
        """Count one more of this address, whatever the limits."""
        self._total += 1
        if address:
            key = address_key(address)
            self._held[key] = self._held.get(key, 0) + 1

    def release(self, address: str) -> None:
        """Count one less: once for each that was counted."""
        self._total -= 1
        if address:
            key = address_key(address)
            left = self._held[key] - 1
            if left:
                self._held[key] = left
            else:
                del self._held[key]
