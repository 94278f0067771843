"""The colours of names: the same person has the same one, everywhere and always. Pure."""

from __future__ import annotations

from zlib import crc32

__all__ = ["colour"]

#: Light enough for a dark ground, each a different hue.
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
    """The colour of a member, by id, for the name may change."""
    return _COLOURS[crc32(member_id.encode()) % len(_COLOURS)]
