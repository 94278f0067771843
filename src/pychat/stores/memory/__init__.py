"""The memory store: the logs of rooms until the process ends. It is the smallest implementation of the store port."""

from __future__ import annotations

from pychat.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
