"""How the contracts of stores open a store, and the messages that they put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import SkipTest

from pychat.domain.model import Member, Message
from pychat.stores import ModerationRecords, PushRecords, ReaderRecords, Retention, RoomRecords, Store

__all__ = ["ADA", "BOB", "DATE", "StoreFixture", "message", "moderation", "push", "readers", "rooms"]

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")
DATE = 1_700_000_000.0


def message(
    number: int | str, author: Member = ADA, text: str | None = None, *, mentions: tuple[str, ...] = ()
) -> Message:
    """Make a message that is not stored yet."""
    return Message(f"m{number}", author, f"text {number}" if text is None else text, DATE, mentions=mentions)


def rooms(store: Store) -> RoomRecords:
    """Return the records of rooms, or skip the test."""
    if store.rooms is None:
        raise SkipTest("this store has no records of rooms")
    return store.rooms


def readers(store: Store) -> ReaderRecords:
    """Return what members have read, or skip the test."""
    if store.readers is None:
        raise SkipTest("this store has no read positions")
    return store.readers


def moderation(store: Store) -> ModerationRecords:
    """Return the moderation records, or skip the test."""
    if store.moderation is None:
        raise SkipTest("this store has no moderation records")
    return store.moderation


def push(store: Store) -> PushRecords:
    """Return the push subscriptions, or skip the test."""
    if store.push is None:
        raise SkipTest("this store has no push subscriptions")
    return store.push


class StoreFixture:
    """Opens the store of a test."""

    #: True if the data is still there after `aclose`.
    durable = True

    @asynccontextmanager
    async def beside(self, store: Store) -> AsyncIterator[Store | None]:
        """Open the same data as `store` for a second server; `None` if a store serves one server only."""
        yield None

    @asynccontextmanager
    async def opened(self, retention: Retention | None = None) -> AsyncIterator[Store]:
        """Open the store for a test, and close it at the end."""
        raise NotImplementedError
        yield None  # type: ignore[unreachable]  # makes this a generator

    async def settled(self, store: Store) -> None:
        """Wait until a store that removes messages in the background has finished."""
