"""`Chat`: many rooms with one store, one `authenticate` and hooks for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Member, User
from pychat.domain.request import Request
from pychat.domain.settings import RoomSettings
from pychat.room.backend import STAYING
from pychat.room.chatroom import ChatRoom
from pychat.room.clock import Clock
from pychat.room.direct import MAX_DIRECT, direct_record, direct_rooms_of, stored_names
from pychat.room.directory import RoomDirectory
from pychat.room.erasing import disconnect_user, erase_user
from pychat.room.finder import FindRoom, RoomFinder
from pychat.room.hooked import Hooked
from pychat.room.hooks import Hooks
from pychat.room.whispers import whisper_log
from pychat.stores import RoomRecord, Store, Unread, open_store

__all__ = ["AccessFunction", "Authenticate", "Chat", "authenticate_of", "rooms_of"]

#: The app's function: it returns a `User`, or `None` for a guest. It may raise or return `Refused`, and may be async.
Authenticate = Callable[[Request], User | Refused | Awaitable[User | Refused | None] | None]

_Level = Access | str | Iterable[str]
#: The app's function: what a user, or a guest (`None`), may do in the room of that name. May be async.
AccessFunction = Callable[[User | None, str], _Level | Awaitable[_Level]]


class Chat(Hooked):
    """Many rooms: those that are given, and those that are opened while the app runs. Mount it as you mount a room.

    Make all calls on one event loop.
    """

    def __init__(
        self,
        *rooms: ChatRoom,
        store: str | Store = "memory:",
        authenticate: Authenticate | None = None,
        find_room: FindRoom | None = None,
        access: AccessFunction | None = None,
        limits: Limits | None = None,
        reserved_names: Iterable[str] = ("admin",),
        grace: float = 30.0,
        idle: float = 60.0,
        max_rooms_per_person: int = 1000,
        push: str | None = None,
        clock: Clock | None = None,
        language: str | None = None,
        languages: str | Path | None = None,
        markdown: bool = True,
        accent: str | None = None,
        logo: str | Path | None = None,
    ) -> None:
        """`rooms` are open as long as the chat; those that were given no store are kept in `store`.

        `authenticate` says who a visitor is. `find_room` says what the room of a name is, when somebody visits a room
        that is not open; without it, there are the rooms that were given, and those that `open` has made. `access` says
        what a visitor may do in a room; without it, everybody may read and write in every room. A room that does not
        exist and a room that a visitor may not read look the same to the visitor. Each function may be async; if not,
        it runs in a thread. It must answer within 10 seconds.

        `limits`, `reserved_names` and `grace` are the values for rooms that are opened without their own. A room that
        was opened while the app runs is let go when nobody was in it for `idle` seconds; its messages stay in the
        store. One person may be in `max_rooms_per_person` rooms. The pages are in the language that a reader's browser
        asks for; `language` is for those who ask for none that there is, `languages` is a directory with further ones.
        `accent` is the colour of buttons and links, as `#0b6e5d`; `logo` is the path of a picture for the header.
        They show texts with Markdown, unless `markdown` is `False`.

        With `push`, people who ask for it are told of mentions and direct messages while they are away, by the push
        service of their browser. It is an address for the operators of push services, such as `mailto:you@example.com`,
        and needs the extra `push`. Raise `UsageError` for an invalid argument.
        """
        #: The function that says who a visitor is.
        self.authenticate = authenticate
        #: What the pages are written in for readers whose language there is not.
        self.language = language
        #: The directory with further languages.
        self.languages = languages
        #: Whether the pages show texts with Markdown.
        self.markdown = markdown
        #: The colour of buttons and links.
        self.accent = accent
        #: The path of the picture in the header.
        self.logo = logo
        self._url = store if isinstance(store, str) else None  # of the store that this chat opens and closes
        self._store = open_store(store) if isinstance(store, str) else store
        self._closed_store = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hooks = Hooks()
        clock = clock or Clock()
        for room in rooms:
            room.backend.use(self._store)
            room.backend.core.hooks.share(self._hooks)
        #: The rooms as transports see them.
        self.directory = RoomDirectory(
            *rooms, access=access, idle=idle, max_rooms_per_person=max_rooms_per_person, clock=clock
        )
        self._finder = RoomFinder(
            self.directory.rooms,
            find_room,
            readers=self.directory.readers,
            rates=self.directory.rates,
            store=lambda: self._store,
            hooks=self._hooks,
            limits=limits or Limits(),
            reserved_names=reserved_names,
            grace=grace,
            clock=clock,
        )
        self.directory.look_in(self._finder)
        #: The contact for the operators of push services; `None` if there is no Web push.
        self.push = push
        if push is not None:
            self.directory.readers.push = self.directory.push.said
            self._hooks.add("mention", self.directory.push.mentioned)

    # Rooms.

    async def open(
        self,
        name: str,
        *,
        title: str | None = None,
        limits: Limits | None = None,
        reserved_names: Iterable[str] | None = None,
        grace: float | None = None,
        listed: bool = True,
    ) -> ChatRoom:
        """Return the room of that name. If there is none, make it, and store what it is.

        Without `title` and the other arguments, a room that was stored before is what it was. Raise `UsageError` for an
        invalid name, or for a store that keeps no records of rooms.
        """
        known = self.get(name)
        given = None if reserved_names is None else tuple(reserved_names)
        settings = RoomSettings(title, limits, given, grace, listed)
        plain = settings == RoomSettings()
        if known is not None and (plain or name in self.directory.rooms.given):
            return known
        if plain:
            record = await self._finder.record(name)
            if record is not None:
                settings = RoomSettings.from_json(record.title, record.settings)
        return await self._finder.make(name, settings)

    def get(self, name: str) -> ChatRoom | None:
        """The room of that name, if it is open."""
        return self.directory.rooms.get(name)

    async def rooms(self, after: str = "", limit: int = 100) -> list[RoomRecord]:
        """The stored rooms in order of name: at most `limit` of those after the name `after`."""
        records = self._store.rooms
        return [] if records is None else await records.page(after, limit)

    async def close_room(self, name: str) -> None:
        """Close the connections to a room. Its messages stay, and it opens again for whoever comes next."""
        room = self.get(name)
        if room is not None:
            await self.directory.rooms.close_room(room, Close.SHUTDOWN)

    async def delete_room(self, name: str) -> None:
        """Delete a room and all that was said in it, and close its connections with `Close.DELETED`.

        A room that was given to the chat stays, empty. Raise `UsageError` if the store cannot delete rooms.
        """
        records = self._store.rooms
        if records is None:
            raise UsageError("This store keeps no records of rooms, and cannot delete one.")
        await records.delete(name)
        await records.delete(whisper_log(name))
        room = self.directory.rooms.known(name)
        if room is not None and name not in self.directory.rooms.given:  # if it has not been started, it was not told
            self.directory.rooms.deleted(room.backend)

    async def refresh(self, user_id: str | None = None) -> None:
        """Tell the chat that the access of the user of that id has changed; without an id, that of anybody.

        `access` is asked again for the rooms that they are in. Open connections lose or gain access at once.
        """
        await self.directory.refresh(user_id)

    # What people have read, and direct rooms. A user's id is the app's own; a guest is a `Member`.

    async def unread(self, user: str | User | Member) -> dict[str, Unread]:
        """Return what a user has not read, for each room that they follow: by the room's name, zeros included.

        It is one query, however many messages are unread. Whether the user may still read a room is not asked.
        """
        member_id = _member_id(user)
        counts = (await self.directory.readers.unread([member_id]))[member_id]
        return {each.room: each for each in counts}

    async def follow(self, user: str | User | Member, room: str) -> None:
        """Put a room into a user's list, from its end on. No-op if it is there. Entering a room does the same."""
        await self.directory.readers.follow(_member_id(user), room)

    async def unfollow(self, user: str | User | Member, room: str) -> None:
        """Take a room out of a user's list, and forget what they have read there."""
        await self.directory.readers.unfollow(_member_id(user), room)

    async def direct(self, *people: str | User | Member) -> ChatRoom:
        """Return the private room of these people, in any order; make it if there is none.

        Only they can enter it, whatever `access` says, and it is in their lists. Raise `UsageError` if they are fewer
        than two or more than 20, or if the store keeps no records of rooms.
        """
        names = {_member_id(each): ("" if isinstance(each, str) else each.name) or "" for each in people}
        if not 1 < len(names) <= MAX_DIRECT:
            raise UsageError(f"A direct room has 2 to {MAX_DIRECT} people, not {len(names)}.")
        if self._store.rooms is None:
            raise UsageError("This store keeps no records of rooms, so there are no direct rooms.")
        return await self.directory.direct(names)

    async def block(self, user: str | User | Member, other: str | User | Member, on: bool = True) -> None:  # noqa: FBT002
        """Let a user block another one, or with `on=False` no longer.

        Somebody who is blocked cannot write to the user in a direct room, nor open one. Their mentions of the user do
        not count.
        """
        await self.directory.readers.blocks.block(_member_id(user), _member_id(other), on=on)

    async def unsubscribe(self, user: str | User | Member) -> None:
        """Send a user no more push messages, in no browser: call it when the user logs out."""
        await self.directory.push.forget(_member_id(user))

    async def erase_user(self, user_id: str) -> None:
        """Erase all that the user of that id wrote, in all rooms of the store, also in those that are not open.

        What is erased is the same as with `ChatRoom.purge(author=…)`, the user's names, and what the user has read. The
        user's connections to this server are closed with `Close.KICKED`; let `authenticate` refuse the user before
        that. The user is taken out of their direct rooms. If one person is left in such a room, its title is “Erased
        person”, and nobody can write there; if nobody is left, the room is deleted. Raise `UsageError` if the store
        cannot erase.
        """
        member_id, direct = User(user_id).member_id, list[str]()
        rooms = [room.backend.core for room in self.directory.rooms.all]
        stores = {self._store, *(room.store for room in rooms)}
        await disconnect_user(rooms, member_id)
        if self._store.rooms is not None:
            async for record in direct_rooms_of(self._store.rooms, member_id):
                direct.append(record.name)
                names = stored_names(record)
                people = {each: names.get(each, "") for each in record.people if each != member_id}
                if people:
                    await self._finder.change_direct(direct_record(record.name, people))
                else:
                    await self.delete_room(record.name)
        await erase_user(stores, member_id, direct)
        await self.directory.push.forget(member_id)
        await self.directory.readers.forget(member_id)  # also what is gathered and not yet written

    def _own_hooks(self) -> Hooks:
        return self._hooks

    # Its life.

    async def start(self) -> None:
        """Open the rooms that were given. Idempotent.

        After `aclose`, or when its event loop has ended, the chat is opened again, on this event loop.
        """
        self.revive()
        await self.directory.start()

    def revive(self) -> None:
        """Use the event loop that runs now, with a new store if the one before was closed or has lost its loop."""
        loop = asyncio.get_running_loop()
        lost = self._loop not in (None, loop) and not (self._url or "").startswith(STAYING)
        if self._url is not None and (self._closed_store or lost):
            self._store = open_store(self._url)
            self._closed_store = False
        self._loop = loop
        self.directory.readers.use(self._store)
        for room in self.directory.rooms.all:
            room.backend.use(self._store)

    async def aclose(self, why: Close = Close.SHUTDOWN) -> None:
        """Close all connections for the reason `why`, and the store if this chat opened it. Idempotent.

        `start` opens it again.
        """
        await self._finder.save()
        await self.directory.aclose(why)
        if self._url is not None and not self._closed_store:
            self._closed_store = True
            await self._store.aclose()

    async def __aenter__(self) -> Self:
        """`async with Chat() as chat:` starts the chat, and closes it at the end."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _member_id(user: str | User | Member) -> str:
    if isinstance(user, Member):
        return user.id
    return user.member_id if isinstance(user, User) else User(user).member_id


def rooms_of(given: Sequence[ChatRoom | Chat]) -> Chat | RoomDirectory:
    """What a mount is given to serve: one chat, or rooms. Raise `UsageError` for anything else."""
    chats = [each for each in given if isinstance(each, Chat)]
    if chats and len(given) > 1:
        raise UsageError("Pass one Chat, or rooms. To serve rooms in a Chat, pass them to it: Chat(room, …).")
    if chats:
        return chats[0]
    rooms = [each for each in given if isinstance(each, ChatRoom)]
    if not rooms or len(rooms) < len(given):
        raise UsageError("There must be at least one room: pass a ChatRoom, or a Chat.")
    return RoomDirectory(*rooms)


def authenticate_of(rooms: Chat | RoomDirectory, authenticate: Authenticate | None) -> Authenticate | None:
    """The `authenticate` of the chat, or of the mount. Raise `UsageError` if both have one."""
    of_chat = rooms.authenticate if isinstance(rooms, Chat) else None
    if of_chat is not None and authenticate is not None:
        raise UsageError("The Chat has an authenticate already: leave it out here.")
    return of_chat or authenticate
