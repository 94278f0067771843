"""Collects the lines of one message that a client sends as a batch (IRCv3's `draft/multiline`)."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.transports.irc.capabilities import MULTILINE_BYTES, MULTILINE_LINES
from pychat.transports.irc.line import Line

__all__ = ["Multiline"]


class Multiline:
    """One batch of a client: its first line, and the text so far."""

    def __init__(self, opening: Line) -> None:
        self.opening = opening
        self.name = opening.params[0][1:]
        self.target = opening.params[2]
        self.command: str | None = None
        self._parts: list[str] = []
        self._lines = 0
        self._size = 0

    def add(self, line: Line) -> None:
        """Add a line. Raise `Refused` with `multiline_invalid`, `multiline_max_bytes` or `multiline_max_lines`."""
        command = self.command or line.command
        if len(line.params) < 2 or line.params[0] != self.target or line.command != command:
            raise Refused("multiline_invalid", "All lines of a message have the same command and the same channel.")
        self.command = command
        text = line.params[1]
        self._lines += 1
        self._size += len(text.encode()) + 1
        if self._lines > MULTILINE_LINES:
            raise Refused("multiline_max_lines", f"A message can have {MULTILINE_LINES} lines at most.")
        if self._size > MULTILINE_BYTES:
            raise Refused("multiline_max_bytes", f"A message can have {MULTILINE_BYTES} bytes at most.")
        if self._parts and "draft/multiline-concat" not in line.tags:
            self._parts.append("\n")
        self._parts.append(text)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self._parts)
