"""Somebody in front of a screen, as the page's client is: an outbox with ids, resent until answered, and a position."""

from __future__ import annotations

from typing import Any

from pychat.domain.errors import Close, Refused
from pychat.domain.model import Member, Position
from pychat.domain.notices import Notice
from pychat.protocol.v1 import encode
from pychat.room.chatroom import ChatRoom
from pychat.room.connection import Encoder
from pychat.room.session import Session
from pychat.transports.commands import execute

__all__ = ["Line", "Screen", "Server"]

Fields = dict[str, Any]


class Server:
    """One life of a server; `dead` from the moment at which it was killed: nothing that it does later reaches anybody."""

    def __init__(self, room: ChatRoom) -> None:
        self.room = room
        self.dead = False


class _Wire(Encoder):
    def encode(self, notice: Notice) -> tuple[str, Fields]:
        return encode(notice)


class Line:
    """A connection that breaks after some frames, if it is told to; the server does not notice."""

    encoder = _Wire()

    def __init__(self, server: Server, screen: Screen) -> None:
        self._server = server
        self._screen = screen
        self._frames: int | None = None
        self._broken = False

    @property
    def alive(self) -> bool:
        """Whether what is sent arrives."""
        return not self._broken and not self._server.dead

    def break_after(self, frames: int) -> None:
        """Let only so many more frames through."""
        self._frames = frames
        self._broken |= frames == 0

    def arrives(self) -> bool:
        """Whether one more frame, or answer, comes through."""
        if not self.alive:
            return False
        if self._frames is not None:
            self._frames -= 1
            self._broken = self._frames <= 0
        return True

    def send(self, frame: tuple[str, Fields]) -> None:
        """Show it, if it arrives; a connection that its client has left shows nothing."""
        if self._screen.line is self and self.arrives():
            self._screen.shown(*frame)

    def close(self, why: Close) -> None:
        """The server ends it."""
        self._broken = True


