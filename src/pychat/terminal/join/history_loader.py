"""Loads older messages when the reader scrolls to the top."""

from __future__ import annotations

from pychat.client import Client
from pychat.domain.model import Deleted, Edited, Message, Reacted
from pychat.domain.revision import revise
from pychat.terminal.join.log import Log

__all__ = ["HistoryLoader"]

_PAGE = 50


class HistoryLoader:
    """Loads one page at a time. Revisions that arrive while it loads are applied to the page."""

    def __init__(self, chat: Client, log: Log) -> None:
        self._chat = chat
        self._log = log
        self._loading = False
        self._revisions: list[Edited | Deleted | Reacted] = []

    def begin(self) -> bool:
        """Claim the next page. Return false if there is none, or one is being loaded; else call `load`."""
        if self._loading or not self._log.more:
            return False
        self._loading = True
        return True

    async def load(self) -> None:
        """Load a page into the log."""
        try:
            first = next(iter(self._log.messages), None)
            found = await self._chat.history(first, _PAGE)
            self._log.older([self._revised(message) for message in found], more=len(found) == _PAGE)
        finally:
            self._loading = False
            self._revisions.clear()

    def revise(self, event: Edited | Deleted | Reacted) -> None:
        """Apply an event to the page that is being loaded."""
        if self._loading:
            self._revisions.append(event)

    def _revised(self, message: Message) -> Message:
        for event in self._revisions:
            message = revise(message, event)
        return message
