"""A person's connection on version 2: the rooms that it is in, and which command goes where."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from pychat.domain.errors import Close, Refused
from pychat.domain.model import Position
from pychat.protocol.v1 import decode_command, encode_refusal
from pychat.protocol.v2 import COMMANDS, RoomToEnter, decode_entries, exited_event
from pychat.room.answer import Answer
from pychat.room.rate_limiter import log_flooding
from pychat.room.session import Session
from pychat.transports.admission import admit
from pychat.transports.commands import submit_command
from pychat.transports.person.link import RoomLink
from pychat.transports.person.people import Identity, People
from pychat.transports.person.wire import PersonWire

__all__ = ["PersonCommand", "PersonConnection"]

_log = logging.getLogger("pychat.transports")

#: Commands of one person that are under way, and their bytes, above which the next one is not read.
_MAX_UNDER_WAY = 256
_MAX_BYTES = 256 * 1024
#: How many commands a room counts as in `enter`.
_ENTER_COST = 0.1
_COUNTED = ("rate_limited", "flooding")  # refusals of commands that were counted

_Fields = dict[str, Any]
_Tell = Callable[[_Fields], object]
_Entered = Callable[[Refused | None], object]

#: Takes the connection and the values that `decode_command` returns; returns the fields of the answer, beside `ok`.
PersonCommand = Callable[..., Awaitable[_Fields]]


class PersonConnection:
    """One connection of a person, in any number of rooms. A transport calls `submit`, `ready` and `close`.

    Each room has a session of its own, so one that is slow or fails holds up nothing in the others. The commands for
    one room are executed in the order in which they came, and so are those of the person. While a room is being entered
    or left, the commands for it wait.
    """

    def __init__(
        self, people: People, wire: PersonWire, identity: Identity, commands: Mapping[str, PersonCommand]
    ) -> None:
        """`commands` are those of the person, by name, beside `enter` and `exit`."""
        self.people = people
        self.wire = wire
        self.identity = identity
        #: By the name of the room.
        self.links: dict[str, RoomLink] = {}
        #: Ends the telling of what is unread.
        self.stop_watching: Callable[[], None] = _nothing
        self._commands = commands
        self._rates = people.rooms.rates
        #: Where the person connects from, behind trusted proxies; empty for a Unix socket.
        self.address = identity.request.remote
        self._address_usage = self._rates.address(self.address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._entries: deque[tuple[RoomLink, Position | None, _Entered]] = deque()
        self._welcoming = asyncio.Lock()
        self._waiting: deque[tuple[str, Callable[[], Awaitable[_Fields]], _Tell]] = deque()
        self._entering = self._working = self._closed = False
        self._under_way = self._bytes = 0
        self._ready: asyncio.Future[None] | None = None
        people.roomless.start(self)

    # What the transport calls.

    def submit(self, name: str, fields: object, tell: _Tell | None, size: int = 0) -> None:
        """Submit a command of `size` bytes; `tell` is called with its answer. Never raises for what a person sent.

        If the client asked for no answer (`tell` is `None`), it gets the refusals, each as an event `error`.
        """
        self._under_way += 1
        self._bytes += size
        tell = partial(self._told, tell or partial(self._refuse, fields), size)
        try:
            self._dispatch(name, fields, tell)
        except Refused as refused:
            tell(encode_refusal(refused if refused.code in _COUNTED else self._counted(refused)))

    async def execute(self, name: str, fields: object) -> _Fields:
        """Execute a command and return its answer; a refusal is an answer too. Never raises for what a person sent."""
        answer: asyncio.Future[_Fields] = asyncio.get_running_loop().create_future()
        self.submit(name, fields, lambda told: None if answer.done() else answer.set_result(told))
        return await answer

    @property
    def busy(self) -> bool:
        """True if no more commands should be submitted until some are done."""
        return self._under_way >= _MAX_UNDER_WAY or self._bytes >= _MAX_BYTES

    async def ready(self) -> None:
        """Wait until the next command may be submitted; until then, a transport should not read on."""
        while self.busy:
            if self._ready is None:
                self._ready = asyncio.get_running_loop().create_future()
            await self._ready

    def session(self, room: str) -> Session | None:
        """The person in the room of that name, unless they are entering or leaving it."""
        link = self.links.get(room)
        return None if link is None or link.waiting is not None else link.session

    def reroute(self) -> None:
        """The connection sends on another way now: let all rooms send on that."""
        for link in self.links.values():
            link.reroute(self.wire.send)

    def put_out(self, why: Close) -> None:
        """Close the connection with the reason `why`, and end all rooms at once; the transport calls `close` then."""
        for link in list(self.links.values()):
            if link.session is not None:
                link.session.put_out(why)
        self._closed = True
        self.wire.close(why)

    async def close(self, *, left: bool = False) -> None:
        """The connection has ended. Names are held, unless the person `left` on purpose. Idempotent."""
        self._closed = True
        self.people.roomless.stop(self)
        self.stop_watching()
        links, self.links = list(self.links.values()), {}
        for link in links:
            link.end()
        sessions = [link.session for link in links if link.session is not None]
        try:
            while sessions:
                await self.people.turns.wait()
                self._spawn(sessions.pop().close(left=left))
        finally:
            for session in sessions:
                self._spawn(session.close(left=left))
        self._rates.remember(self.identity.person.usage, self._address_usage)
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def closed(self) -> bool:
        """True if the connection has ended."""
        return self._closed

    # Which command goes where.

    def _dispatch(self, name: str, fields: object, tell: _Tell) -> None:
        if name == "enter":
            self._enter(decode_entries(*decode_command(name, fields, COMMANDS)), tell)
        elif name == "exit":
            (room,) = decode_command(name, fields, COMMANDS)
            self.spend()
            self._in_room(room, self._exit, tell)
        elif name in self._commands:
            self._run(name, partial(self._commands[name], self, *decode_command(name, fields, COMMANDS)), tell)
        elif name in COMMANDS and isinstance(fields, dict):
            room = fields.get("room")
            if not isinstance(room, str):
                raise Refused("bad_request", "Say in which room: {“room”: “lobby”}.")
            self._in_room(room, partial(self._execute, name, fields), tell)
        else:
            decode_command(name, fields, COMMANDS)  # raises what is wrong with it

    def spend(self, kind: str = "command", cost: float = 1.0) -> None:
        """Count a command of the person. Raise `Refused` above the limit; whoever goes on then is disconnected."""
        rates, table, person = self._rates, self.people.limits.table, self.identity.person.usage
        try:
            rates.spend(table.charges[kind], person, self._address_usage, cost)
        except Refused:
            if not rates.is_flooding(table, person, self._address_usage):
                raise
            if not self._closed:
                log_flooding(self.address)
                self.wire.close(Close.FLOODING)
            raise Refused.standard("flooding") from None

    def _counted(self, refused: Refused) -> Refused:
        """Count a command that was refused before it began, and return why it is refused."""
        try:
            self.spend()
        except Refused as too_much:
            return too_much
        return refused

    def _in_room(self, name: str, execute: Callable[[RoomLink, _Tell], None], tell: _Tell) -> None:
        """Execute a command for a room, when it was entered."""
        link = self.links.get(name)
        if link is None:
            tell(encode_refusal(self._counted(Refused("not_entered", "You are not in this room. Enter it first."))))
        elif link.waiting is not None:
            link.waiting.append(partial(self._in_room, name, execute, tell))
        else:
            execute(link, tell)

    def _execute(self, name: str, fields: _Fields, link: RoomLink, tell: _Tell) -> None:
        assert link.session is not None  # noqa: S101 -- nothing waits for it any more
        if name == "join":
            # In every room, a guest is the same person: the room's own token says so, and is for nobody else.
            fields = {**fields, "token": link.room.tokens.issue(self.identity.member_id)}
            tell = partial(_without_token, tell)
        submit_command(link.session, name, fields, tell)

    def _told(self, tell: _Tell, size: int, told: _Fields) -> None:
        self._under_way -= 1
        self._bytes -= size
        ready, self._ready = self._ready, None
        if ready is not None and not ready.done():
            ready.set_result(None)
        tell(told)

    def _refuse(self, fields: object, told: _Fields) -> None:
        """Send what was refused in the answer to a command that asked for none."""
        room = fields.get("room") if isinstance(fields, dict) else None
        for name, each in {room: told, **told.get("rooms", {})}.items():
            if not each["ok"]:
                self.wire.tell("error", each["error"] if name is None else {"room": name, **each["error"]})

    # Rooms are entered and left.

    def _enter(self, entries: list[RoomToEnter], tell: _Tell) -> None:
        self.spend(cost=max(1.0, _ENTER_COST * len(entries)))
        results: _Fields = {}

        def entered(name: str, refused: Refused | None) -> None:
            results[name] = {"ok": True} if refused is None else encode_refusal(refused)
            if len(results) == len(entries):
                tell({"ok": True, "rooms": {entry.room: results[entry.room] for entry in entries}})

        for entry in entries:
            self._begin(entry, partial(entered, entry.room))
        if not entries:
            tell({"ok": True, "rooms": {}})

    def _begin(self, entry: RoomToEnter, entered: _Entered) -> None:
        link = self.links.get(entry.room)
        if link is not None and link.waiting is not None:
            link.waiting.append(partial(self._begin, entry, entered))
        elif link is not None:
            entered(Refused("already_entered", "You are in this room already."))
        elif len(self.links) >= self.people.max_rooms:
            text = f"You can be in {self.people.max_rooms:,} rooms at once. Exit one first."
            entered(Refused("too_many_rooms", text))
        else:
            link = self.links[entry.room] = RoomLink(self, entry.room)
            self.people.roomless.stop(self)
            self._entries.append((link, entry.since, entered))
            if not self._entering:
                self._entering = True
                self._spawn(self._enter_all())

    async def _enter_all(self) -> None:
        """Begin to enter one room in each turn of the event loop; none waits for another."""
        try:
            while self._entries:
                await self.wire.wait_for_reader()
                await self.people.turns.wait()
                if self._closed:
                    return
                self._spawn(self._enter_room(*self._entries.popleft()))
        finally:
            self._entering = False

    async def _enter_room(self, link: RoomLink, since: Position | None, entered: _Entered) -> None:
        try:
            await self._admit(link, since)
        except Refused as refused:
            self._forget(link)
            entered(refused)
        except Exception:
            _log.exception("A room could not be entered")
            self._forget(link)
            entered(Refused("internal", "The server failed to let you in. Try again later.", 5.0))
        else:
            entered(None)
        link.release()

    async def _admit(self, link: RoomLink, since: Position | None) -> None:
        (room, grant), user = await self.people.find(link.name, self.identity)
        link.open(room, self.wire.encoder_of(room), self.wire.send)
        session = await admit(
            room,
            link,
            since=since,
            member_id=self.identity.guest_id,
            user=user,
            resume=True,
            grant=grant,
            before_welcome=self._wait_for_reader,
        )
        session.echo = self.wire.echo
        link.session = session
        if self._closed or link.why is not None:
            await session.close()
            why = link.why or Close.UNAVAILABLE
            raise Refused("kicked" if why is Close.KICKED else "unavailable", why.text)

    async def _wait_for_reader(self) -> None:
        """Wait until what other rooms have sent was read: what somebody has missed in all rooms may be a lot."""
        async with self._welcoming:
            await self.wire.wait_for_reader()

    def _exit(self, link: RoomLink, tell: _Tell) -> None:
        assert link.session is not None  # noqa: S101 -- nothing waits for it any more
        link.waiting = []
        link.session.enqueue(link.session.close(left=True)).on_done(partial(self._exited, link, tell))

    def _exited(self, link: RoomLink, tell: _Tell, answer: Answer[None]) -> None:
        try:
            answer.result()
        except Exception:
            _log.exception("A room could not be left")
        self._forget(link)
        tell({"ok": True})
        link.release()

    def exited(self, link: RoomLink, why: Close) -> None:
        """The server ends a room for this person: called by its link."""
        link.end()
        if why is Close.FLOODING:
            self.wire.close(why)
        if link.session is None:
            link.why = why  # the answer to `enter` tells it
        elif self.links.get(link.name) is link:
            self._forget(link)
            self.wire.tell(*exited_event(link.name, why))
            self.wire.flush()
            self._spawn(link.session.close())

    def _forget(self, link: RoomLink) -> None:
        link.end()
        if self.links.get(link.name) is link:
            del self.links[link.name]
            self.wait_for_room()

    def wait_for_room(self) -> None:
        """Close this connection later, if it is in no room and does not hear what is unread."""
        if not self.links and not self._closed and self.stop_watching is _nothing:
            self.people.roomless.start(self)

    def hear_nothing(self) -> None:
        """It does not hear what is unread (any more)."""
        self.stop_watching = _nothing
        self.wait_for_room()

    def late(self) -> None:
        """It was in no room for too long."""
        self.wire.close(Close.TIMEOUT)

    # The commands of the person.

    def _run(self, name: str, command: Callable[[], Awaitable[_Fields]], tell: _Tell) -> None:
        self.spend()
        self._waiting.append((name, command, tell))
        if not self._working:
            self._working = True
            self._spawn(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting and not self._closed:
                name, command, tell = self._waiting.popleft()
                try:
                    told = {"ok": True, **await command()}
                except Refused as refused:
                    told = encode_refusal(refused)
                except Exception:
                    _log.exception("The command “%s” failed", name)
                    told = encode_refusal(
                        Refused("internal", "The server failed at this, and has logged why. Try again.")
                    )
                tell(told)
        finally:
            self._working = False

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _without_token(tell: _Tell, told: _Fields) -> None:
    tell({name: value for name, value in told.items() if name != "token"})


def _nothing() -> None:
    """Nobody watches."""
