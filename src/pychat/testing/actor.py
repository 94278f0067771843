"""A person in a test: talks, loses the connection, returns, and checks what is on their screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TypeVar

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import Member, Message, User
from pychat.room.chatroom import ChatRoom
from pychat.room.session import Session
from pychat.testing.line import Line
from pychat.testing.screen import Screen, lines
from pychat.testing.waiting import Waiting

__all__ = ["Actor"]

_T = TypeVar("_T")
_PRESENCE = 0.25  # seconds; a room gathers presence for 0.2


class Actor:
    """A person of a test, in the same process. Make one with `Chat.person` or `Chat.people`.

    Actions (`says`, `edits`, `drops` …) return when all hooks and all other people have got them. They raise `Refused`
    if the room refuses.
    Checks (`sees` …) wait, and raise `AssertionError` with what the person saw instead. An event that comes twice or in
    the wrong order fails the next action or check.
    """

    def __init__(self, waiting: Waiting, label: str, *, outbox: int, user: User | None = None) -> None:
        self._waiting = waiting
        self._label = label
        self._outbox = outbox
        self._user = user
        self._screen = Screen()
        self._room: ChatRoom | None = None
        self._session: Session | None = None
        self._line: Line | None = None
        self._token: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Actor {self.name}>"

    # The screen

    @property
    def name(self) -> str:
        """The nickname; before joining, the name that the test uses."""
        return self._screen.owner.name if self._screen.owner else self._label

    @property
    def member(self) -> Member:
        """The member in the room. Raise `UsageError` for a guest."""
        if self._screen.owner is None:
            raise UsageError(f"{self.name} has no nickname: bring them with a name, or `await ….joins(name)`.")
        return self._screen.owner

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages on the screen as they stand, their own too, oldest first."""
        return tuple(self._screen.messages)

    @property
    def has_seen(self) -> list[str]:
        """The texts on the screen, oldest first. The text of a deleted message is empty."""
        return [message.text for message in self._screen.messages]

    @property
    def members(self) -> list[str]:
        """The names in the list of people, in the order of joining."""
        return [member.name for member in self._screen.members.values()]

    @property
    def here(self) -> int:
        """The shown number of people. Like `members`, it is up to 0.2 seconds of the clock behind."""
        return self._screen.here

    @property
    def typing(self) -> list[str]:
        """The names of the people who are shown as typing."""
        return [member.name for member in self._screen.typing.values()]

    @property
    def closed(self) -> Close | None:
        """Why the server closed the connection; `None` if it did not."""
        return self._line.closed if self._line else None

    @property
    def recovered(self) -> bool:
        """True if the last connection continued exactly where the one before ended."""
        return self._screen.recovered

    def message(self, which: Message | int) -> Message:
        """A message as it stands on this screen, by its number or an earlier state of it."""
        __tracebackhide__ = True
        seq = which if isinstance(which, int) else which.seq
        for message in self._screen.messages:
            if message.seq == seq:
                return message
        raise AssertionError(f"There is no message number {seq} on {self.name}'s screen.\n{self._saw()}")

    # Actions

    async def enters(self, room: ChatRoom) -> None:
        """Connect to `room`. `Chat.person` calls this."""
        __tracebackhide__ = True
        self._room = room
        line = Line(self._screen.show, self._hang_up, outbox=self._outbox)
        self._session = await self._waiting.answer(
            room.connect(line, since=self._screen.position, user=self._user), f"{self.name}, coming in,"
        )
        self._line = line
        self._screen.owner = self._session.member
        await self._waiting.settle()

    async def joins(self, name: str) -> Member:
        """Take a nickname."""
        __tracebackhide__ = True
        return await self._join(name, f"joining as “{name}”")

    async def renames(self, name: str) -> Member:
        """Change the nickname."""
        __tracebackhide__ = True
        return await self.joins(name)

    async def says(self, text: str, *, id: str | None = None, reply_to: Message | int | None = None) -> Message:  # noqa: A002 -- the wire's word
        """Send a message, and return it as stored. Messages with the same `id` are stored once."""
        __tracebackhide__ = True
        reply = None if reply_to is None else _seq(reply_to)
        said = await self._do(self._connected().say(text, id, reply), f"saying “{text}”")
        self._screen.wrote(said)
        return said

    async def edits(self, message: Message | int, text: str) -> None:
        """Change the text of a message of their own."""
        __tracebackhide__ = True
        await self._do(self._connected().edit(_seq(message), text), "editing")

    async def deletes(self, message: Message | int) -> None:
        """Delete a message of their own."""
        __tracebackhide__ = True
        await self._do(self._connected().delete(_seq(message)), "deleting")

    async def reacts(self, message: Message | int, emoji: str, *, on: bool = True) -> None:
        """Add an emoji to a message, or remove it."""
        __tracebackhide__ = True
        await self._do(self._connected().react(_seq(message), emoji, on), "reacting")

    async def types(self, *, on: bool = True) -> None:
        """Be shown as typing, or stop."""
        __tracebackhide__ = True
        await self._do(self._connected().set_typing(on), "typing")

    async def drops(self) -> None:
        """Lose the connection. The nickname is held for the room's grace time."""
        await self._goes(left=False)

    async def leaves(self) -> None:
        """Leave, and free the nickname."""
        await self._goes(left=True)

    async def returns(self, room: ChatRoom | None = None) -> None:
        """Reconnect as the same member, from the same position; to another server of the room if given.

        Raise `Refused` with `name_taken` if somebody else has the nickname now. The person is then a guest.
        """
        __tracebackhide__ = True
        if self._line is not None and self._line.open:
            raise UsageError(f"{self.name} is still here: `await ….drops()` first.")
        room = room or self._room
        if room is None:
            raise UsageError(f"{self.name} was never here.")
        await self.enters(room)
        if self._token is not None:
            await self._join(None, "coming back")

    def stops_reading(self) -> None:
        """Stop reading. Events wait in a bounded outbox; if it is full, the connection is closed."""
        self._connected()
        if self._line is not None:
            self._line.read(on=False)

    def reads_on(self) -> None:
        """Read the waiting events, and later ones."""
        self._connected()
        if self._line is not None:
            self._line.read(on=True)

    # Checks

    async def sees(self, *texts: str | re.Pattern[str], by: Actor | str | None = None) -> Message:
        """Wait until other people have written these messages, in this order. Return the last one.

        Each of `texts` is a complete text or a pattern to search for. The search begins after the last message that was
        found this way, and skips other messages. An edited message can be found again.
        """
        __tracebackhide__ = True
        author = by.name if isinstance(by, Actor) else by
        found: Message | None = None
        for text in texts:
            found = await self._see(text, author)
        if found is None:
            raise UsageError("Give a text: sees(“hi”).")
        return found

    async def sees_nothing_more(self) -> None:
        """Wait until everything is finished, and fail if other people wrote messages that were not looked at."""
        __tracebackhide__ = True
        await self._waiting.settle()
        self._check()
        if self._screen.unseen():
            raise AssertionError(f"{self.name} saw more.\n{self._saw('nothing more')}")

    async def sees_members(self, *names: str) -> None:
        """Wait until exactly these names are listed, in any order. If needed, 0.25 seconds pass on the clock."""
        __tracebackhide__ = True
        await self._waiting.settle()
        if sorted(self.members) != sorted(names):
            await self._waiting.sleep(_PRESENCE)
        if not await self._waiting.until(lambda: sorted(self.members) == sorted(names)):
            missing, extra = set(names) - set(self.members), set(self.members) - set(names)
            why = [f"missing: {', '.join(sorted(missing))}"] * bool(missing)
            why += [f"not expected: {', '.join(sorted(extra))}"] * bool(extra)
            raise AssertionError(
                f"{self.name} sees other members.\n  expected: {', '.join(sorted(names))}\n"
                f"  saw:      {', '.join(sorted(self.members))}\n  {'; '.join(why)}"
            )
        self._check()

    async def sees_that(self, so: Callable[[], bool], what: str = "that") -> None:
        """Wait until `so` returns true: `await bob.sees_that(lambda: bob.typing == ["alice"], "alice types")`."""
        __tracebackhide__ = True
        if not await self._waiting.until(so):
            raise AssertionError(f"{self.name} did not see {what}.\n{self._saw()}")
        self._check()

    async def is_told(self, why: Close) -> None:
        """Wait until the server has closed the connection for this reason."""
        __tracebackhide__ = True
        await self._waiting.until(lambda: self.closed is not None)
        if self.closed is not why:
            was = "is still open" if self.closed is None else f"was closed with {self.closed.name}"
            raise AssertionError(f"{self.name}'s connection {was}; expected: closed with {why.name}")
        await self._waiting.settle()

    def is_refused(self, code: str) -> AbstractContextManager[None]:
        """Fail unless the `with` block is refused with this code: `with bob.is_refused("shouting"): …`."""
        return _Refusal(self.name, code)

    async def _see(self, text: str | re.Pattern[str], author: str | None) -> Message:
        __tracebackhide__ = True

        def find() -> int | None:
            for index, seen in enumerate(self._screen.unseen(), self._screen.looked):
                said = seen.text == text if isinstance(text, str) else text.search(seen.text)
                if said and author in {None, seen.author.name}:
                    return index
            return None

        if not await self._waiting.until(lambda: find() is not None or self._screen.faults != []):
            by = "" if author is None else f", by {author}"
            wanted = f"“{text}”" if isinstance(text, str) else f"/{text.pattern}/"
            raise AssertionError(f"{self.name} did not see {wanted}{by}.\n{self._saw(wanted + by)}")
        self._check()
        index = find()
        assert index is not None  # noqa: S101 -- waited for above
        self._screen.looked = index + 1
        return self._screen.sightings[index]

    def _saw(self, expected: str | None = None) -> str:
        """The description of a failure."""
        told = [] if expected is None else [f"expected: {expected}"]
        told += _column("saw:     ", lines(self._screen.unseen()))
        told += (
            _column("before:  ", lines(self._screen.sightings[: self._screen.looked])) if self._screen.looked else []
        )
        if self.closed is not None:
            told.append(f"closed:   with {self.closed.name}; come back with `await ….returns()`")
        elif self._line is None or not self._line.open:
            told.append("dropped:  come back with `await ….returns()`")
        return "\n".join(f"  {line}" for line in told)

    def _check(self) -> None:
        __tracebackhide__ = True
        if self._screen.faults:
            raise AssertionError(
                f"{self.name} got events twice or in the wrong order:\n  " + "\n  ".join(self._screen.faults)
            )

    def _connected(self) -> Session:
        __tracebackhide__ = True
        self._check()
        if self._session is None or self._line is None or not self._line.open:
            why = f"closed with {self.closed.name}" if self.closed else "gone"
            raise UsageError(f"{self.name}'s connection is {why}: `await ….returns()` first.")
        return self._session

    async def _goes(self, *, left: bool) -> None:
        __tracebackhide__ = True
        session = self._connected()
        if self._line is not None:
            self._line.cut()
        await self._do(session.close(left=left), "going")

    async def _join(self, name: str | None, doing: str) -> Member:
        __tracebackhide__ = True
        joined = self._connected().join(name, self._token)
        member, self._token = await self._do(joined, doing)
        self._screen.owner = member
        return member

    async def _do(self, action: Awaitable[_T], doing: str) -> _T:
        """Await an action of this person, and all of its effects."""
        __tracebackhide__ = True
        done = await self._waiting.answer(action, f"{self.name}, {doing},")
        await self._waiting.settle()
        return done

    def _hang_up(self) -> None:
        """Close the session, as a transport does after the server has closed the connection."""
        if self._session is not None:
            task = asyncio.get_running_loop().create_task(self._session.close())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class _Refusal(AbstractContextManager[None]):
    """A block that must end with a refusal."""

    def __init__(self, name: str, code: str) -> None:
        self._name = name
        self._code = code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        __tracebackhide__ = True
        if error is None:
            raise AssertionError(f"{self._name} was not refused; expected: “{self._code}”")
        if isinstance(error, Refused) and error.code != self._code:
            raise AssertionError(
                f"{self._name} was refused with “{error.code}” ({error.text}); expected: “{self._code}”"
            ) from None
        return isinstance(error, Refused)


def _seq(message: Message | int) -> int:
    return message if isinstance(message, int) else message.seq


def _column(heading: str, told: list[str]) -> list[str]:
    return [
        f"{heading} {line}" if index == 0 else f"          {line}" for index, line in enumerate(told or ["nothing"])
    ]
