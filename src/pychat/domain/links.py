"""Finds the web addresses in a text."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Piece", "pieces"]

# No white space, quotes, angle brackets or bidi controls: the address that is shown is the one that opens.
_ADDRESS = re.compile(
    "\\bhttps?://[^\\s<>\"'`\u2018-\u201f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+", re.IGNORECASE
)
_TRAILING = ".,;:!?*_~…"
_PAIRS = {")": "(", "]": "[", "}": "{"}


class Piece(NamedTuple):
    """A part of a text; one with `href` is an http(s) address."""

    text: str
    href: str | None = None


def pieces(text: str) -> list[Piece]:
    """Split a text into pieces. Joined, they give the text again."""
    found, done = list[Piece](), 0
    for match in _ADDRESS.finditer(text):
        address = _trimmed(match.group())
        if not _is_valid(address):
            continue
        if match.start() > done:
            found.append(Piece(text[done : match.start()]))
        found.append(Piece(address, address))
        done = match.start() + len(address)
    if done < len(text):
        found.append(Piece(text[done:]))
    return found


def _trimmed(address: str) -> str:
    """The address without the punctuation that belongs to the sentence: "(see http://a.b/c)."."""
    extra = {close: address.count(close) - address.count(open_) for close, open_ in _PAIRS.items()}
    end = len(address)
    while end and (address[end - 1] in _TRAILING or extra.get(address[end - 1], 0) > 0):
        extra[address[end - 1]] = extra.get(address[end - 1], 0) - 1
        end -= 1
    return address[:end]


def _is_valid(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
