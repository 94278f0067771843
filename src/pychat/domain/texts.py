"""Message texts and emoji: which are allowed, in what form they are kept, and which tell what their author does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from pychat.domain.blanks import visible
from pychat.domain.errors import Refused
from pychat.domain.limits import LOOKED_AT

__all__ = ["accept_emoji", "accept_text", "action", "emoji_of"]

_ME = "/me "
_EMOJI_LENGTH = 16  # code points; the longest have 10
_SELECTORS = {0xFE0E: None, 0xFE0F: None}  # of the form in which an emoji is shown: text, picture
_HALF = re.compile("[\ud800-\udfff]")
_MARKS = 30  # on one letter, as in the Stream-Safe Text Format (UAX 15, section 13): no language has as many
_COMBINING = range(0x300, 0x1E94B)  # in which all characters are that combine with others


def accept_text(raw: str, longest: int) -> str:
    """The text as it will be kept: line feeds for line ends, no white space at its end.

    Raise `Refused` with `text_empty`, `text_too_long` (more than `longest` characters, counted as Unicode code
    points) or `text_invalid`.
    """
    if len(raw) > LOOKED_AT * longest + LOOKED_AT:
        raise _too_long(len(raw), longest)
    text = raw.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if not visible(text):
        raise Refused("text_empty", "There is nothing in this message. Type something first.")
    if len(text) > longest:
        raise _too_long(len(text), longest)
    if "\0" in text:
        raise Refused("text_invalid", "A message cannot hold the NUL character. Remove it and send again.")
    if _HALF.search(text):
        raise Refused("text_invalid", "This message is not valid Unicode: it holds half of a surrogate pair.")
    if not text.isascii() and _too_many_marks()(text):
        raise Refused("text_invalid", f"This message has more than {_MARKS} marks on one letter. Leave some out.")
    return text


@cache
def _too_many_marks() -> Callable[[str], object]:
    """Finds a run of marks that would take whoever normalises or draws it a time that is quadratic in its length."""
    marks = "".join(character for character in map(chr, _COMBINING) if unicodedata.combining(character))
    return re.compile(f"[{marks}]{{{_MARKS + 1}}}").search


def accept_emoji(raw: str) -> str:
    """The emoji in the form that Unicode recommends. Raise `Refused` with `emoji_invalid` for anything else."""
    emoji = emoji_of(raw)
    if emoji is None:
        raise Refused(
            "emoji_invalid", "React with one emoji, such as 👍. Letters, signs and several emoji are not one."
        )
    return emoji


def emoji_of(raw: str) -> str | None:
    """The one emoji that `raw` is, fully qualified (UTS 51), however it was typed; `None` if it is not one.

    Skin tones, flags, keycaps and families are one emoji each; a skin tone alone is none.
    """
    return None if len(raw) > _EMOJI_LENGTH else _emoji().get(raw.translate(_SELECTORS))


@cache
def _emoji() -> dict[str, str]:
    """Each emoji, fully qualified, by what it is without selectors."""
    from emoji import EMOJI_DATA, STATUS  # noqa: PLC0415 -- 30 ms of tables, which a room without reactions does without

    qualified = STATUS["fully_qualified"]
    return {emoji.translate(_SELECTORS): emoji for emoji, about in EMOJI_DATA.items() if about["status"] == qualified}


def _too_long(length: int, longest: int) -> Refused:
    over = length - longest
    return Refused("text_too_long", f"A message can have {longest} characters at most; this one has {over} too many.")


def action(text: str) -> str | None:
    """What the author does, where one line tells just that: `waves` of `/me waves`. `None` for what is only said."""
    return (text[len(_ME) :].lstrip() or None) if text.startswith(_ME) and "\n" not in text else None
