"""One line with something at its left, and something at its right."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

__all__ = ["Bar"]


class Bar(Widget):
    """The left side gives way where there is not room for both."""

    DEFAULT_CSS = "Bar { height: 1; padding: 0 2; }"
    left: reactive[Text] = reactive(Text)
    right: reactive[Text] = reactive(Text)

    def render(self) -> Text:
        """The line."""
        width = self.content_size.width
        right = self.right.copy()
        right.truncate(width, overflow="ellipsis")
        left = self.left.copy()
        left.truncate(max(0, width - right.cell_len - (1 if right else 0)), overflow="ellipsis")
        return Text.assemble(left, " " * max(0, width - left.cell_len - right.cell_len), right, no_wrap=True)
