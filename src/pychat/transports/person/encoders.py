"""Finds the encoder of a room for a wire format, so that a message is encoded once for all of its connections."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from pychat.room.connection import Encoder

__all__ = ["Encoders"]

K = TypeVar("K", bound=Hashable)


class Encoders(Generic[K]):
    """The encoders of one wire format, each for as long as something uses it."""

    def __init__(self, make: Callable[[K], Encoder]) -> None:
        self._make = make
        self._made: WeakValueDictionary[K, Encoder] = WeakValueDictionary()

    def __getitem__(self, key: K) -> Encoder:
        """The one encoder for `key`."""
        encoder = self._made.get(key)
        if encoder is None:
            encoder = self._made[key] = self._make(key)
        return encoder
