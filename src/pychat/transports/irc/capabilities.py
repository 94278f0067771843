"""The IRCv3 capabilities of this server, and their negotiation."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CAPABILITIES", "MULTILINE_BYTES", "MULTILINE_LINES", "listing", "requested"]

#: The longest message of several lines, in bytes and in lines. The room has a limit of its own.
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
    """All capabilities in one line, with their `values` if the client knows these."""
    return " ".join(f"{name}={value}" if value and values else name for name, value in CAPABILITIES.items())


def requested(had: frozenset[str], words: Iterable[str]) -> frozenset[str] | None:
    """The capabilities of a client after a request; `None` if this server lacks one of those requested."""
    asked = list(words)
    on = {word for word in asked if not word.startswith("-")}
    off = {word[1:] for word in asked if word.startswith("-")}
    return (had | on) - off if (on | off) <= CAPABILITIES.keys() else None
