"""Finds the names after `@` in a text. Who has which name is in `known_names` and `rules`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from pychat.domain.names import Names

__all__ = ["HERE", "MAX_HERE", "MAX_TRIES", "find_mentions"]

#: The keys of `@here`, which mentions everyone who is here.
HERE = Names.keys("here")
#: `@here` mentions nobody in a larger crowd.
MAX_HERE = 100
#: Only so many `@` of a text are looked at.
MAX_TRIES = 25

_T = TypeVar("_T")
_WORDS = frozenset(("Lu", "Ll", "Lt", "Lm", "Mn", "Mc", "Nd", "Nl", "No"))  # but not Lo: scripts without spaces
_NO_MENTION_AFTER = frozenset("_/\\@=&$`")  # as in addresses and code
_JOINS_WORDS = frozenset(".-/@")  # @ada.example, @ada-marie, @ada/chat and @ada@example.org are other names than @ada


def find_mentions(text: str, longest: int, find: Callable[[str], _T | None]) -> Iterator[_T]:
    """Yield what `find` returns for the longest name after each `@`; names have at most `longest` characters.

    `find` gets a possible key of a name, as `Names.keys` makes them, and returns `None` if nobody has it. It is called
    at most twice for each character of a name, for the first `MAX_TRIES` places where a mention can begin.
    """
    tries, at = 0, text.find("@")
    while at >= 0 and tries < MAX_TRIES:
        end = at + 1
        if _can_begin(text, at):
            tries += 1
            best = None
            for stop, by_case, by_shape in _candidates(text, at + 1, longest):
                found = find(by_case)
                if found is None and by_shape != by_case:
                    found = find(by_shape)
                if found is not None:
                    best, end = found, stop
            if best is not None:
                yield best
        at = text.find("@", end)


def _candidates(text: str, start: int, longest: int) -> Iterator[tuple[int, str, str]]:
    """The end and the two keys of each text from `start` that can be a name, the shortest first."""
    by_case = by_shape = ""
    at = start
    for _ in range(longest):
        if at >= len(text) or text[at] == "\n":
            return
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        more_by_case, more_by_shape = _key_parts(text[at:end])
        by_case, by_shape, at = by_case + more_by_case, by_shape + more_by_shape, end
        if _can_end(text, end):
            yield end, by_case, by_shape


@lru_cache(1024)
def _key_parts(character: str) -> tuple[str, str]:
    """The parts of a name's keys for one character with its combining marks."""
    return Names.key_by_case(character), Names.key_by_shape(character)


def _can_begin(text: str, at: int) -> bool:
    """Whether the `@` at `at` can begin a mention: not in `a@b.de`, nor before a space."""
    after = text[at + 1 : at + 2]
    if not after or after.isspace():
        return False
    before = text[at - 1] if at else " "
    return before not in _NO_MENTION_AFTER and unicodedata.category(before) not in _WORDS


def _can_end(text: str, end: int) -> bool:
    """Whether a name can end before `end`, which is not within a word."""
    if end == len(text) or not _in_word(text[end - 1]):
        return True
    return not (_in_word(text[end]) or (text[end] in _JOINS_WORDS and end + 1 < len(text) and _in_word(text[end + 1])))


def _in_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character) in _WORDS
