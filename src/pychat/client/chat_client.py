"""`ChatClient`: takes part in many rooms on one connection."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from pychat.client.address import Address
from pychat.client.backoff import Backoff
from pychat.client.chat_session import ChatSession
from pychat.client.event_queue import EventQueue
from pychat.client.headers import login_headers
from pychat.client.listed_room import ListedRoom
from pychat.client.reconnector import Reconnector
from pychat.client.room import RoomClient
from pychat.client.room_session import RoomSession
from pychat.client.status import State
from pychat.domain.errors import UsageError
from pychat.domain.notices import UnreadRoom

__all__ = ["ChatClient", "EnteredRoom"]

_NOT_ENTERED = "Enter the client first: async with pychat.ChatClient(url) as chat: …"
_PAGE = 200  # rooms


class EnteredRoom(RoomClient):
    """A room that a `ChatClient` has entered. It stays entered over lost connections."""

    def __init__(self, chat: ChatSession, name: str, feed: EventQueue) -> None:
        """`ChatClient.enter` makes it."""
        super().__init__(feed)
        #: Of the room.
        self.name = name
        self._chat = chat
        self._session = RoomSession(feed)

    async def exit(self) -> None:
        """Leave the room: the nickname is free at once, and the iterator ends. Idempotent."""
        await self._chat.exit(self.name, self._session)

    async def _enter(self, nickname: str | None) -> None:
        await self._chat.enter(self.name, self._session)
        if nickname is not None and (self.me is None or self.me.name != nickname):
            await self._join_first(nickname)

    @property
    def ended(self) -> bool:
        """True if you have left the room, or the server has ended it for you."""
        return self._session.ended

    @property
    def _client_session(self) -> RoomSession:
        return self._session


class ChatClient:
    """One connection of a person in many rooms. Use it as `async with pychat.ChatClient(url, name="bot") as chat`.

    `url` is the address of the server, with any prefix. With `name` you join each room that you enter. The other
    arguments are those of `Client`; `max_buffer_bytes` is for each room.

    The client reconnects by itself, and enters all its rooms again: each continues where it was, as a `Client` does.
    If the server ends one room for you, the iterator and the commands of that room raise `Disconnected`, and the other
    rooms go on.
    """

    def __init__(
        self,
        url: str,
        name: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        resume: str | None = None,
        on_state: Callable[[State], object] | None = None,
        max_buffer_bytes: int = 4 * 2**20,
    ) -> None:
        self._address = Address.parse(url)
        self._name = name
        self._headers = login_headers(headers, cookies, token)
        self._http = session
        self._resume = resume
        self._on_state = on_state
        self._max_buffer_bytes = max_buffer_bytes
        self._session: ChatSession | None = None
        self._reconnector: Reconnector | None = None
        self._rooms: dict[str, EnteredRoom] = {}

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise UsageError("A client is entered once. Make a new one.")
        self._session = ChatSession(self._address, self._headers, self._resume)
        self._reconnector = Reconnector(self._session, Backoff(random.random), self._on_state)
        self._reconnector.start(self._http)
        try:
            await self._reconnector.ready
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection and free the nicknames in all rooms. Unanswered commands fail. Idempotent."""
        if self._reconnector is not None:
            await self._reconnector.aclose()

    # State

    @property
    def id(self) -> str:
        """Your member id, which is the same in all rooms."""
        return self._chat_session.member_id

    @property
    def resume(self) -> str | None:
        """A token with which a later client is the same person again. Keep it secret. `None` with a login."""
        return self._chat_session.resume

    @property
    def state(self) -> State:
        """The state of the connection."""
        if self._reconnector is None:
            raise UsageError(_NOT_ENTERED)
        return self._reconnector.state

    # Rooms

    async def enter(self, room: str) -> EnteredRoom:
        """Enter a room, or return it if you are in it. Raise `Refused` with `unknown_room` if there is none for you."""
        session = self._chat_session
        found = self._rooms.get(room)
        if found is None or found.ended:
            found = self._rooms[room] = EnteredRoom(session, room, EventQueue(self._max_buffer_bytes))
        await found._enter(self._name)  # noqa: SLF001 -- it is ours
        return found

    async def direct(self, *member_ids: str) -> EnteredRoom:
        """Enter the private room of you and these members, and nobody else."""
        answer = await self._chat_session.command("direct", {"with": list(member_ids)})
        return await self.enter(answer["room"])

    async def block(self, member_id: str, *, on: bool = True) -> None:
        """Block a member: they cannot write to you directly, and their mentions of you do not count."""
        await self._chat_session.command("block", {"member": member_id, "on": on})

    async def rooms(self, after: str = "", limit: int = _PAGE) -> list[ListedRoom]:
        """Return the listed rooms that you may read, by name, from the first one after the name `after`.

        Fewer than `limit` means that there are no more.
        """
        found: list[ListedRoom] = []
        more = True
        while more and len(found) < limit:
            fields: dict[str, Any] = {"after": after, "limit": min(_PAGE, limit - len(found))}
            answer = await self._chat_session.command("rooms", fields)
            found += [ListedRoom(str(each["name"]), str(each["title"]), int(each["here"])) for each in answer["rooms"]]
            more = answer.get("more") is True and bool(answer["rooms"])
            after = found[-1].name if found else after
        return found

    async def unread(self) -> dict[str, UnreadRoom]:
        """Return what you have not read in the rooms that you follow, by name. You follow each room once entered."""
        session = self._chat_session
        await session.command("unread", {"on": True})
        return dict(session.unread)

    async def watch_unread(self) -> AsyncIterator[dict[str, UnreadRoom]]:
        """Yield what `unread` returns, now and after each change; at most about once a second."""
        session = self._chat_session
        await self.unread()
        while session.ended is None:
            changed = session.unread_changed
            yield dict(session.unread)
            await changed.wait()
        if not isinstance(session.ended, StopAsyncIteration):
            raise session.ended

    @property
    def _chat_session(self) -> ChatSession:
        if self._session is None:
            raise UsageError(_NOT_ENTERED)
        return self._session
