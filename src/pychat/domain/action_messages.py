"""Action messages: `/me waves`."""

from __future__ import annotations

__all__ = ["action"]

_ME = "/me "


def action(text: str) -> str:
    """Return the action in a text, for example `waves`; empty if the text is no action message."""
    return text[len(_ME) :].lstrip() if text.startswith(_ME) and "\n" not in text else ""
