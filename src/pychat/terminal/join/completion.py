"""Completes the word before the cursor to a name or a command. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.terminal.join.slash import COMMANDS

__all__ = ["Completion"]


class Completion:
    """The completions of one text, in turn."""

    def __init__(self, before: str, names: Iterable[str]) -> None:
        """`before` is the line up to the cursor; `names` in the order of preference."""
        self._start, self._ways = _ways(before, names)
        self._next = 0
        #: The last completion, as the line up to the cursor.
        self.made = before

    def turn(self) -> str | None:
        """Return the next completion, as the line up to the cursor; `None` if there is none."""
        if not self._ways:
            return None
        self.made = self._start + self._ways[self._next % len(self._ways)]
        self._next += 1
        return self.made


def _ways(before: str, names: Iterable[str]) -> tuple[str, list[str]]:
    if before.startswith("/") and " " not in before:
        return "", [f"/{name} " for name in COMMANDS if name.startswith(before[1:].lower())]
    # Names may contain spaces, so try the longest prefix first.
    for start in range(len(before)):
        if start and not before[start - 1].isspace():
            continue
        word = before[start:]
        bare = word.removeprefix("@").casefold()
        if not bare:
            continue
        found = [name for name in names if name.casefold().startswith(bare)]
        if found:
            at = "@" if word.startswith("@") else ""
            end = ": " if start == 0 and not at else " "
            return before[:start], [f"{at}{name}{end}" for name in found]
    return before, []
