"""The log on the screen: scrolls with keys and wheel; one message can be selected."""

from __future__ import annotations

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message as WidgetMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pychat.domain.model import Member, Message
from pychat.terminal.join.drawing import CONSOLE, Around, draw
from pychat.terminal.join.log import Entry, Log

__all__ = ["Messages"]

_SELECTED = Style(bgcolor="#2a2f4a")


class Messages(ScrollView, can_focus=False):
    """Shows a log. Call `redraw` after changing it: the visible messages stay in place."""

    DEFAULT_CSS = """
    Messages {
        height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll; padding: 0;
        scrollbar-color: #3b4261; scrollbar-color-hover: #565f89; scrollbar-color-active: #565f89;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    class Top(WidgetMessage):
        """The reader has scrolled to the oldest line."""

    class Bottom(WidgetMessage):
        """The reader has scrolled to the newest line."""

    def __init__(self, story: Log) -> None:
        super().__init__()
        self._story = story
        self.me: Member | None = None
        #: The number of the selected message; 0 if none.
        self.selected = 0
        self._following = True  # keep the newest line visible when the size changes
        self._lines: list[tuple[Entry, Strip]] = []
        self._drawn: dict[Entry, tuple[Around, list[Strip]]] = {}

    @property
    def at_bottom(self) -> bool:
        """Whether the newest line is visible."""
        return self.scroll_offset.y >= self.max_scroll_y - 1

    @property
    def chosen(self) -> Message | None:
        """The selected message."""
        return self._story.find(self.selected) if self.selected else None

    def redraw(self, *, bottom: bool = False) -> None:
        """Draw the changes; scroll to the `bottom`, if asked or there already."""
        follow = bottom or self._following
        anchor = self._anchor()
        self._draw()
        self.virtual_size = Size(self._width, len(self._lines))
        if follow:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        elif anchor is not None:
            self.scroll_to(y=self._find(*anchor), animate=False, immediate=True)
        self.refresh()
        if self.max_scroll_y <= 0:
            self.post_message(self.Top())

    def select(self, step: int) -> None:
        """Select the next older (-1) or newer (1) message; beyond the newest, none."""
        seqs = [message.seq for message in self._story.messages]
        if not seqs:
            return
        at = seqs.index(self.selected) if self.selected in seqs else len(seqs)
        at = max(0, at + step)
        self.selected = seqs[at] if at < len(seqs) else 0
        self._show_selected()

    def unselect(self) -> None:
        """Clear the selection."""
        self.selected = 0
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen. A log shorter than the screen is at its bottom."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y - max(0, self.scrollable_content_region.height - len(self._lines))
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, self.rich_style)
        entry, strip = self._lines[index]
        style = self.rich_style
        if self.selected and entry.seq == self.selected and strip.cell_length:
            style += _SELECTED
        return strip.crop_extend(0, width, style).apply_style(style)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Post `Top` and `Bottom`."""
        super().watch_scroll_y(old_value, new_value)
        self._following = self.at_bottom
        if new_value <= 0 and old_value > 0:
            self.post_message(self.Top())
        elif self.at_bottom:
            self.post_message(self.Bottom())

    def on_resize(self, _: events.Resize) -> None:
        """Redraw, because lines break elsewhere."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Select the message under the pointer, or none."""
        index = self.scroll_offset.y + event.y - max(0, self.scrollable_content_region.height - len(self._lines))
        seq = self._lines[index][0].seq if 0 <= index < len(self._lines) else 0
        self.selected = 0 if seq == self.selected else seq
        self.refresh()

    @property
    def _width(self) -> int:
        return max(10, self.scrollable_content_region.width)

    def _draw(self) -> None:
        before: Entry | None = None
        drawn: dict[Entry, tuple[Around, list[Strip]]] = {}
        self._lines = []
        for entry in self._story.entries:
            around = Around.of(entry, before, self._width - 1, self.me)
            kept = self._drawn.get(entry)
            if kept is None or kept[0] != around:
                kept = around, [Strip(line.render(CONSOLE, end="")) for line in draw(entry, around)]
            drawn[entry] = kept
            self._lines += [(entry, strip) for strip in kept[1]]
            if entry.message is not None or entry.kind != "mark":
                before = entry
        self._drawn = drawn

    def _anchor(self) -> tuple[Entry, int] | None:
        top = self.scroll_offset.y
        # Notices may disappear; messages stay.
        for index in range(top, len(self._lines)):
            entry = self._lines[index][0]
            if entry.message is not None:
                first = next(i for i, (each, _) in enumerate(self._lines) if each is entry)
                # The lines above the text (a day, a name) may disappear; so measure from the end of the entry.
                height = sum(1 for each, _ in self._lines if each is entry)
                return entry, top - first - height
        return None

    def _find(self, entry: Entry, before_end: int) -> int:
        found = [
            index
            for index, (each, _) in enumerate(self._lines)
            if each is entry or (entry.seq and each.seq == entry.seq)
        ]
        return max(0, found[-1] + 1 + before_end) if found else self.scroll_offset.y

    def _show_selected(self) -> None:
        found = [index for index, (entry, _) in enumerate(self._lines) if entry.seq == self.selected and self.selected]
        self.refresh()
        if not found:
            self.scroll_end(animate=False, x_axis=False)
            return
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if found[0] < top:
            self.scroll_to(y=found[0], animate=False)
        elif found[-1] >= top + height:
            self.scroll_to(y=found[-1] - height + 1, animate=False)
