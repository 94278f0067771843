"""What a client knows and sends in one room, over any number of connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pychat.client.connection import Lost, ReceivedEvent, RoomConnection
from pychat.client.disconnected import Disconnected
from pychat.client.event_queue import EventQueue, Signal
from pychat.client.me import Me
from pychat.client.outbox import Command, Outbox, retry_seconds
from pychat.client.people import People
from pychat.client.snapshot import RoomSnapshot
from pychat.domain.access import Access
from pychat.domain.errors import ChatError, Refused
from pychat.domain.model import (
    Deleted,
    Edited,
    Joined,
    Left,
    LogEvent,
    Message,
    Quote,
    Reacted,
    Renamed,
    Typing,
    Whisper,
    in_room,
)
from pychat.domain.notices import AccessChanged, HeldDecided, Presence, QueueChanged, RoomChanged, Welcome
from pychat.protocol.moderation import decode_entry
from pychat.protocol.v1 import decode, decode_member, decode_members, decode_message

__all__ = ["RoomSession"]


class RoomSession:
    """A room: who is here, who we are, and the commands that wait for answers."""

    def __init__(self, feed: EventQueue) -> None:
        self.feed = feed
        self.entered = RoomSnapshot("", "")
        self.people = People()
        self.me: Me | None = None
        #: What moderators have set.
        self.settings = RoomChanged("")
        #: What we may do, our role, and whether we are muted.
        self.standing = AccessChanged(Access.WRITE)
        #: What waits for moderators; `None` unless we are one.
        self.queue: QueueChanged | None = None
        self.resume: str | None = None
        #: True if the room has ended for good.
        self.ended = False
        self._outbox = Outbox()
        self._connection: RoomConnection | None = None
        self._known = False  # the server knows our name on this connection
        self._why = ""

    def end(self, error: Exception, told: ChatError) -> None:
        """End the room: the program gets the waiting events, then `error`; its commands fail with `told`."""
        self.lost()
        self.ended, self._why = True, str(told)
        self.feed.events.end(error)
        self._outbox.fail(told)

    def lost(self) -> None:
        """The connection has ended, or the room on it."""
        self._connection = None

    async def command(self, name: str, fields: Mapping[str, Any], quote: Quote | None = None) -> Any:  # noqa: ANN401 -- each has its own
        """Send a command on this connection or the next; return the content of its answer."""
        if self.ended:
            raise Disconnected(self._why)
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

    async def send(self, connection: RoomConnection, on_joined: Callable[[], object] = lambda: None) -> None:
        """Rejoin with our name, then send the waiting commands one by one."""
        with contextlib.suppress(Lost):  # which the reading task sees too
            if self.me is not None and not self._known:
                await self._rejoin(connection, self.me.name)
            on_joined()
            await self._outbox.send(partial(self._ask, connection))

    async def _rejoin(self, connection: RoomConnection, name: str) -> None:
        while True:
            try:
                await connection.ask("join", {"name": name, **self.token()}, self._joined)
                return
            except Refused as refused:
                pause = retry_seconds(refused)
                if pause is None:
                    self.me = None
                    self.feed.events.fail(refused)
                    return
                await asyncio.sleep(pause)

    async def _ask(self, connection: RoomConnection, command: Command) -> None:
        self.feed.say(command.name == "say")
        try:
            await connection.ask(command.name, command.fields, partial(self._done, command))
        except Refused:
            self.feed.say(False)
            raise
        self.feed.say(False)

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
                if answer.get("held") is True:
                    self._held(command)
                    return
                result = self._stored(command, answer)
            case "history":
                found = [in_room(decode_message(each), self.entered.room) for each in answer["messages"]]
                result = found, answer.get("more") is True
            case "who":
                result = decode_members(answer["members"])
            case "audit":
                result = [decode_entry(each) for each in answer["entries"]], answer.get("more") is True
            case "moderate" | "moderation":
                result = {name: value for name, value in answer.items() if name != "ok"}
        if not command.result.done():
            command.result.set_result(result)

    def _joined(self, answer: Mapping[str, Any]) -> None:
        member = decode_member(answer["member"])
        self.me = Me.of(member)
        self.resume = answer.get("token") or self.resume
        self.people.put(member)

    def _stored(self, command: Command, answer: Mapping[str, Any]) -> Message:
        if self.me is None:
            raise TypeError("a message of nobody was stored")
        text = answer.get("text", command.fields["text"])
        said = decode_message({**answer, "author": {"id": self.me.id, "name": self.me.name}, "text": text})
        said = replace(said, reply=command.quote, room=self.entered.room)
        self._happened(said, command.size)
        return said

    def _held(self, command: Command) -> None:
        if not command.result.done():
            told = "A moderator has to read this message before others see it. The server has it: do not send it again."
            command.result.set_exception(Refused("held", told))

    # Events

    def welcome(self, connection: RoomConnection, welcome: Welcome, size: int) -> None:
        """Begin on a new connection."""
        before, you = self.feed.position, welcome.you
        news = self.people.reset(welcome)
        self._known = you is not None and you.name is not None
        if you is not None and you.name is not None:
            self.me = Me(you.id, you.name, you.roles)
        if before is not None and before.epoch != welcome.position.epoch:
            self._outbox.renumbered()
        entered = None
        if not welcome.recovered:
            entered = self.entered = _snapshot(welcome, missed=before is not None)
            for message in entered.messages:
                self._settle(message)
        self.feed.start(welcome.position, entered, size)
        settings, standing = self.settings, self.standing
        self.settings = welcome.settings or RoomChanged(welcome.title)
        self.standing = AccessChanged(welcome.access, welcome.role, welcome.muted)
        self.queue = welcome.queue
        if before is not None:
            self._signal(news)
            changed: list[tuple[Signal, Signal]] = [(settings, self.settings), (standing, self.standing)]
            for then, now in changed:
                if then != now:
                    self.feed.signal(now)
        self._connection = connection

    def apply(self, told: ReceivedEvent) -> None:
        """Take an event of the room."""
        match notice := decode(told.name, told.fields):
            case RoomChanged():
                self.settings = notice
                self.feed.signal(notice)
            case AccessChanged():
                self.standing = notice
                if "moderate" not in notice.access:
                    self.queue = None
                self.feed.signal(notice)
            case QueueChanged():
                self.queue = notice
                self.feed.signal(notice)
            case HeldDecided():
                self.feed.signal(notice)
            case Message() | Edited() | Deleted() | Reacted():
                self._happened(notice, told.size + 200)
            case Presence():
                self._signal(self.people.apply(notice))
            case Typing() if self.me is None or notice.member.id != self.me.id:
                self.feed.signal(notice)
            case Whisper():
                member = self.me or notice.member
                self.feed.whisper(replace(notice, member=member, room=self.entered.room), told.size + 200)

    def _happened(self, event: LogEvent, size: int) -> None:
        if isinstance(event, Message):
            event = in_room(event, self.entered.room)
            self._settle(event)
        self.feed.happened(event, size)

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
                self.feed.signal(each)
        if self.me is not None:  # the application may have changed our name or roles
            self.me = Me.of(self.people.find(self.me.id) or self.me)


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
