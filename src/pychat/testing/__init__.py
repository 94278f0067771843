"""For tests and bots: people without sockets, a clock to move, and the contract that every transport keeps.

Nothing here needs pytest; a contract is a class of plain `test_…` coroutines for whichever runner awaits them.
"""

from __future__ import annotations

from pychat.testing.clock import FakeClock
from pychat.testing.contracts import Client, TransportContract
from pychat.testing.people import Person, RecordingConnection

__all__ = ["Client", "FakeClock", "Person", "RecordingConnection", "TransportContract"]
