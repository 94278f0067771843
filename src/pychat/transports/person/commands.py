"""The commands of a person on version 2, which are not for one room.

`enter` and `exit` are methods of `PersonConnection`, because they change which rooms it is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.notices import UnreadRoom
from pychat.protocol.v2 import encode_unread, unread_event
from pychat.transports.person.connection import PersonCommand, PersonConnection

__all__ = ["COMMANDS"]

_Fields = dict[str, Any]
_DEFAULT_PAGE, _MAX_PAGE = 50, 200  # rooms
_MAX_BLOCKED, _MAX_BLOCKED_BY_GUEST = 1_000, 100  # by one person
_LONGEST_ID = 200  # characters; ids of members are shorter


async def rooms(connection: PersonConnection, after: str | None, limit: int | None) -> _Fields:
    """A page of the listed rooms that the person may read."""
    limit = _DEFAULT_PAGE if limit is None else max(1, min(limit, _MAX_PAGE))
    found = await connection.people.rooms.visible(connection.identity.user, after or "", limit + 1)
    page = [{"name": room.name, "title": room.title, "here": room.here} for room in found[:limit]]
    return {"rooms": page, "more": len(found) > limit}


async def read(connection: PersonConnection, room: str, seq: int) -> _Fields:
    """Move the read position in a room forward, whether the person is in it or only follows it."""
    link = connection.links.get(room)
    head = None if link is None or link.session is None else link.room.position.seq
    connection.people.rooms.readers.read(connection.identity.member_id, room, seq, head)
    return {}


async def unread(connection: PersonConnection, on: bool) -> _Fields:
    """Tell what is unread in all rooms that the person follows, and from now on what changes; or tell it no more."""
    readers, identity = connection.people.rooms.readers, connection.identity
    connection.stop_watching()
    if not on:
        connection.hear_nothing()
        return {"rooms": []}
    connection.people.roomless.stop(connection)
    watcher = _Watcher(connection)
    connection.stop_watching = watcher.stop
    found = await readers.watch(identity.member_id, identity.user, watcher)
    if connection.closed:
        watcher.stop()
    return {"rooms": [encode_unread(room) for room in found]}


class _Watcher:
    """Tells a person's connection what is unread."""

    def __init__(self, connection: PersonConnection) -> None:
        self._connection = connection

    def unread(self, changed: list[UnreadRoom], gone: list[str]) -> None:
        self._connection.wire.tell(*unread_event(changed, gone))

    def stop(self) -> None:
        """Tell nothing more."""
        self._connection.people.rooms.readers.unwatch(self._connection.identity.member_id, self)


async def direct(connection: PersonConnection, members: list[Any]) -> _Fields:
    """Find or make the private room of the person and these members."""
    if not all(isinstance(each, str) for each in members):
        raise Refused("bad_request", "“with” is a list of ids of members.")
    connection.spend("direct")
    connection.people.rooms.spend_direct(connection.identity.person, connection.identity.user, connection.address)
    room = await connection.people.rooms.direct_with(connection.identity.person, members)
    return {"room": room.name}


async def block(connection: PersonConnection, member: str, on: bool) -> _Fields:
    """Let nothing of a member reach the person directly; or let it again."""
    blocks, member_id = connection.people.rooms.readers.blocks, connection.identity.member_id
    if member == member_id:
        raise Refused("bad_request", "You cannot block yourself.")
    if len(member) > _LONGEST_ID:
        raise Refused("bad_request", "This is no id of a member.")
    limit = _MAX_BLOCKED_BY_GUEST if connection.identity.user is None else _MAX_BLOCKED
    if on and len(await blocks.of(member_id)) >= limit:
        raise Refused("too_many", f"You can block {limit:,} people.")
    await blocks.block(member_id, member, on=on)
    return {}


#: By name. `protocol.v2.PERSON_COMMANDS` has the fields of each.
COMMANDS: Mapping[str, PersonCommand] = {
    "rooms": rooms,
    "read": read,
    "unread": unread,
    "direct": direct,
    "block": block,
}
