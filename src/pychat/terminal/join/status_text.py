"""The texts of the title bar and the status bar. Pure."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from pychat.client import State
from pychat.domain.model import Member
from pychat.terminal.escaping import safe_line
from pychat.terminal.join.actions import Mode
from pychat.terminal.join.people import people_words
from pychat.terminal.join.styles import DIM, ERROR, FAINT, WARN

__all__ = ["connection_text", "mode_text", "title_text", "unread_text"]


def title_text(title: str, me: Member | None) -> Text:
    """Return the title of the room and the own name."""
    text = Text(safe_line(title), Style(bold=True))
    if me is not None:
        text.append(f"  {safe_line(me.name)}", DIM)
    return text


def connection_text(state: State, here: int, retry_seconds: float) -> Text:
    """Return the number of people, or the state of a lost connection."""
    if state.name == "live":
        return Text(people_words(here), DIM)
    if state.name == "closed":
        return Text("disconnected", ERROR)
    left = max(0, round(retry_seconds))
    return Text(f"● connecting again{f' in {left} s' if left else ' …'}", WARN)


def unread_text(unread: int, elsewhere: int, *, at_bottom: bool) -> Text:
    """Return the number of new messages below the screen, or else in other rooms."""
    if at_bottom:
        return Text(f"{elsewhere} unread in /rooms", WARN) if elsewhere else Text()
    return Text(f"↓ {unread} new" if unread else "↓ Ctrl+End", WARN if unread else FAINT)


def mode_text(mode: Mode, width: int) -> Text:
    """Return which message is being answered or edited."""
    quote = safe_line(" ".join(mode.message.text.split()))
    verb = "Editing" if mode.kind == "edit" else f"Answering {safe_line(mode.message.author.name)}"
    line = Text(f"{verb}: {quote}", WARN)
    line.truncate(max(10, width - 20), overflow="ellipsis")
    return Text.assemble(line, Text("  Esc cancels", FAINT))
