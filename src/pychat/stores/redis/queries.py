"""Reads the log of a room: events by number, messages as they stand, and messages with given words."""

from __future__ import annotations

import re

from pychat.domain.model import LogEvent, Message
from pychat.domain.search import Search
from pychat.stores.redis.codec import decode_log, decode_message
from pychat.stores.redis.connection import RedisConnection
from pychat.stores.redis.scripts import SCRIPTS
from pychat.stores.search_turns import SearchTurns
from pychat.stores.store import Page

__all__ = ["escaped", "events", "has_events", "history", "revised", "scan", "search"]

_CHUNK = 200  # messages that a search reads at a time


async def events(connection: RedisConnection, key: str, after: int, limit: int) -> list[LogEvent]:
    """Return at most `limit` events after number `after` of the room whose keys begin with `key`."""
    entries = await connection.execute("XRANGE", key + "log", f"{max(0, after) + 1}-0", "+", "COUNT", limit)
    return [decode_log(fields[5], int(id_[:-2])) for id_, fields in entries]


async def history(connection: RedisConnection, key: str, before: int | None, limit: int) -> Page:
    """Return the last `limit` messages before number `before`."""
    messages, seq = await _messages(connection, key, before, limit)
    return Page(tuple(reversed(messages)), seq)


async def search(
    connection: RedisConnection, key: str, before: int | None, limit: int, wanted: Search, turns: SearchTurns
) -> Page:
    """Return the last `limit` messages before number `before` that a search finds."""
    found: list[Message] = []
    async with turns.step():
        messages, newest = await _messages(connection, key, before, _CHUNK)
        found += _found(messages, wanted)
    while not wanted.empty and len(found) < limit and len(messages) == _CHUNK:
        async with turns.step():
            messages, _ = await _messages(connection, key, messages[-1].seq, _CHUNK)
            found += _found(messages, wanted)
    return Page(tuple(reversed(found[:limit])), newest)


def _found(messages: list[Message], wanted: Search) -> list[Message]:
    return [] if wanted.empty else [each for each in messages if wanted.finds(each)]


async def revised(connection: RedisConnection, key: str, seq: int) -> tuple[Message, bytes] | None:
    """Return message `seq` as it stands, and its revisions as Redis has them; `None` if it is no longer kept."""
    _, _, found = await connection.run(SCRIPTS["history"], key, f"({seq + 1}", 1)
    if not found or found[0][0] != seq:
        return None
    _, text, revisions = found[0]
    return decode_message(text, seq, revisions), revisions


async def scan(connection: RedisConnection, pattern: str) -> list[str]:
    """Return the keys that match `pattern`."""
    found, cursor = set[bytes](), b"0"
    while True:
        cursor, keys = await connection.execute("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
        found.update(keys)
        if cursor == b"0":
            return sorted(key.decode() for key in found)


async def has_events(connection: RedisConnection, ids: str, author: str) -> bool:
    """Return whether the hash `ids` of a room has an event of that author."""
    cursor, pattern = b"0", f"{escaped(author)}\0*"
    while True:
        cursor, found = await connection.execute("HSCAN", ids, cursor, "MATCH", pattern, "COUNT", 1000)
        if found or cursor == b"0":
            return bool(found)


def escaped(text: str) -> str:
    """Return the pattern that matches only `text`."""
    return re.sub(r"([\\*?\[\]^])", r"\\\1", text)


async def _messages(connection: RedisConnection, key: str, before: int | None, limit: int) -> tuple[list[Message], int]:
    """Return messages as they stand, newest first, and the number of the newest event."""
    end = "+inf" if before is None else f"({before}"
    _, seq, messages = await connection.run(SCRIPTS["history"], key, end, limit)
    return [decode_message(text, number, revisions) for number, text, revisions in messages], seq
