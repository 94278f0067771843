"""Erases messages of a room, with all that was said about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pychat.domain.errors import UsageError
from pychat.domain.model import Member, User, id_of
from pychat.domain.names import Names
from pychat.room.core import RoomCore
from pychat.room.whispers import whisper_log
from pychat.stores import Store

__all__ = ["disconnect_user", "erase_user", "purge"]


async def purge(
    room: RoomCore, before: float | datetime | None, author: str | Member | User | None, seqs: Iterable[int] | None
) -> list[int]:
    """Erase messages of a room: see `ChatRoom.purge`."""
    if isinstance(before, datetime):
        if before.tzinfo is None:
            raise UsageError("The date `before` needs a time zone, such as datetime.now(UTC).")
        before = before.timestamp()
    member_id = None if author is None else id_of(author)
    if seqs is None and (before is not None or member_id is not None):
        await room.store.erase(whisper_log(room.name), author=member_id, before=before)
        room.whispers.forget()
    chosen = None if seqs is None else frozenset(seqs)
    return await room.store.erase(room.name, author=member_id, before=before, seqs=chosen)


async def disconnect_user(rooms: Iterable[RoomCore], member_id: str) -> None:
    """Close the user's connections to this server, wait until the user has left all open rooms, and forget the name."""
    for room in rooms:
        state = room.state
        if member_id in room.membership.connections or member_id in state.members or member_id in state.away:
            await room.membership.kick(member_id, "")
        state.known.discard(member_id)


async def erase_user(stores: Iterable[Store], member_id: str, direct: Iterable[str]) -> None:
    """Erase what a user wrote in the rooms of some stores, the user's names, and what the user has read.

    `direct` are the names of the direct rooms from whose records the user was taken out.
    """
    for each in stores:
        for name in {*direct, *(name.removeprefix(whisper_log("")) for name in await each.rooms_of(member_id))}:
            await each.erase(whisper_log(name), author=member_id)
            await each.erase(name, author=member_id)
        if each.readers is not None:
            await each.readers.forget(member_id)
    Names.keys.cache_clear()  # it holds names
