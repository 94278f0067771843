"""Converts texts between rooms and IRC: control characters, `/me`, and parts that fit into a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pychat.domain.texts import action

__all__ = ["as_word", "clean", "cut", "fill", "from_irc", "is_action", "split", "to_irc"]

_ACTION = "\x01ACTION "
_CTCP = "\x01"
_ME = "/me "
_MAX_WORD_BYTES = 136  # of a word of the client in one of the server's own lines
# Colours with their numbers, then bold, italic, underline, strike-through, monospace, reverse and reset.
_FORMATTING = re.compile(
    r"\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """`text` without colours and control characters. Line feeds stay, tabs become spaces."""
    return _CONTROL.sub("", _FORMATTING.sub("", text.replace("\t", "    ")))


def from_irc(text: str) -> str | None:
    """The text for the room: `/me waves` for an action; `None` for other CTCP requests."""
    if text.startswith(_CTCP):
        if not text.startswith(_ACTION):
            return None
        text = _ME + text[len(_ACTION) :].rstrip(_CTCP)
    return clean(text)


def is_action(text: str) -> bool:
    """True if `text` describes what its author does: `/me waves`."""
    return action(text) is not None


def to_irc(text: str, max_bytes: int) -> list[str]:
    """The parts of a message, each for one line with `max_bytes` bytes of text. `/me` becomes an action of CTCP."""
    text = clean(text)
    if is_action(text):
        room = max_bytes - len(_ACTION) - len(_CTCP)
        return [f"{_ACTION}{part}{_CTCP}" for part in split(text[len(_ME) :], room)]
    # A line cannot be empty; a space keeps the paragraphs of a longer text apart.
    return [part or " " for line in text.split("\n") for part in split(line, max_bytes)]


def as_word(given: str) -> str:
    """`given` in a form that may stand in the middle of a line: one word, without control characters."""
    word = "_".join(clean(given).split()).lstrip(":")
    return word.encode()[:_MAX_WORD_BYTES].decode(errors="ignore") or "*"


def cut(text: str, max_bytes: int) -> str:
    """The beginning of `text`, as one line of at most `max_bytes` bytes."""
    return next(split(" ".join(clean(text).split()), max_bytes)).rstrip()


def fill(words: Iterable[str], max_bytes: int) -> Iterator[str]:
    """Yield `words` in lines of at most `max_bytes` bytes."""
    line: list[str] = []
    size = 0
    for word in words:
        length = len(word.encode()) + 1
        if line and size + length > max_bytes:
            yield " ".join(line)
            line, size = [], 0
        line.append(word)
        size += length
    if line:
        yield " ".join(line)


def split(text: str, max_bytes: int) -> Iterator[str]:
    """Split `text` into parts of at most `max_bytes` bytes of UTF-8, between words where possible.

    A single character is never split, so a part can be longer if `max_bytes` is less than 4.
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
