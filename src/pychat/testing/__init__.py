"""For tests and bots: people without sockets, a clock to move, and the contract that every transport keeps.

Nothing here needs pytest; a contract is a class of plain `test_…` coroutines for whichever runner awaits them.
"""

from __future__ import annotations

from pychat.testing.clock import FakeClock
from pychat.testing.people import Person, RecordingConnection
from pychat.testing.store_contract import StoreContract
from pychat.testing.transport_contract import Client, TransportContract

__all__ = ["Client", "FakeClock", "Person", "RecordingConnection", "StoreContract", "TransportContract"]
