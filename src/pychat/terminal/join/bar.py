"""A line with a text at the left and a text at the right."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

__all__ = ["Bar"]


class Bar(Widget):
    """If there is not enough space, the left text is cut."""

    DEFAULT_CSS = "Bar { height: 1; padding: 0 2; }"
    left: reactive[Text] = reactive(Text)
    right: reactive[Text] = reactive(Text)

    def render(self) -> Text:
        """Draw the line."""
        width = self.content_size.width
        right = self.right.copy()
        right.truncate(width, overflow="ellipsis")
        left = self.left.copy()
        left.truncate(max(0, width - right.cell_len - (1 if right else 0)), overflow="ellipsis")
        return Text.assemble(left, " " * max(0, width - left.cell_len - right.cell_len), right, no_wrap=True)
