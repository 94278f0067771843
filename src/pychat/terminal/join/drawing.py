"""Draws entries of the log as lines of styled text. Pure; independent of widgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from pychat.domain.model import Member, Message
from pychat.domain.texts import action
from pychat.terminal.escaping import safe, safe_line
from pychat.terminal.join.colours import colour
from pychat.terminal.join.log import Entry
from pychat.terminal.join.styles import DIM, ERROR, FAINT, WARN

__all__ = ["CONSOLE", "Around", "day", "draw"]

_NEW = WARN + Style(bold=True)
_LINK = Style(underline=True)
_LINKS = r"https?://[^\s<>\"']+"
_GROUP_SECONDS = 300
#: Only for line breaks; writes nothing.
CONSOLE = Console(width=80, color_system=None, legacy_windows=False)


@dataclass(frozen=True, slots=True)
class Around:
    """The context in which an entry is drawn."""

    width: int
    me: Member | None
    new_day: bool
    head: bool

    @classmethod
    def of(cls, entry: Entry, before: Entry | None, width: int, me: Member | None) -> Around:
        """Return the context after the entry `before`: whether a new day begins, and whether to show the author."""
        message, last = entry.message, None if before is None else before.message
        if message is None:
            return cls(width, me, new_day=False, head=False)
        new_day = last is None or day(last.date) != day(message.date)
        head = (
            new_day
            or last is None
            or last.author.id != message.author.id
            or last.author.name != message.author.name
            or message.date - last.date > _GROUP_SECONDS
            or message.reply is not None
        )
        return cls(width, me, new_day=new_day, head=head)


def day(date: float) -> str:
    """Return the day in local time, for people."""
    when = datetime.fromtimestamp(date).astimezone()
    return f"{when:%A} {when.day} {when:%B %Y}"


def draw(entry: Entry, around: Around) -> list[Text]:
    """Return the lines of an entry."""
    return list(_lines(entry, around))


def _lines(entry: Entry, around: Around) -> Iterator[Text]:
    width = around.width
    match entry.kind:
        case "mark":
            yield _rule("new", width, _NEW)
        case "notice":
            yield from _marked(Text("· ", FAINT), Text(safe(entry.text), FAINT), width)
        case "error":
            yield from _marked(Text("! ", ERROR), Text(safe(entry.text), ERROR), width)
        case "help":
            yield Text("")
            yield from _columns(entry.text, width)
            yield Text("")
        case _:
            if entry.message is not None:
                yield from _message(entry, entry.message, around)


def _message(entry: Entry, message: Message, around: Around) -> Iterator[Text]:
    width, me = around.width, around.me
    own = me is not None and message.author.id == me.id
    if around.new_day:
        yield Text("")
        yield _rule(day(message.date), width, FAINT)
    if around.head:
        yield Text("")
        yield _head(message, width, own=own)
    if message.reply is not None:
        quote = safe_line(f"{message.reply.author}: {' '.join(message.reply.text.split())}")
        yield _cut(Text(f"  ╭ {quote}", DIM), width)
    called = me is not None and not own and me.name.casefold() in message.text.casefold()
    gutter = Text("▌ ", _NEW) if called else Text("  ")
    yield from _wrapped(_said(entry, message), width, gutter)
    if message.reactions:
        yield from _wrapped(_reactions(message, me), width, Text("  "))


def _head(message: Message, width: int, *, own: bool) -> Text:
    when = datetime.fromtimestamp(message.date).astimezone()
    name = safe_line(message.author.name)
    told = Text("  ")
    told.append(_shortened(name, width - 10), Style(color=colour(message.author.id), bold=True))
    if own:
        told.append(" you", FAINT)
    told.append(f"  {when:%H:%M}", FAINT)
    return _cut(told, width)


def _said(entry: Entry, message: Message) -> Text:
    if message.deleted:
        return Text("deleted", Style(color="#737aa2", italic=True))
    style = DIM if entry.kind == "pending" else Style()
    does = action(message.text)
    if does is None:
        said = Text(safe(message.text), style)
    else:
        name = safe_line(message.author.name), Style(color=colour(message.author.id), bold=True)
        said = Text.assemble("* ", name, f" {safe(does)}", style=style + Style(italic=True))
    said.highlight_regex(_LINKS, _LINK)
    if message.edited is not None:
        said.append(" (edited)", FAINT)
    if entry.kind == "pending":
        said.append(" …", FAINT)
    if entry.kind == "failed":
        said.append(f"\nNot sent: {safe_line(entry.text)}", ERROR)
    return said


def _reactions(message: Message, me: Member | None) -> Text:
    told = Text()
    for emoji, ids in message.reactions:
        if told:
            told.append("  ")
        mine = me is not None and me.id in ids
        # The space separates emoji that a terminal draws wider than their reported width.
        told.append(f"{safe_line(emoji)} {len(ids)}", _NEW if mine else DIM)
    return told


def _rule(words: str, width: int, style: Style) -> Text:
    told = f"─── {words} "
    return Text((told + "─" * max(0, width - cell_len(told)))[:width], style, no_wrap=True)


def _marked(mark: Text, text: Text, width: int) -> Iterator[Text]:
    """Put the mark before the first line."""
    for number, line in enumerate(_wrapped(text, width - mark.cell_len, Text())):
        yield Text.assemble(mark if number == 0 else " " * mark.cell_len, line)


def _columns(text: str, width: int) -> Iterator[Text]:
    """Yield lines; a tab separates two columns. If there is not enough width, the second column goes below."""
    rows = [line.split("\t", 1) for line in text.split("\n")]
    left = max((cell_len(row[0]) for row in rows if len(row) > 1), default=0) + 4
    for first, *more in rows:
        if not more:
            yield from _wrapped(Text(safe_line(first), DIM), width, Text("  "))
            continue
        name, does = Text(f"  {safe_line(first)}", Style(bold=True)), Text(safe_line(more[0]), DIM)
        if width < left + 30:
            yield name
            yield from _wrapped(does, width, Text("    "))
            continue
        for number, line in enumerate(_wrapped(does, width - left, Text())):
            yield Text.assemble(name if number == 0 else "", " " * (left - (name.cell_len if number == 0 else 0)), line)


def _wrapped(text: Text, width: int, gutter: Text) -> Iterator[Text]:
    room = max(4, width - gutter.cell_len)
    for line in text.wrap(CONSOLE, room, tab_size=4):
        line.rstrip()
        yield Text.assemble(gutter, line)


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    return text


def _shortened(name: str, max_width: int) -> str:
    max_width = max(4, max_width)
    return name if cell_len(name) <= max_width else f"{set_cell_size(name, max_width - 1).rstrip()}…"
