"""A client's session in a room, over any number of connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp

from pychat.client.address import Address
from pychat.client.backoff import Backoff
from pychat.client.connection import Lost, ReceivedEvent, ServerConnection
from pychat.client.disconnected import Disconnected
from pychat.client.event_queue import EventQueue
from pychat.client.outbox import Command, Outbox
from pychat.client.people import People
from pychat.client.snapshot import RoomSnapshot
from pychat.client.status import State
from pychat.domain.errors import ChatError, Refused
from pychat.domain.model import (
    Deleted,
    Edited,
    Joined,
    Left,
    LogEvent,
    Member,
    Message,
    Quote,
    Reacted,
    Renamed,
    Typing,
    Whisper,
    in_room,
)
from pychat.domain.notices import Presence, Welcome
from pychat.protocol.v1 import VERSION, decode, decode_member, decode_members, decode_message

__all__ = ["ClientSession"]

_WELCOME_SECONDS = 12.0
#: A connection that held this long ends a row of failures.
_STABLE_SECONDS = 5.0
_RETRY_SECONDS = 2.0
_MAX_RETRY_SECONDS = 60.0  # for a longer wait, a command is refused


class ClientSession:
    """Keeps a connection open, and reconnects."""

    def __init__(
        self,
        address: Address,
        headers: Mapping[str, str],
        feed: EventQueue,
        backoff: Backoff,
        on_state: Callable[[State], object] | None,
    ) -> None:
        self._address = address
        self._headers = headers
        self._feed = feed
        self._backoff = backoff
        self._on_state = on_state
        self.state = State("connecting")
        self.entered = RoomSnapshot("", "")
        self.people = People()
        self.me: Member | None = None
        self.resume: str | None = None
        #: Done when the first connection is open, or has failed.
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outbox = Outbox()
        self._connection: ServerConnection | None = None
        self._leaving = False
        self._known = False  # the login gave us a name

    async def run(self, given: aiohttp.ClientSession | None) -> None:
        """Run until the server ends the connection for good, or until cancelled; use the `given` session, if any."""
        http = aiohttp.ClientSession(trust_env=True) if given is None else given
        try:
            while True:
                try:
                    await self._stay(http)
                except Lost as lost:
                    if not self.ready.done() and not lost.asked_back:
                        raise Disconnected(lost.text) from lost
                    delay = self._backoff.next(lost.after)
                    self._set_state(State("reconnecting", lost.text, delay))
                    await asyncio.sleep(delay)
                    self._set_state(State("reconnecting", lost.text))
        except ChatError as error:
            self.end(error)
        except Exception as error:
            told = Disconnected(f"The server sent something that is not in the protocol ({error!r}).")
            told.__cause__ = error
            self.end(told)
        finally:
            if given is None:
                await http.close()

    def leave(self) -> None:
        """Free the name when the connection closes."""
        self._leaving = True

    def end(self, error: Exception) -> None:
        """End the session: the program gets the waiting events, then `error`. Idempotent."""
        if self.state.name == "closed":
            return
        told = error if isinstance(error, ChatError) else Disconnected("You have closed this client.")
        self._set_state(State("closed", str(told)))
        self._feed.events.end(error)
        self._outbox.fail(told)
        if not self.ready.done():
            self.ready.set_exception(told)

    async def command(self, name: str, fields: Mapping[str, Any], quote: Quote | None = None) -> Any:  # noqa: ANN401 -- each has its own
        """Send a command on this connection or the next; return the content of its answer."""
        if self.state.name == "closed":
            raise Disconnected(self.state.text)
        return await self._outbox.add(name, fields, quote).result

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a command without an answer, if there is a connection."""
        if self._connection is not None:
            with contextlib.suppress(Lost):
                await self._connection.tell(name, fields)

    async def catch_up(self) -> None:
        """Reconnect, so that the events that did not fit are sent again."""
        if self._connection is not None:
            await self._connection.close(1001)

    def token(self) -> dict[str, str]:
        """Return the token that makes us the same member again."""
        return {} if self.resume is None else {"token": self.resume}

    # One connection

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        since = self._feed.position
        try:
            async with asyncio.timeout(_WELCOME_SECONDS):
                url = self._address.websocket(since)
                connection = await ServerConnection.open(
                    http, url, self._headers, entry_url=self._address.entry, known=since is not None
                )
        except TimeoutError:
            raise Lost("The server does not answer.") from None
        began, sending = loop.time(), None
        try:
            self._welcome(await _welcome(connection))
            self._connection = connection
            sending = loop.create_task(self._send(connection))
            while True:
                self._apply(await connection.next())
        finally:
            self._connection = None
            if loop.time() - began >= _STABLE_SECONDS:
                self._backoff.reset()
            if sending is not None:
                sending.cancel()
                await asyncio.wait([sending])
            with contextlib.suppress(Exception):
                await connection.close(1000 if self._leaving else 1001)

    async def _send(self, connection: ServerConnection) -> None:
        """Rejoin with our name, then send the waiting commands one by one."""
        with contextlib.suppress(Lost):  # which the reading task sees too
            if self.me is not None and not self._known:
                await self._rejoin(connection, self.me.name)
            self._set_state(State("live"))
            while True:
                command = await self._outbox.head()
                pause = await self._try(connection, command)
                if pause:
                    await asyncio.sleep(pause)

    async def _rejoin(self, connection: ServerConnection, name: str) -> None:
        while True:
            try:
                await connection.ask("join", {"name": name, **self.token()}, self._joined)
                return
            except Refused as refused:
                if not _waiting_helps(refused):
                    self.me = None
                    self._feed.events.fail(refused)
                    return
                await asyncio.sleep(refused.retry_after or _RETRY_SECONDS)

    async def _try(self, connection: ServerConnection, command: Command) -> float:
        """Send a command and handle its answer. Return the pause before the next attempt, in seconds."""
        pause = 0.0
        self._feed.say(command.name == "say")
        try:
            await connection.ask(command.name, command.fields, partial(self._done, command))
        except Refused as refused:
            if _waiting_helps(refused):
                pause = refused.retry_after or _RETRY_SECONDS
            else:
                self._outbox.remove(command)
                if not command.result.done():
                    command.result.set_exception(refused)
        self._feed.say(False)
        return pause

    def _done(self, command: Command, answer: dict[str, Any]) -> None:
        """Handle the answer to a command, before later events."""
        self._outbox.remove(command)
        result: Any = None
        match command.name:
            case "join":
                self._joined(answer)
                result = self.me
            case "leave":
                self.me, self.resume = None, None
            case "say":
                result = self._stored(command, answer)
            case "history":
                found = [in_room(decode_message(each), self.entered.room) for each in answer["messages"]]
                result = found, answer.get("more") is True
            case "who":
                result = decode_members(answer["members"])
        if not command.result.done():
            command.result.set_result(result)

    def _joined(self, answer: Mapping[str, Any]) -> None:
        self.me = decode_member(answer["member"])
        self.resume = answer.get("token") or self.resume
        self.people.put(self.me)

    def _stored(self, command: Command, answer: Mapping[str, Any]) -> Message:
        if self.me is None:
            raise TypeError("a message of nobody was stored")
        text = answer.get("text", command.fields["text"])
        said = decode_message({**answer, "author": {"id": self.me.id, "name": self.me.name}, "text": text})
        said = replace(said, reply=command.quote, room=self.entered.room)
        self._happened(said, command.size)
        return said

    # Events

    def _welcome(self, told: ReceivedEvent) -> None:
        welcome = decode(told.name, told.fields) if told.fields.get("v") == VERSION else None
        if not isinstance(welcome, Welcome):
            raise Disconnected("The server at this address does not speak the protocol of pychat.")
        first, you = not self.ready.done(), welcome.you
        news = self.people.reset(welcome)
        self._known = you is not None and you.name is not None
        if you is not None and you.name is not None:
            self.me = Member(you.id, you.name, you.roles)
        before = self._feed.position
        if before is not None and before.epoch != welcome.position.epoch:
            self._outbox.renumbered()
        entered = None
        if not welcome.recovered:
            entered = self.entered = _snapshot(welcome, missed=not first)
            for message in entered.messages:
                self._settle(message)
        self._feed.start(welcome.position, entered, told.size)
        if first:
            self.ready.set_result(None)
        else:
            self._signal(news)

    def _apply(self, told: ReceivedEvent) -> None:
        match notice := decode(told.name, told.fields):
            case Message() | Edited() | Deleted() | Reacted():
                self._happened(notice, told.size + 200)
            case Presence():
                self._signal(self.people.apply(notice))
            case Typing() if self.me is None or notice.member.id != self.me.id:
                self._feed.signal(notice)
            case Whisper():
                member = self.me or notice.member
                self._feed.whisper(replace(notice, member=member, room=self.entered.room), told.size + 200)

    def _happened(self, event: LogEvent, size: int) -> None:
        if isinstance(event, Message):
            event = in_room(event, self.entered.room)
            self._settle(event)
        self._feed.happened(event, size)

    def _settle(self, message: Message) -> None:
        """If it is our own message whose answer was lost, its command is done."""
        if self.me is not None and message.author.id == self.me.id:
            command = self._outbox.find("say", message.id)
            if command is not None:
                self._outbox.remove(command)
                if not command.result.done():
                    command.result.set_result(message)

    def _signal(self, news: list[Joined | Renamed | Left]) -> None:
        for each in news:
            if self.me is None or each.member.id != self.me.id:
                self._feed.signal(each)
        if self.me is not None:  # the application may have changed our name or roles
            self.me = self.people.find(self.me.id) or self.me

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            if self._on_state is not None:
                try:
                    self._on_state(state)
                except Exception as error:  # an error of the program; it must not end the connection
                    told = {"message": "on_state of a pychat.Client failed", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(told)


async def _welcome(connection: ServerConnection) -> ReceivedEvent:
    """Return the first event that is not an error; errors explain the `bye` that follows."""
    try:
        async with asyncio.timeout(_WELCOME_SECONDS):
            while (told := await connection.next()).name == "error":
                pass
            return told
    except TimeoutError:
        raise Lost("The server does not answer.") from None


def _snapshot(welcome: Welcome, *, missed: bool) -> RoomSnapshot:
    return RoomSnapshot(
        room=welcome.room,
        title=welcome.title,
        messages=tuple(in_room(each, welcome.room) for each in welcome.messages),
        more=welcome.more,
        missed=missed,
        longest_name=welcome.longest_name,
        longest_text=welcome.longest_text,
        epoch=welcome.position.epoch,
    )


def _waiting_helps(refused: Refused) -> bool:
    if refused.retry_after is None:
        return refused.kind.resend
    return refused.retry_after <= _MAX_RETRY_SECONDS
