"""Message texts: which are allowed, in what form they are kept, and which tell what their author does."""

from __future__ import annotations

import re

from pychat.errors import Refused

__all__ = ["accept_text", "action"]

_ME = "/me "
_HALF = re.compile("[\ud800-\udfff]")


def accept_text(raw: str, longest: int) -> str:
    """The text as it will be kept: line feeds for line ends, no white space at its end.

    Raise `Refused` with `text_empty`, `text_too_long` (more than `longest` characters, counted as Unicode code
    points) or `text_invalid`.
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if not text.strip():
        raise Refused("text_empty", "There is nothing in this message. Type something first.")
    if len(text) > longest:
        over = len(text) - longest
        told = f"A message can have {longest} characters at most; this one has {over} too many."
        raise Refused("text_too_long", told)
    if "\0" in text:
        raise Refused("text_invalid", "A message cannot hold the NUL character. Remove it and send again.")
    if _HALF.search(text):
        raise Refused("text_invalid", "This message is not valid Unicode: it holds half of a surrogate pair.")
    return text


def action(text: str) -> str | None:
    """What the author does, where one line tells just that: `waves` of `/me waves`. `None` for what is only said."""
    return (text[len(_ME) :].lstrip() or None) if text.startswith(_ME) and "\n" not in text else None
