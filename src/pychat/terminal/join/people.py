"""The list of people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from pychat.domain.model import Member
from pychat.terminal.escaping import safe_line
from pychat.terminal.join.colours import colour

__all__ = ["People", "people_words"]


class People(VerticalScroll, can_focus=False):
    """Shows names, one a line."""

    DEFAULT_CSS = """
    People { width: 22; padding: 1 1 0 1; scrollbar-size-vertical: 1; border-left: solid #2a2f4a; }
    """

    def compose(self) -> ComposeResult:
        """Make the text."""
        yield Static(markup=False)

    def show(self, members: Sequence[Member], here: int, me: Member | None, *, listed: bool) -> None:
        """Show the members who are here."""
        told = Text()
        if not listed:
            told.append("Too many to list.\n/who asks.", Style(color="#737aa2"))
        for member in members:
            if told:
                told.append("\n")
            line = Text(safe_line(member.name), Style(color=colour(member.id)))
            if me is not None and member.id == me.id:
                line.append(" you", Style(color="#737aa2"))
            line.truncate(18, overflow="ellipsis")
            told.append_text(line)
        guests = here - len(members)
        if listed and guests > 0 and members:
            told.append(f"\n\n+ {guests} without a name", Style(color="#737aa2"))
        self.query_one(Static).update(told)


def people_words(here: int) -> str:
    """Return the number of people in words."""
    return "only you" if here == 1 else f"{here} here"
