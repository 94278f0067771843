"""The rules for message texts and emoji: which are allowed, and in which form they are stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from pychat.domain.blanks import visible
from pychat.domain.errors import Refused
from pychat.domain.limits import PRECHECK_FACTOR

__all__ = ["accept_emoji", "accept_text", "action", "emoji_of"]

_ME = "/me "
_EMOJI_LENGTH = 16  # code points; the longest have 10
_SELECTORS = {0xFE0E: None, 0xFE0F: None}  # they select the form of an emoji: text or picture
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_MARKS = 30  # on one letter, as in the Stream-Safe Text Format (UAX 15, section 13); no language has as many
_COMBINING = range(0x300, 0x1E94B)  # has all combining characters


def accept_text(raw: str, longest: int) -> str:
    """The text in the form to store: with line feeds as line ends, and no white space at its end.

    Raise `Refused` with `text_empty`, `text_too_long` (more than `longest` characters, counted as Unicode code
    points) or `text_invalid`.
    """
    if len(raw) > PRECHECK_FACTOR * longest + PRECHECK_FACTOR:
        raise _too_long(len(raw), longest)
    text = raw.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if not visible(text):
        raise Refused("text_empty", "This message is empty. Type something first.")
    if len(text) > longest:
        raise _too_long(len(text), longest)
    if "\0" in text:
        raise Refused("text_invalid", "A message cannot have the NUL character. Remove it and send again.")
    if text.isascii():
        return text
    if _SURROGATE.search(text):
        raise Refused("text_invalid", "This message is not valid Unicode: it has a lone surrogate.")
    if _too_many_marks()(text):
        raise Refused("text_invalid", f"This message has more than {_MAX_MARKS} marks on one letter. Leave some out.")
    return text


@cache
def _too_many_marks() -> Callable[[str], object]:
    """Finds long runs of combining marks: normalising or drawing them takes quadratic time."""
    marks = "".join(character for character in map(chr, _COMBINING) if unicodedata.combining(character))
    return re.compile(f"[{marks}]{{{_MAX_MARKS + 1}}}").search


def accept_emoji(raw: str) -> str:
    """The emoji in its fully qualified form. Raise `Refused` with `emoji_invalid` for anything else."""
    emoji = emoji_of(raw)
    if emoji is None:
        raise Refused(
            "emoji_invalid", "React with one emoji, such as 👍. Letters, signs and several emoji are not one."
        )
    return emoji


def emoji_of(raw: str) -> str | None:
    """The fully qualified form (UTS 51) of the emoji `raw`; `None` if it is not exactly one emoji.

    An emoji with a skin tone, a flag, a keycap or a family is one emoji. A skin tone alone is not.
    """
    return None if len(raw) > _EMOJI_LENGTH else _emoji().get(raw.translate(_SELECTORS))


@cache
def _emoji() -> dict[str, str]:
    """Each fully qualified emoji, by its form without selectors."""
    from emoji import EMOJI_DATA, STATUS  # noqa: PLC0415 -- 30 ms of tables, not needed without reactions

    qualified = STATUS["fully_qualified"]
    return {emoji.translate(_SELECTORS): emoji for emoji, about in EMOJI_DATA.items() if about["status"] == qualified}


def _too_long(length: int, longest: int) -> Refused:
    over = length - longest
    return Refused("text_too_long", f"A message can have {longest} characters at most; this one has {over} too many.")


def action(text: str) -> str | None:
    """The action in a text of one line: `waves` for `/me waves`. `None` for other texts."""
    return (text[len(_ME) :].lstrip() or None) if text.startswith(_ME) and "\n" not in text else None
