"""Applies the events of the room to the log."""

from __future__ import annotations

import time
from collections.abc import Callable

from pychat.client import Client, ClientEvent, RoomSnapshot
from pychat.domain.model import Deleted, Edited, Joined, Left, Message, Reacted, Renamed, Typing, Whisper
from pychat.terminal.join.history_loader import HistoryLoader
from pychat.terminal.join.log import Log
from pychat.terminal.join.typists import Typists

__all__ = ["Incoming"]


class Incoming:
    """Applies events, and counts messages that the reader has not seen."""

    def __init__(
        self,
        chat: Client,
        log: Log,
        typists: Typists,
        history: HistoryLoader,
        *,
        at_bottom: Callable[[], bool],
        bell: Callable[[], None],
    ) -> None:
        """`at_bottom` returns whether the newest line is visible; `bell` rings."""
        self._chat = chat
        self._log = log
        self._typists = typists
        self._history = history
        self._at_bottom = at_bottom
        self._bell = bell
        #: The number of messages that the reader has not seen.
        self.unread = 0
        #: Whether the terminal has the focus.
        self.focused = True

    def apply(self, event: ClientEvent) -> None:
        """Apply one event."""
        match event:
            case RoomSnapshot():
                self._log.reset(event.messages, more=event.more)
                if event.missed:
                    self._log.tell("You were away for too long: some messages may be missing here.")
            case Message():
                self._message(event)
            case Edited() | Deleted() | Reacted():
                self._log.revise(event)
                self._history.revise(event)
            case Whisper():
                self._log.tell(f"{event.author.name} (only to you): {event.text}")
            case Joined():
                self._log.tell_more(f"{event.member.name} joined")
            case Left():
                self._typists.set(event.member, on=False, now=time.monotonic())
                self._log.tell_more(f"{event.member.name} left")
            case Renamed():
                self._log.tell_more(f"{event.before} is now {event.member.name}")
            case Typing():
                self._typists.set(event.member, on=event.on, now=time.monotonic())

    def _message(self, message: Message) -> None:
        me = self._chat.me
        self._typists.set(message.author, on=False, now=time.monotonic())
        if me is None or message.author.id != me.id:
            if not self.focused or not self._at_bottom():
                self.unread += 1
                self._log.mark()
            if me is not None and not self.focused and me.name.casefold() in message.text.casefold():
                self._bell()
        self._log.add(message)
