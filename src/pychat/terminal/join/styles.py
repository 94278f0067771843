"""The text styles of the screen."""

from __future__ import annotations

from rich.style import Style

__all__ = ["DIM", "ERROR", "FAINT", "WARN"]

DIM = Style(color="#9aa5ce")
FAINT = Style(color="#737aa2")
WARN = Style(color="#e0af68")
ERROR = Style(color="#f7768e")
