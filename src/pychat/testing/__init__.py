"""Helpers for tests: people without sockets, a fake clock, a store with faults, and contracts of transports and stores.

Only the plugin with the fixture `chat` needs pytest. A contract is a class of plain `test_…` coroutines for any runner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pychat.testing.actor import Actor
    from pychat.testing.chat import Chat
    from pychat.testing.clock import FakeClock
    from pychat.testing.faults import FaultyStore
    from pychat.testing.people import Person, RecordingConnection
    from pychat.testing.store_contract import StoreContract
    from pychat.testing.transport_contract import Client, TransportContract

__all__ = [
    "Actor",
    "Chat",
    "Client",
    "FakeClock",
    "FaultyStore",
    "Person",
    "RecordingConnection",
    "StoreContract",
    "TransportContract",
]

_WHERE = {
    "Actor": ".actor",
    "Chat": ".chat",
    "Client": ".transport_contract",
    "FakeClock": ".clock",
    "FaultyStore": ".faults",
    "Person": ".people",
    "RecordingConnection": ".people",
    "StoreContract": ".store_contract",
    "TransportContract": ".transport_contract",
}


def __getattr__(name: str) -> object:
    """Import on first use: pytest loads the plugin in every run, also in those that test no chat."""
    if name not in _WHERE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
