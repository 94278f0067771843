"""Lets Textual recognise Alt+Enter, which most terminals send as ESC CR; Textual reads that as two keys."""

from __future__ import annotations

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys

__all__ = ["teach"]


def teach() -> None:
    """Treat Alt+Enter as Ctrl+J: both begin a new line."""
    if not isinstance(ANSI_SEQUENCES_KEYS, dict):  # private to Textual, so its type may change
        return
    for sequence in ("\x1b\r", "\x1b\n"):
        ANSI_SEQUENCES_KEYS.setdefault(sequence, (Keys.ControlJ,))
