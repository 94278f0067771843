"""The screen as a whole: what the room tells goes into the log, what the person types goes to the room."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from pychat.client import Client, ClientEvent, Disconnected, RoomSnapshot, State
from pychat.client.address import Address
from pychat.domain.errors import ChatError, Refused
from pychat.domain.model import Deleted, Edited, Joined, Left, Message, Quote, Reacted, Renamed, Typing
from pychat.domain.revision import revise
from pychat.terminal.escaping import safe_line
from pychat.terminal.join import slash
from pychat.terminal.join.bar import Bar
from pychat.terminal.join.composer import Composer
from pychat.terminal.join.log import Log
from pychat.terminal.join.messages import Messages
from pychat.terminal.join.naming import Naming
from pychat.terminal.join.people import People, people_words
from pychat.terminal.join.typists import Typists
from pychat.terminal.token_store import Keys

__all__ = ["ChatApp"]

_PAGE = 50
_WIDE = 90  # columns from which on people are listed beside the messages
_DIM = Style(color="#9aa5ce")
_FAINT = Style(color="#737aa2")
_WARN = Style(color="#e0af68")
_ERROR = Style(color="#f7768e")


class ChatApp(App[None]):
    """A room on the whole terminal. Give it a `chat` that is entered, then run it."""

    CSS = """
    Screen { background: $background; }
    #top { background: $surface; }
    #status { color: $text-muted; }
    #mode { height: 1; padding: 0 2; color: $text-muted; display: none; }
    #foot { height: auto; }
    """
    BINDINGS: ClassVar = [
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("ctrl+home", "top", show=False, priority=True),
        Binding("ctrl+end", "bottom", show=False, priority=True),
        Binding("alt+up", "select(-1)", show=False, priority=True),
        Binding("alt+down", "select(1)", show=False, priority=True),
        Binding("f2", "people", show=False),
        Binding("ctrl+c", "stop", show=False),
        Binding("ctrl+d", "leave", show=False),
        Binding("ctrl+q", "leave", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False
    chat: Client

    def __init__(self, keys: Keys, address: Address, name: str | None) -> None:
        # Without colours of its own, Textual leaves them out altogether where NO_COLOR asks for it.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.theme = "tokyo-night"
        #: Why the server ended it, if it did.
        self.ended: str | None = None
        self._keys = keys
        self._address = address
        self._wanted = name
        self._story = Log()
        self._typists = Typists()
        self._mode: tuple[str, Message] | None = None  # "reply" or "edit", and to or of what
        self._retry_at = 0.0
        self._focused = True
        self._new = 0
        self._asking = False
        self._meanwhile: list[Edited | Deleted | Reacted] = []
        self._people_shown: bool | None = None
        self._scheduled = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Bar(id="top")
        with Horizontal():
            yield Messages(self._story)
            yield People()
        with Vertical(id="foot"):
            yield Bar(id="status")
            yield Static(id="mode", markup=False)
            yield Composer(self._names)

    async def on_mount(self) -> None:
        """Begin to listen; ask for a name where there is none."""
        self._messages = self.query_one(Messages)
        self._composer = self.query_one(Composer)
        self._composer.focus()
        self._fit(self.size.width)
        self._messages.me = self.chat.me
        self.set_interval(0.5, self._tick)
        self.run_worker(self._follow(), exit_on_error=True)
        me, wanted = self.chat.me, self._wanted
        if wanted is None:
            if me is None:
                self._ask()
        elif me is None or me.name != wanted:
            try:
                await self._join(wanted)
            except ChatError as error:
                if me is None:
                    self._ask(wanted, str(error))
                else:
                    self._tell(str(error), error=True)  # the name that came with the login stays
        self._show()

    def turn(self, state: State) -> None:
        """How it stands with the connection has changed. Any task may call it, before the screen is there too."""
        self._retry_at = time.monotonic() + state.retry_in if state.retry_in else 0.0
        if self.is_running:
            self.call_later(self._show)

    # What the room tells

    async def _follow(self) -> None:
        while True:
            try:
                async for event in self.chat:
                    self._hear(event)
                return
            except Refused as refused:  # the name cannot be had again
                self._ask(wrong=str(refused))
            except Disconnected as error:
                self.ended = error.text
                self._tell(f"{error.text} /quit leaves.", error=True)
                return

    def _hear(self, event: ClientEvent) -> None:
        match event:
            case RoomSnapshot():
                self._story.reset(event.messages, more=event.more)
                if event.missed:
                    self._story.tell("You were away for too long: what happened before is not all here.")
            case Message():
                self._heard(event)
            case Edited() | Deleted() | Reacted():
                self._story.revise(event)
                if self._asking:
                    self._meanwhile.append(event)
            case Joined():
                self._story.tell_more(f"{event.member.name} joined")
            case Left():
                self._typists.set(event.member, on=False, now=time.monotonic())
                self._story.tell_more(f"{event.member.name} left")
            case Renamed():
                self._story.tell_more(f"{event.before} is now {event.member.name}")
            case Typing():
                self._typists.set(event.member, on=event.on, now=time.monotonic())
        self._soon()

    def _heard(self, message: Message) -> None:
        me = self.chat.me
        self._typists.set(message.author, on=False, now=time.monotonic())
        if me is None or message.author.id != me.id:
            if not self._focused or not self._messages.at_bottom:
                self._new += 1
                self._story.mark()
            if me is not None and not self._focused and me.name.casefold() in message.text.casefold():
                self.bell()
        self._story.add(message)

    # What the person types

    def on_composer_sent(self, sent: Composer.Sent) -> None:
        """Say it, or do what it asks for."""
        mode, self._mode = self._mode, None
        self._story.unmark()
        self._new = 0
        try:
            typed = slash.read(sent.text) if mode is None or mode[0] != "edit" else slash.Typed("", sent.text)
            if typed.name:
                self._mode = mode
                self._do(typed.name, typed.rest)
            elif mode is not None and mode[0] == "edit":
                self._try(self.chat.edit(mode[1], typed.rest))
            else:
                self._say(typed.rest, None if mode is None else mode[1])
        except Refused as refused:
            self._composer.put(sent.text)
            self._tell(refused.text, error=True)
        if self._mode is None:
            self._messages.unselect()
        self._soon(bottom=self._mode is None)

    def on_composer_writing(self, writing: Composer.Writing) -> None:
        """Let the others know."""
        if not self._composer.text.startswith("/"):
            self.run_worker(self.chat.typing(not writing.empty))

    def on_composer_never(self) -> None:
        """Let go of what was begun."""
        if self._mode is not None and self._mode[0] == "edit":
            self._composer.text = ""
        self._mode = None
        self._messages.unselect()
        self._story.unmark()
        self._soon()

    def _say(self, text: str, answered: Message | None) -> None:
        me = self.chat.me
        if me is None:
            raise Refused("not_joined", "Take a name first: /nick NAME")
        quote = None if answered is None else Quote(answered.seq, answered.author.name, answered.text)
        message = Message(secrets.token_urlsafe(16), me, text.rstrip(), time.time(), reply=quote)
        self._story.pend(message)
        self.run_worker(self._send(message, answered))

    async def _send(self, message: Message, answered: Message | None) -> None:
        try:
            await self.chat.say(message.text, reply_to=answered, id=message.id)
        except ChatError as error:
            self._story.fail(message.id, str(error))
            self._soon()

    def _do(self, name: str, rest: str) -> None:
        chat = self.chat
        match name:
            case "help":
                self._story.tell(slash.HELP, "help")
            case "quit":
                self.exit()
            case "nick":
                self._try(self._join(rest))
            case "me":
                self._mode = None
                self._say(f"/me {rest}", None)
            case "who":
                self._try(self._who())
            case "search":
                self._try(self._search(rest))
            case "reply":
                answered = self._target(own=False)
                if rest:
                    self._mode = None
                    self._say(rest, answered)
                else:
                    self._mode = "reply", answered
                    self._messages.selected = answered.seq
            case "edit":
                target = self._target(own=True)
                if rest:
                    self._try(chat.edit(target, rest))
                else:
                    self._mode = "edit", target
                    self._messages.selected = target.seq
                    self._composer.put(target.text)
            case "delete":
                self._try(chat.delete(self._target(own=True)))
            case "react":
                target = self._messages.chosen or self._last(own=None)
                mine = chat.me is not None and any(
                    emoji == rest and chat.me.id in ids for emoji, ids in target.reactions
                )
                self._try(chat.react(target, rest, on=not mine))

    def _target(self, *, own: bool) -> Message:
        """The selected message, or the last that is (not) ours. Raise `Refused` where there is none."""
        return self._messages.chosen or self._last(own=own)

    def _last(self, *, own: bool | None) -> Message:
        me = self.chat.me
        for message in reversed(self._story.messages):
            if not message.deleted and own in (None, me is not None and message.author.id == me.id):
                return message
        whose = "of yours" if own else "to answer" if own is False else ""
        raise Refused("not_found", f"There is no message {whose} here.".replace("  ", " "))

    def _try(self, deed: Awaitable[object]) -> None:
        """Do it; what goes wrong is told in the log."""

        async def work() -> None:
            try:
                await deed
            except ChatError as error:
                self._tell(str(error), error=True)
            self._soon()

        self.run_worker(work())

    async def _join(self, name: str) -> None:
        where = self._address.mount, self._address.room or ""
        member = await self.chat.join(name, resume=self._keys.find(*where, name))
        if self.chat.resume is not None:
            self._keys.keep(*where, member.name, self.chat.resume)
        self._messages.me = member
        self._soon()

    async def _who(self) -> None:
        names = ", ".join(member.name for member in await self.chat.who())
        self._story.tell(f"{people_words(self.chat.here)}: {names or 'nobody with a name'}")

    async def _search(self, words: str) -> None:
        found = await self.chat.history(matching=words, limit=20)
        many = f"{len(found)} message{'' if len(found) == 1 else 's'}:" if found else "no message."
        lines = [f"“{words}” is in {many}"]
        for message in found:
            when = datetime.fromtimestamp(message.date).astimezone()
            said = " ".join(message.text.split())
            lines.append(f"{when.day} {when:%b %H:%M}  {message.author.name}: {said[:200]}")
        self._story.tell("\n".join(lines), "help")

    def _ask(self, name: str = "", wrong: str = "") -> None:
        title = self.chat.entered.title
        self.push_screen(Naming(title, self._join, name, wrong), lambda joined: None if joined else self.exit())

    # Older messages

    def on_messages_top(self) -> None:
        """Fetch a page, where there is one."""
        if self._story.more and not self._asking:
            self._asking = True
            self._try(self._older())

    async def _older(self) -> None:
        try:
            first = next(iter(self._story.messages), None)
            found = await self.chat.history(first, _PAGE)
            now = [self._as_it_stands(message) for message in found]
            self._story.older(now, more=len(found) == _PAGE)
        finally:
            self._asking = False
            self._meanwhile.clear()

    def _as_it_stands(self, message: Message) -> Message:
        for event in self._meanwhile:
            message = revise(message, event)
        return message

    # What is shown

    def _names(self) -> Sequence[str]:
        """Names to complete: who spoke last comes first."""
        me = self.chat.me
        spoken = [message.author.name for message in reversed(self._story.messages[-200:])]
        present = [member.name for member in self.chat.members]
        known = [name for name in dict.fromkeys([*spoken, *present]) if me is None or name != me.name]
        return [safe_line(name) for name in known]

    def _tell(self, text: str, *, error: bool = False) -> None:
        self._story.tell(text, "error" if error else "notice")
        self._soon()

    def _soon(self, *, bottom: bool = False) -> None:
        """Show it when all that has come has been heard."""
        if bottom:
            self.call_later(self._messages.redraw, bottom=True)
        if not self._scheduled:
            self._scheduled = True
            self.call_later(self._redraw)

    def _redraw(self) -> None:
        self._scheduled = False
        self._messages.redraw()
        self._show()

    def _show(self) -> None:
        """Everything but the log."""
        chat = self.chat
        title = Text(safe_line(chat.entered.title), Style(bold=True))
        if chat.me is not None:
            title.append(f"  {safe_line(chat.me.name)}", _DIM)
        top = self.query_one("#top", Bar)
        top.left, top.right = title, self._connection()
        self.query_one(People).show(chat.members, chat.here, chat.me, listed=bool(chat.members) or chat.here < 250)
        status = self.query_one("#status", Bar)
        status.left = Text(safe_line(self._typists.words(time.monotonic())), _DIM)
        status.right = self._below()
        mode = self.query_one("#mode", Static)
        mode.display = self._mode is not None
        if self._mode is not None:
            kind, message = self._mode
            said = safe_line(" ".join(message.text.split()))
            doing = "Editing" if kind == "edit" else f"Answering {safe_line(message.author.name)}"
            line = Text(f"{doing}: {said}", _WARN)
            line.truncate(max(10, self.size.width - 20), overflow="ellipsis")
            mode.update(Text.assemble(line, Text("  Esc cancels", _FAINT)))

    def _connection(self) -> Text:
        state = self.chat.state
        if state.name == "live":
            return Text(people_words(self.chat.here), _DIM)
        if state.name == "closed":
            return Text("disconnected", _ERROR)
        left = max(0, round(self._retry_at - time.monotonic()))
        return Text(f"● connecting again{f' in {left} s' if left else ' …'}", _WARN)

    def _below(self) -> Text:
        if self._messages.at_bottom:
            return Text()
        return Text(f"↓ {self._new} new" if self._new else "↓ Ctrl+End", _WARN if self._new else _FAINT)

    def _tick(self) -> None:
        if self._typists or self.chat.state.name != "live":
            self._show()

    def _fit(self, width: int) -> None:
        shown = width >= _WIDE if self._people_shown is None else self._people_shown
        self.query_one(People).display = shown

    def on_resize(self, event: events.Resize) -> None:
        """People are listed where there is room."""
        self._fit(event.size.width)
        self.call_later(self._show)

    def on_messages_bottom(self) -> None:
        """All was read."""
        if self._focused:
            self._new = 0
        self.call_later(self._show)

    def on_app_blur(self) -> None:
        """The person looks elsewhere: what comes now is new."""
        self._focused = False
        self._story.unmark()
        self._soon()

    def on_app_focus(self) -> None:
        """And is back."""
        self._focused = True
        if self._messages.at_bottom:
            self._new = 0

    # Keys

    def action_page(self, step: int) -> None:
        """Scroll by a page."""
        height = max(1, self._messages.size.height - 2)
        self._messages.scroll_relative(y=step * height, animate=False)
        if step < 0 and self._messages.scroll_offset.y <= 0:
            self.on_messages_top()
        self.call_later(self._show)

    def action_top(self) -> None:
        """To the oldest message that is here."""
        self._messages.scroll_home(animate=False)
        self.on_messages_top()

    def action_bottom(self) -> None:
        """To the newest message."""
        self._messages.scroll_end(animate=False, x_axis=False)
        self.call_later(self._show)

    def action_select(self, step: int) -> None:
        """Select a message."""
        self._messages.select(step)

    def action_people(self) -> None:
        """Show or hide who is here."""
        self._people_shown = not self.query_one(People).display
        self._fit(self.size.width)

    def action_stop(self) -> None:
        """Empty the line; on an empty line, leave."""
        if self._composer.text:
            self._composer.text = ""
        else:
            self.exit()

    def action_leave(self) -> None:
        """Leave."""
        self.exit()