class Screen:
    """A client. It sends one command after another, and keeps each until there is an answer to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._names = 0
        self.member: Member | None = None
        self._token: str | None = None
        self._joined = False
        self.server: Server | None = None
        self.line: Line | None = None
        self._session: Session | None = None
        #: What was not answered yet, oldest first: command and fields.
        self.outbox: list[tuple[str, Fields]] = []
        #: Ids of all messages that were ever written, in that order.
        self.written: list[str] = []
        #: What was answered with success, by id: the command, its fields, the answer.
        self.acknowledged: dict[str, tuple[str, Fields, Fields]] = {}
        #: What was refused for good: id and code.
        self.refused: dict[str, str] = {}
        #: Codes of refusals that say “try again”.
        self.waited: list[str] = []
        self.epoch: str | None = None
        self.seq = 0
        self.floor = 0
        #: The messages that are shown, by number, as this client understands the wire.
        self.messages: dict[int, Fields] = {}
        self._ids = 0

    @property
    def online(self) -> bool:
        """Whether this client has a connection, as far as it knows."""
        return self.line is not None and self.line.alive

    @property
    def since(self) -> Position | None:
        """Where to go on from."""
        return None if self.epoch is None else Position(self.epoch, self.seq)

    # What is heard.

    def shown(self, name: str, told: Fields) -> None:
        """An event came."""
        match name:
            case "welcome":
                self._welcomed(told)
            case "message":
                self._numbered(told)
                self.messages[told["seq"]] = dict(told)
            case "edited" | "deleted" | "reacted":
                self._numbered(told)
                self._revise(name, told)

    def _welcomed(self, told: Fields) -> None:
        if told["recovered"]:
            assert (self.epoch, self.seq) == (told["epoch"], told["seq"])
            assert not told["messages"]
            return
        self.epoch, self.seq = told["epoch"], told["seq"]
        self.messages = {message["seq"]: dict(message) for message in told["messages"]}
        assert list(self.messages) == sorted(self.messages)
        self.floor = next(iter(self.messages), self.seq + 1) if told["more"] else 0

    def _numbered(self, told: Fields) -> None:
        """Each event comes once, after those before it."""
        seq = told["seq"]
        assert seq > self.seq, f"{self.name} was told of {seq} after {self.seq}"
        self.seq = seq

    def _revise(self, name: str, told: Fields) -> None:
        message = self.messages.get(told["target"])
        if message is None or message.get("deleted"):
            return
        if name == "edited":
            message.update(text=told["text"], edited=told["date"])
        elif name == "deleted":
            message.update(text="", deleted=True)
            message.pop("edited", None)
            message.pop("reactions", None)
        else:
            chosen = {emoji: list(ids) for emoji, ids in message.get("reactions", {}).items()}
            ids = chosen.setdefault(told["emoji"], [])
            who = told["author"]["id"]
            if told["on"] and who not in ids:
                ids.append(who)
            elif not told["on"] and who in ids:
                ids.remove(who)
            chosen = {emoji: ids for emoji, ids in chosen.items() if ids}
            message.pop("reactions", None)
            if chosen:
                message["reactions"] = chosen

    # What is done.

    async def connect(self, server: Server, *, breaks_after: int | None = None, noticed_late: bool = False) -> None:
        """Come in, or come back; the server may notice later that the old connection is gone."""
        if not noticed_late:
            await self.drop()
        before = self._session
        self.server, self.line, self._joined, self._session = server, Line(server, self), False, None
        if breaks_after is not None:
            self.line.break_after(breaks_after)
        try:
            self._session = await server.room.connect(self.line, since=self.since)
        except Refused as refused:
            assert refused.code == "unavailable"
            self.line = None
        if before is not None:
            await before.close()

    async def drop(self) -> None:
        """Lose the connection, and let the server notice."""
        self.line = None
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def lost(self) -> None:
        """The server is no more."""
        self.line = self._session = None

    def write(self, command: str, **fields: Any) -> None:
        """Put a command into the outbox, with an id of its own."""
        self._ids += 1
        given = f"{self.name}-{self._ids}"
        self.outbox.append((command, {"id": given, **fields}))
        if command == "say":
            self.written.append(given)

    async def flush(self) -> None:
        """Say who this is, then send what waits until an answer stays out."""
        while self.online:
            if not self._joined:
                if not await self._join():
                    return
            elif self.outbox:
                if not await self._send(*self.outbox[0]):
                    return
            else:
                return

    async def rename(self, name: str) -> None:
        """Take another name."""
        if self.online and self._joined:
            answer = await self._command("join", {"name": name})
            if answer is not None and answer["ok"]:
                self.member = Member(**answer["member"])

    async def _join(self) -> bool:
        name = self.member.name if self.member else f"{self.name}{self._names}"
        answer = await self._command("join", {"name": name, "token": self._token})
        if answer is None:
            return False
        if not answer["ok"]:
            code = answer["error"]["code"]
            if code == "name_taken":  # by somebody else, or by ourselves before we were told our token
                self._names += 1
                if self.member is not None:
                    self.member = Member(self.member.id, f"{self.name}{self._names}")
                return True
            assert code == "unavailable", answer
            self.waited.append(code)
            return False
        member = Member(**answer["member"])
        assert self.member is None or self.member.id == member.id
        self.member, self._token, self._joined = member, answer["token"], True
        return True

    async def _send(self, command: str, fields: Fields) -> bool:
        answer = await self._command(command, fields)
        if answer is None:
            return False
        given = fields["id"]
        if answer["ok"]:
            self.outbox.pop(0)
            self.acknowledged[given] = command, fields, answer
            if command == "say":
                self._said(fields, answer)
            self.seq = max(self.seq, answer.get("seq", 0))
            return True
        code = answer["error"]["code"]
        if code == "unavailable":
            self.waited.append(code)
            return False
        if code == "not_joined":
            self._joined = False
            return True
        assert code == "not_found", answer
        self.outbox.pop(0)
        self.refused[given] = code
        return True

    def _said(self, fields: Fields, answer: Fields) -> None:
        """Our own message stands where the answer says; where it was shown already, it was told."""
        assert answer["id"] == fields["id"]
        seq = answer["seq"]
        if seq in self.messages:
            assert self.messages[seq]["id"] == fields["id"]
        elif seq >= self.floor:
            assert self.member is not None
            author = {"id": self.member.id, "name": self.member.name}
            self.messages[seq] = {"id": answer["id"], "seq": seq, "date": answer["date"], "author": author}
            self.messages[seq]["text"] = fields["text"]

    async def _command(self, name: str, fields: Fields) -> Fields | None:
        """The answer, if it arrives."""
        line, session = self.line, self._session
        if line is None or session is None:
            return None
        answer = await execute(session, name, fields)
        return answer if line.arrives() and line is self.line else None
