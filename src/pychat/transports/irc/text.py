"""Texts on their way between a room and IRC: split to fit lines, cleaned of what terminals obey, `/me` both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pychat.domain.texts import action

__all__ = ["clean", "from_irc", "is_action", "split", "to_irc"]

_ACTION = "\x01ACTION "
_CTCP = "\x01"
_ME = "/me "
# Colours with their numbers, then bold, italic, underline, strike-through, monospace, reverse and reset.
_FORMATTING = re.compile(
    r"\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """`text` without control characters and colours, but for line feeds; tabs become spaces."""
    return _CONTROL.sub("", _FORMATTING.sub("", text.replace("\t", "    ")))


def from_irc(text: str) -> str | None:
    """What an IRC user said, as a room keeps it: `/me` for an action; `None` for other requests between clients."""
    if text.startswith(_CTCP):
        if not text.startswith(_ACTION):
            return None
        text = _ME + text[len(_ACTION) :].rstrip(_CTCP)
    return clean(text)


def is_action(text: str) -> bool:
    """Whether `text` tells what its author does: `/me waves`."""
    return action(text) is not None


def to_irc(text: str, max_bytes: int) -> list[str]:
    """The parts of a message that each take a line of `max_bytes` bytes; an action becomes one again."""
    text = clean(text)
    if is_action(text):
        room = max_bytes - len(_ACTION) - len(_CTCP)
        return [f"{_ACTION}{part}{_CTCP}" for part in split(text[len(_ME) :], room)]
    # A line cannot be empty; a space keeps the paragraphs of a longer text apart.
    return [part or " " for line in text.split("\n") for part in split(line, max_bytes)]


def split(text: str, max_bytes: int) -> Iterator[str]:
    """Yield parts of at most `max_bytes` bytes of UTF-8 that make `text` again; between words if there are any.

    A character that has more bytes than that, which none has from 4 on, stands alone.
    """
    data = text.encode()
    start = 0
    while len(data) - start > max_bytes:
        end = start + max(max_bytes, 1)
        while end > start and data[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        if end == start:
            end = start + len(data[start : start + 4].decode(errors="ignore")[:1].encode())
        space = data.rfind(b" ", start + max_bytes // 2, end)
        if space > start:
            end = space + 1
        yield data[start:end].decode()
        start = end
    yield data[start:].decode()
