"""What of IRCv3 this server has, and what of it one client asked for: `CAP`, after IRCv3's capability negotiation."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CAPABILITIES", "MULTILINE_BYTES", "MULTILINE_LINES", "listing", "requested"]

#: The longest message in several lines, in bytes and in lines; a room's own limit counts besides.
MULTILINE_BYTES = 40_000
MULTILINE_LINES = 1_000

#: Every capability, with its value.
CAPABILITIES = {
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    "draft/message-redaction": "",
    "draft/multiline": f"max-bytes={MULTILINE_BYTES},max-lines={MULTILINE_LINES}",
    "echo-message": "",
    "labeled-response": "",
    "message-tags": "",
    "server-time": "",
    "standard-replies": "",
}


def listing(*, values: bool) -> str:
    """All capabilities in a line; with their values for clients that know these."""
    return " ".join(f"{name}={value}" if value and values else name for name, value in CAPABILITIES.items())


def requested(had: frozenset[str], words: Iterable[str]) -> frozenset[str] | None:
    """What a client has after a request; `None` if there is something in it that this server has not."""
    asked = list(words)
    on = {word for word in asked if not word.startswith("-")}
    off = {word[1:] for word in asked if word.startswith("-")}
    return (had | on) - off if (on | off) <= CAPABILITIES.keys() else None
