"""A client's session in many rooms, on version 2 of the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from pychat.client.address import Address
from pychat.client.connection import Lost, ReceivedEvent, RoomLink, ServerConnection, close_error
from pychat.client.disconnected import Disconnected
from pychat.client.outbox import Command, Outbox, retry_seconds
from pychat.client.room_session import RoomSession
from pychat.domain.errors import ChatError, Refused
from pychat.domain.notices import UnreadRoom
from pychat.protocol.moderation import decode_refused
from pychat.protocol.v1 import encode_position
from pychat.protocol.v2 import SUBPROTOCOL, VERSION, decode_entered, decode_unread

__all__ = ["ChatSession"]

_MAX_ENTRIES = 100  # rooms in one `enter`
_REENTER_SECONDS = 1.0  # at least; at most twice as long


@dataclass(eq=False, slots=True)
class _Entry:
    """A room that we are in, or want to be in."""

    session: RoomSession
    #: Done when the room was entered for the first time, or was refused.
    ready: asyncio.Future[None]
    #: Sends the commands for the room, on this connection; `None` if it was not entered yet.
    sending: asyncio.Task[None] | None = None
    #: True from `enter` on, on this connection.
    asked: bool = False
    #: The newest event `error` of the room: it may say why `exited` follows.
    error: Refused | None = None


class ChatSession:
    """The conversation of a client that is in many rooms. After a drop, it enters all of them again."""

    def __init__(self, address: Address, headers: Mapping[str, str], resume: str | None) -> None:
        self._address = address
        self._headers = headers
        #: The token with which we are the same guest again.
        self.resume = resume
        #: Our member id in all rooms.
        self.member_id = ""
        #: What is unread, by the name of the room. Kept current once `unread` was sent.
        self.unread: dict[str, UnreadRoom] = {}
        #: Set, and replaced by a new one, when `unread` changes or the session ends.
        self.unread_changed = asyncio.Event()
        #: Why the session has ended for good.
        self.ended: Exception | None = None
        self._why = ""
        self._entries: dict[str, _Entry] = {}
        self._exits: dict[str, asyncio.Future[Any]] = {}
        self._outbox = Outbox()
        self._watching = False
        self._connection: ServerConnection | None = None
        self._tasks: asyncio.TaskGroup | None = None  # of this connection
        self._wanted: list[str] = []  # rooms to enter
        self._more = asyncio.Event()

    # What a program does

    async def enter(self, name: str, session: RoomSession) -> None:
        """Enter a room, and stay in it over any number of connections. Raise `Refused`."""
        while name in self._exits:
            await asyncio.wait([self._exits[name]])
        self._check()
        entry = self._entries.get(name)
        if entry is None:
            entry = self._entries[name] = _Entry(session, asyncio.get_running_loop().create_future())
            self._want(name)
        await asyncio.shield(entry.ready)

    async def exit(self, name: str, session: RoomSession) -> None:
        """Leave a room. No-op if it has ended."""
        entry = self._entries.get(name)
        if entry is None or entry.session is not session:
            return
        self._end_room(name, StopAsyncIteration(), Disconnected("You have left this room."))
        told = self._outbox.add("exit", {"room": name}).result
        self._exits[name] = told
        told.add_done_callback(lambda _: self._exits.pop(name, None))
        with contextlib.suppress(ChatError):  # `not_entered`, after a drop
            await asyncio.shield(told)

    async def command(self, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Send a command that is not for one room, on this connection or the next; return its answer."""
        self._check()
        answer: dict[str, Any] = await self._outbox.add(name, fields).result
        return answer

    def _check(self) -> None:
        if self.ended is not None:
            raise Disconnected(self._why)

    # One connection

    async def open(self, http: aiohttp.ClientSession) -> ServerConnection:
        """Connect, and say who we are."""
        connection = await ServerConnection.open(
            http,
            self._address.websocket(),
            self._headers,
            subprotocol=SUBPROTOCOL,
            entry_url=self._address.entry,
            known=bool(self.member_id),
        )
        await connection.tell("hello", {} if self.resume is None else {"token": self.resume})
        return connection

    def welcome(self, connection: ServerConnection, told: ReceivedEvent) -> None:
        """Take who we are."""
        if (told.name, told.fields.get("v")) != ("welcome", VERSION):
            raise Disconnected("The server at this address does not speak version 2 of the protocol of pychat.")
        self.member_id = str(told.fields["id"])
        self.resume = told.fields.get("token") or self.resume
        self._connection = connection

    async def send(self, connection: ServerConnection, on_live: Callable[[], None]) -> None:
        """Enter our rooms again, all at once; then send the waiting commands, and enter more rooms."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._wanted = list(self._entries)
            self._more.set()
            if self._watching and self._outbox.find("unread", None) is None:
                again = self._outbox.add("unread", {"on": True}).result
                again.add_done_callback(lambda told: told.cancelled() or told.exception())  # nobody waits for it
            tasks.create_task(self._send_commands(connection))
            on_live()
            while True:
                await self._more.wait()
                self._more.clear()
                names, self._wanted = self._wanted, []
                for start in range(0, len(names), _MAX_ENTRIES):
                    tasks.create_task(self._enter(connection, names[start : start + _MAX_ENTRIES]))

    async def _send_commands(self, connection: ServerConnection) -> None:
        async def ask(command: Command) -> None:
            await connection.ask(command.name, command.fields, partial(self._done, command))

        with contextlib.suppress(Lost):
            await self._outbox.send(ask)

    def _done(self, command: Command, answer: dict[str, Any]) -> None:
        """Handle the answer to a command, before later events."""
        self._outbox.remove(command)
        if command.name == "unread":
            self._watching = True
            self.unread.clear()
            self._count(answer["rooms"])
        if not command.result.done():
            command.result.set_result(answer)

    def lost(self) -> None:
        """The connection has ended, and all rooms on it."""
        self._connection = self._tasks = None
        for entry in self._entries.values():
            entry.session.lost()
            entry.sending, entry.asked = None, False

    def end(self, error: Exception, told: ChatError) -> None:
        """No connection will follow."""
        self.ended, self._why = error, str(told)
        for name in list(self._entries):
            self._end_room(name, error, told)
        self._outbox.fail(told)
        self._changed()

    # Rooms are entered and end

    def _want(self, *names: str) -> None:
        self._wanted += names
        self._more.set()

    async def _enter(self, connection: ServerConnection, names: list[str]) -> None:
        rooms = []
        for name in names:
            entry = self._entries.get(name)
            if entry is not None and not entry.asked:
                entry.asked = True
                since = entry.session.feed.position
                rooms.append({"name": name} if since is None else {"name": name, "since": encode_position(since)})
        try:
            results = (await connection.ask("enter", {"rooms": rooms}))["rooms"]
        except Refused as refused:
            for room in rooms:
                self._refused(str(room["name"]), refused)
        except Lost:  # which the reading task sees too
            return
        else:
            for name, result in results.items():
                if result["ok"] is not True:
                    self._refused(name, decode_refused(result["error"]))

    def _refused(self, name: str, refused: Refused) -> None:
        """A room could not be entered: try again if waiting helps, else it has ended."""
        entry, pause = self._entries.get(name), retry_seconds(refused)
        if entry is None:
            return
        entry.asked = False
        if pause is not None:
            self._enter_later(name, pause)
        elif not entry.ready.done():
            self._end_room(name, refused, refused)
        else:
            told = Disconnected(refused.text, refused.kind.close, refused)
            self._end_room(name, told, told)

    def _enter_later(self, name: str, pause: float) -> None:
        async def enter() -> None:
            await asyncio.sleep(pause)
            self._want(name)

        if self._tasks is not None:
            self._tasks.create_task(enter())

    def _end_room(self, name: str, error: Exception, told: ChatError) -> None:
        entry = self._entries.pop(name)
        if entry.sending is not None:
            entry.sending.cancel()
        entry.session.end(error, told)
        if not entry.ready.done():
            entry.ready.set_exception(told)
            entry.ready.exception()  # mark as retrieved: perhaps nobody waits for it any more

    # Events

    def apply(self, told: ReceivedEvent) -> None:
        """Take an event: of a room, or of what is unread."""
        if told.name == "unread":
            self._count(told.fields["rooms"])
            return
        name = told.fields.get("room")
        entry = self._entries.get(name) if isinstance(name, str) else None
        if name is None or entry is None:
            return  # a room that we have just left
        if told.name == "entered":
            self._entered(name, entry, told)
        elif told.name == "exited":
            self._exited(name, entry, told.fields)
        elif told.name == "error":
            entry.error = decode_refused(told.fields)
        elif entry.sending is not None:
            entry.session.apply(told)

    def _entered(self, name: str, entry: _Entry, told: ReceivedEvent) -> None:
        if self._tasks is None or self._connection is None:
            return
        link = RoomLink(self._connection, name)
        entry.session.welcome(link, decode_entered(told.fields), told.size)
        entry.sending = self._tasks.create_task(entry.session.send(link))
        if not entry.ready.done():
            entry.ready.set_result(None)

    def _exited(self, name: str, entry: _Entry, fields: Mapping[str, Any]) -> None:
        """The server ends the room for us: enter it again if it says so."""
        error = close_error(fields, entry.error)
        if isinstance(error, Disconnected):
            self._end_room(name, error, error)
            return
        if entry.sending is not None:
            entry.sending.cancel()
        entry.session.lost()
        entry.sending, entry.asked = None, False
        self._enter_later(name, max(error.after, _REENTER_SECONDS * (1.0 + random.random())))  # noqa: S311 -- spreads load

    def _count(self, rooms: list[Mapping[str, Any]]) -> None:
        for fields in rooms:
            room = decode_unread(fields)
            if isinstance(room, str):
                self.unread.pop(room, None)
            else:
                self.unread[room.name] = room
        self._changed()

    def _changed(self) -> None:
        changed, self.unread_changed = self.unread_changed, asyncio.Event()
        changed.set()
