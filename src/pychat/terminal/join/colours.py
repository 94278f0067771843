"""The colours of names: a member always has the same one. Pure."""

from __future__ import annotations

from zlib import crc32

__all__ = ["colour"]

#: Light colours for a dark background, each with a different hue.
_COLOURS = (
    "#7aa2f7",
    "#9ece6a",
    "#e0af68",
    "#f7768e",
    "#bb9af7",
    "#7dcfff",
    "#ff9e64",
    "#73daca",
    "#c0a36e",
    "#e58fb1",
)


def colour(member_id: str) -> str:
    """Return the colour of a member, by id, because the name may change."""
    return _COLOURS[crc32(member_id.encode()) % len(_COLOURS)]
