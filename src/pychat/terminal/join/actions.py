"""Sends messages and runs slash commands."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from pychat.client import Client
from pychat.domain.errors import ChatError, Refused
from pychat.domain.model import Message, Quote
from pychat.terminal.join import slash
from pychat.terminal.join.composer import Composer
from pychat.terminal.join.log import Log
from pychat.terminal.join.messages import Messages
from pychat.terminal.join.people import people_words

__all__ = ["Actions", "Mode"]


class Mode(NamedTuple):
    """The message that the next text answers or replaces."""

    kind: Literal["reply", "edit"]
    message: Message


class Attempt(Protocol):
    """Runs work in the background; errors are shown in the log."""

    def __call__(self, work: Awaitable[object]) -> None:
        """Start `work`."""


class Actions:
    """The actions of the person at the keyboard."""

    def __init__(
        self,
        chat: Client,
        log: Log,
        messages: Messages,
        composer: Composer,
        *,
        attempt: Attempt,
        rooms: Callable[[], Awaitable[list[str]]],
        join: Callable[[str], Awaitable[None]],
        leave: Callable[[], None],
    ) -> None:
        """`attempt` runs work in the background; `rooms` returns a line for each room; `join` takes a name.

        `leave` ends the program.
        """
        self._chat = chat
        self._log = log
        self._messages = messages
        self._composer = composer
        self._attempt = attempt
        self._rooms = rooms
        self._join = join
        self._leave = leave
        #: Set while a message is being answered or edited.
        self.mode: Mode | None = None

    def send(self, text: str) -> None:
        """Send what the person typed, or run it as a command. Raise `Refused` if it is invalid."""
        mode, self.mode = self.mode, None
        editing = mode is not None and mode.kind == "edit"
        typed = slash.Typed("", text) if editing else slash.read(text)
        if typed.name:
            self.mode = mode
            self._run(typed.name, typed.rest)
        elif mode is not None and editing:
            self._attempt(self._chat.edit(mode.message, typed.rest))
        else:
            self._say(typed.rest, None if mode is None else mode.message)

    def cancel(self) -> None:
        """Cancel an answer or an edit."""
        if self.mode is not None and self.mode.kind == "edit":
            self._composer.text = ""
        self.mode = None

    def _say(self, text: str, answered: Message | None) -> None:
        me = self._chat.me
        if me is None:
            raise Refused("not_joined", "Take a name first: /nick NAME")
        quote = None if answered is None else Quote(answered.seq, answered.author.name, answered.text)
        message = Message(secrets.token_urlsafe(16), me, text.rstrip(), time.time(), reply=quote)
        self._log.pend(message)
        self._attempt(self._send(message, answered))

    async def _send(self, message: Message, answered: Message | None) -> None:
        try:
            await self._chat.say(message.text, reply_to=answered, id=message.id)
        except ChatError as error:
            self._log.fail(message.id, str(error))

    def _run(self, name: str, rest: str) -> None:
        match name:
            case "help":
                self._log.tell(slash.HELP, "help")
            case "quit":
                self._leave()
            case "nick":
                self._attempt(self._join(rest))
            case "me":
                self.mode = None
                self._say(f"/me {rest}", None)
            case "who":
                self._attempt(self._who())
            case "rooms":
                self._attempt(self._list_rooms())
            case "search":
                self._attempt(self._search(rest))
            case "reply":
                self._reply(rest)
            case "edit":
                self._edit(rest)
            case "delete":
                self._attempt(self._chat.delete(self._target(own=True)))
            case "react":
                self._react(rest)

    def _reply(self, text: str) -> None:
        answered = self._target(own=False)
        if text:
            self.mode = None
            self._say(text, answered)
        else:
            self.mode = Mode("reply", answered)
            self._messages.selected = answered.seq

    def _edit(self, text: str) -> None:
        target = self._target(own=True)
        if text:
            self._attempt(self._chat.edit(target, text))
        else:
            self.mode = Mode("edit", target)
            self._messages.selected = target.seq
            self._composer.put(target.text)

    def _react(self, emoji: str) -> None:
        target, me = self._messages.chosen or self._last(own=None), self._chat.me
        mine = me is not None and any(each == emoji and me.id in ids for each, ids in target.reactions)
        self._attempt(self._chat.react(target, emoji, on=not mine))

    def _target(self, *, own: bool) -> Message:
        """Return the selected message, or the last one that is (not) ours. Raise `Refused` if there is none."""
        return self._messages.chosen or self._last(own=own)

    def _last(self, *, own: bool | None) -> Message:
        me = self._chat.me
        for message in reversed(self._log.messages):
            if not message.deleted and own in (None, me is not None and message.author.id == me.id):
                return message
        whose = "of yours" if own else "to answer" if own is False else ""
        raise Refused("not_found", f"There is no message {whose} here.".replace("  ", " "))

    async def _who(self) -> None:
        names = ", ".join(member.name for member in await self._chat.who())
        self._log.tell(f"{people_words(self._chat.here)}: {names or 'nobody with a name'}")

    async def _list_rooms(self) -> None:
        lines = await self._rooms()
        self._log.tell("\n".join(lines) if lines else "There are no other rooms here.", "help")

    async def _search(self, words: str) -> None:
        found = await self._chat.history(matching=words, limit=20)
        many = f"{len(found)} message{'' if len(found) == 1 else 's'}:" if found else "no message."
        lines = [f"“{words}” is in {many}"]
        for message in found:
            when = datetime.fromtimestamp(message.date).astimezone()
            text = " ".join(message.text.split())
            lines.append(f"{when.day} {when:%b %H:%M}  {message.author.name}: {text[:200]}")
        self._log.tell("\n".join(lines), "help")
