"""Erases messages of a room, with all that was said about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pychat.domain.errors import UsageError
from pychat.domain.model import Member, User, id_of
from pychat.room.core import RoomCore
from pychat.room.whispers import whisper_log
from pychat.stores import Store

__all__ = ["erase_user", "purge"]


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


async def erase_user(store: Store, rooms: Iterable[RoomCore], user_id: str) -> None:
    """Erase what a user wrote in the rooms of a store, and close the user's connections: see `Chat.erase_user`.

    `rooms` are the rooms that are open on this server; those with stores of their own too.
    """
    member_id, stores = User(user_id).member_id, {store}
    for room in rooms:
        stores.add(room.store)
        if member_id in room.membership.connections:
            await room.membership.kick(member_id, "")
        room.state.known.discard(member_id)
    for each in stores:
        for name in {name.removeprefix(whisper_log("")) for name in await each.rooms_of(member_id)}:
            await each.erase(whisper_log(name), author=member_id)
            await each.erase(name, author=member_id)
        if each.readers is not None:
            await each.readers.forget(member_id)
