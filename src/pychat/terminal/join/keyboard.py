"""Teaches Textual what most terminals send for Alt+Enter: ESC CR, which it would take for two keys."""

from __future__ import annotations

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys

__all__ = ["teach"]


def teach() -> None:
    """Alt+Enter is Ctrl+J from now on: both begin a new line."""
    if not isinstance(ANSI_SEQUENCES_KEYS, dict):  # it is Textual's own, and may become something else
        return
    for sequence in ("\x1b\r", "\x1b\n"):
        ANSI_SEQUENCES_KEYS.setdefault(sequence, (Keys.ControlJ,))
