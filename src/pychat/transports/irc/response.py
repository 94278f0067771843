"""The answer to one IRC command, with the label that the client gave it (IRCv3's `labeled-response`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pychat.transports.irc.line import Line

__all__ = ["Response"]


class Response:
    """The lines of an answer. With a label: an `ACK` for none, the label on a single line, a batch for several."""

    def __init__(self, write: Callable[[Line], None], label: str | None = None, name: str = "") -> None:
        self._write = write
        self._label = label
        self._name = name
        self._first: Line | None = None
        self._open = False

    def tell(self, line: Line) -> None:
        """Add a line to the answer."""
        if self._label is None:
            self._write(line)
        elif self._open:
            self._inside(line)
        elif self._first is None:
            self._first = line
        else:
            self._open = True
            self._write(Line("BATCH", (f"+{self._name}", "labeled-response"), tags={"label": self._label}))
            self._inside(self._first)
            self._inside(line)

    def end(self) -> None:
        """End the answer. Idempotent."""
        if self._label is None:
            return
        label, self._label = self._label, None
        if self._open:
            self._write(Line("BATCH", (f"-{self._name}",)))
        elif self._first is not None:
            self._write(replace(self._first, tags={**self._first.tags, "label": label}))
        else:
            self._write(Line("ACK", tags={"label": label}))

    def _inside(self, line: Line) -> None:
        within = "batch" in line.tags or (line.command == "BATCH" and line.params[0].startswith("-"))
        self._write(line if within else replace(line, tags={**line.tags, "batch": self._name}))
