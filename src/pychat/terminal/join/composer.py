"""The input: a few lines that grow, with completion and a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.message import Message as WidgetMessage
from textual.widgets import TextArea

from pychat.terminal.escaping import safe
from pychat.terminal.join.completion import Completion

__all__ = ["Composer"]

_MAX_LINES = 200
_NEW_LINE = frozenset({"alt+enter", "shift+enter", "ctrl+j", "ctrl+enter"})


class Composer(TextArea):
    """Posts `Sent` for Enter, `Writing` for a change of the text, and `Cancelled` for Escape."""

    DEFAULT_CSS = """
    Composer { height: auto; min-height: 1; max-height: 8; border: none; padding: 0 2; scrollbar-size-vertical: 1; }
    Composer:focus { border: none; }
    """

    class Sent(WidgetMessage):
        """The person sends this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Writing(WidgetMessage):
        """The text has changed; `empty` says whether any is left."""

        def __init__(self, *, empty: bool) -> None:
            super().__init__()
            self.empty = empty

    class Cancelled(WidgetMessage):
        """The person pressed Escape."""

    BINDINGS: ClassVar = []

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(
            compact=True,
            highlight_cursor_line=False,
            placeholder="Write a message, or /help",
        )
        self._names = names
        self._completion: Completion | None = None
        self._written: list[str] = []
        self._at = 0  # an index of the history; its end is the new text
        self._draft = ""

    def put(self, text: str) -> None:
        """Put `text` into the input."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        key = event.key
        if key != "tab":
            self._completion = None
        if key == "enter":
            self._take(event)
            self._send()
        elif key in _NEW_LINE:
            self._take(event)
            self.insert("\n")
        elif key == "tab":
            self._take(event)
            self._complete()
        elif key == "escape":
            self._take(event)
            self.post_message(self.Cancelled())
        elif key == "up" and self.cursor_at_first_line:
            self._take(event)
            self._recall(-1)
        elif key == "down" and self.cursor_at_last_line:
            self._take(event)
            self._recall(1)
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert pasted text: its line ends do not send it, and control characters are made visible."""
        event.prevent_default()
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        self.insert(safe(text))

    def on_text_area_changed(self) -> None:
        """Post that the text has changed."""
        self.post_message(self.Writing(empty=not self.text))

    def _send(self) -> None:
        text = self.text
        if not text.strip():
            return
        if not self._written or self._written[-1] != text:
            self._written.append(text)
            del self._written[:-_MAX_LINES]
        self._at = len(self._written)
        self._draft = ""
        self.text = ""
        self.post_message(self.Sent(text))

    def _recall(self, step: int) -> None:
        at = self._at + step
        if not 0 <= at <= len(self._written):
            return
        if self._at == len(self._written):
            self._draft = self.text
        self._at = at
        self.put(self._draft if at == len(self._written) else self._written[at])

    def _complete(self) -> None:
        row, column = self.cursor_location
        line = self.document.get_line(row)
        if self._completion is None or self._completion.made != line[:column]:
            self._completion = Completion(line[:column], self._names())
        made = self._completion.turn()
        if made is not None:
            self.replace(made, (row, 0), (row, column))
            self.move_cursor((row, len(made)))

    @staticmethod
    def _take(event: events.Key) -> None:
        event.stop()
        event.prevent_default()
