"""The screen as a whole: connects the widgets with the client."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from pychat.client import ChatClient, Client, Disconnected, State
from pychat.client.address import Address
from pychat.domain.errors import ChatError, Refused
from pychat.terminal.escaping import safe_line
from pychat.terminal.join.actions import Actions
from pychat.terminal.join.bar import Bar
from pychat.terminal.join.composer import Composer
from pychat.terminal.join.history_loader import HistoryLoader
from pychat.terminal.join.incoming import Incoming
from pychat.terminal.join.log import Log
from pychat.terminal.join.messages import Messages
from pychat.terminal.join.naming import Naming
from pychat.terminal.join.people import People
from pychat.terminal.join.rooms import Rooms
from pychat.terminal.join.status_text import connection_text, mode_text, title_text, unread_text
from pychat.terminal.join.styles import DIM
from pychat.terminal.join.typists import Typists
from pychat.terminal.token_store import TokenStore

__all__ = ["ChatApp"]

_WIDE = 90  # columns; from this width on, people are listed beside the messages


class ChatApp(App[None]):
    """A room on the full screen. Set `chat` to an entered client, then run it."""

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

    def __init__(
        self,
        tokens: TokenStore,
        address: Address,
        name: str | None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        # With an explicit value, Textual would show its own colours although NO_COLOR is set.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.theme = "tokyo-night"
        #: The text of the server's reason, if it ended the connection.
        self.ended: str | None = None
        self._tokens = tokens
        self._address = address
        self._wanted = name
        self._token = token
        self._headers = headers
        self._room_log = Log()
        self._typists = Typists()
        self._retry_at = 0.0
        self._people_shown: bool | None = None
        self._redraw_scheduled = False

    def compose(self) -> ComposeResult:
        """Make the widgets, from top to bottom."""
        yield Bar(id="top")
        with Horizontal():
            yield Messages(self._room_log)
            yield People()
        with Vertical(id="foot"):
            yield Bar(id="status")
            yield Static(id="mode", markup=False)
            yield Composer(self._names)

    async def on_mount(self) -> None:
        """Start to listen; ask for a name if there is none."""
        chat, log = self.chat, self._room_log
        self._messages = self.query_one(Messages)
        self._composer = self.query_one(Composer)
        self._older = HistoryLoader(chat, log)
        self._rooms = Rooms(self._connect_elsewhere, chat.entered.room, self._schedule_redraw)
        self._incoming = Incoming(
            chat, log, self._typists, self._older, at_bottom=lambda: self._messages.at_bottom, bell=self.bell
        )
        self._input = Actions(
            *(chat, log, self._messages, self._composer),
            attempt=self._attempt,
            rooms=self._rooms.listed,
            join=self._join,
            leave=self.exit,
        )
        self._composer.focus()
        self._fit(self.size.width)
        self._messages.me = chat.me
        self.set_interval(0.5, self._tick)
        self.run_worker(self._listen(), exit_on_error=True)
        await self._join_first(self._wanted)
        self.run_worker(self._rooms.watch(), exit_on_error=False)
        self._show()

    def turn(self, state: State) -> None:
        """Show a change of the connection. Any task may call it, also before the screen is ready."""
        self._retry_at = time.monotonic() + state.retry_in if state.retry_in else 0.0
        if self.is_running:
            self.call_later(self._show)

    def _connect_elsewhere(self) -> ChatClient:
        """The connection that hears of the person's other rooms."""
        return ChatClient(self._address.mount, token=self._token, headers=self._headers, resume=self.chat.resume)

    async def _join_first(self, wanted: str | None) -> None:
        me = self.chat.me
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
                    self._tell(str(error), error=True)  # the name of the login stays

    async def _join(self, name: str) -> None:
        where = self._address.mount, self._address.room or ""
        member = await self.chat.join(name, resume=self._tokens.find(*where, name))
        if self.chat.resume is not None:
            self._tokens.keep(*where, member.name, self.chat.resume)
        self._messages.me = member
        self._schedule_redraw()

    def _ask(self, name: str = "", wrong: str = "") -> None:
        title = self.chat.entered.title
        self.push_screen(Naming(title, self._join, name, wrong), lambda joined: None if joined else self.exit())

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self.chat:
                    self._incoming.apply(event)
                    self._schedule_redraw()
                return
            except Refused as refused:  # the name is no longer available
                self._ask(wrong=str(refused))
            except Disconnected as error:
                self.ended = error.text
                self._tell(f"{error.text} /quit leaves.", error=True)
                return

    def _attempt(self, work: Awaitable[object]) -> None:
        """Run `work` in the background, and show errors in the log."""

        async def run() -> None:
            try:
                await work
            except ChatError as error:
                self._tell(str(error), error=True)
            self._schedule_redraw()

        self.run_worker(run())

    # Messages of the widgets

    def on_composer_sent(self, sent: Composer.Sent) -> None:
        """Send the text, or run the command."""
        self._room_log.unmark()
        self._incoming.unread = 0
        try:
            self._input.send(sent.text)
        except Refused as refused:
            self._composer.put(sent.text)
            self._tell(refused.text, error=True)
        if self._input.mode is None:
            self._messages.unselect()
        self._schedule_redraw(bottom=self._input.mode is None)

    def on_composer_writing(self, writing: Composer.Writing) -> None:
        """Show the others that the person is typing."""
        if not self._composer.text.startswith("/"):
            self.run_worker(self.chat.typing(not writing.empty))

    def on_composer_cancelled(self) -> None:
        """Cancel an answer, an edit or a selection."""
        self._input.cancel()
        self._messages.unselect()
        self._room_log.unmark()
        self._schedule_redraw()

    def on_messages_top(self) -> None:
        """Load older messages."""
        if self._older.begin():
            self._attempt(self._older.load())

    def on_messages_bottom(self) -> None:
        """All messages were read."""
        if self._incoming.focused:
            self._incoming.unread = 0
        self.call_later(self._show)

    def on_resize(self, event: events.Resize) -> None:
        """List people if the screen is wide enough."""
        self._fit(event.size.width)
        self.call_later(self._show)

    def on_app_blur(self) -> None:
        """The terminal lost the focus: messages count as new from now on."""
        self._incoming.focused = False
        self._room_log.unmark()
        self._schedule_redraw()

    def on_app_focus(self) -> None:
        """The terminal has the focus again."""
        self._incoming.focused = True
        if self._messages.at_bottom:
            self._incoming.unread = 0

    # Drawing

    def _names(self) -> Sequence[str]:
        """Return names for completion: the last speakers first."""
        me = self.chat.me
        speakers = [message.author.name for message in reversed(self._room_log.messages[-200:])]
        present = [member.name for member in self.chat.members]
        known = [name for name in dict.fromkeys([*speakers, *present]) if me is None or name != me.name]
        return [safe_line(name) for name in known]

    def _tell(self, text: str, *, error: bool = False) -> None:
        self._room_log.tell(text, "error" if error else "notice")
        self._schedule_redraw()

    def _schedule_redraw(self, *, bottom: bool = False) -> None:
        """Redraw once after all events that have arrived; first scroll to the `bottom`, if asked."""
        if bottom:
            self.call_later(self._messages.redraw, bottom=True)
        if not self._redraw_scheduled:
            self._redraw_scheduled = True
            self.call_later(self._redraw)

    def _redraw(self) -> None:
        self._redraw_scheduled = False
        if self.is_running:
            self._messages.redraw()
            self._show()

    def _show(self) -> None:
        """Update everything but the log. No-op if the app has ended: its widgets are gone."""
        if not self.is_running:
            return
        chat, now = self.chat, time.monotonic()
        top = self.query_one("#top", Bar)
        top.left = title_text(chat.entered.title, chat.me)
        top.right = connection_text(chat.state, chat.here, self._retry_at - now)
        self.query_one(People).show(chat.members, chat.here, chat.me, listed=bool(chat.members) or chat.here < 250)
        status = self.query_one("#status", Bar)
        status.left = Text(safe_line(self._typists.words(now)), DIM)
        status.right = unread_text(self._incoming.unread, self._rooms.unread, at_bottom=self._messages.at_bottom)
        mode = self.query_one("#mode", Static)
        mode.display = self._input.mode is not None
        if self._input.mode is not None:
            mode.update(mode_text(self._input.mode, self.size.width))

    def _tick(self) -> None:
        if self._typists or self.chat.state.name != "live":
            self._show()

    def _fit(self, width: int) -> None:
        shown = width >= _WIDE if self._people_shown is None else self._people_shown
        self.query_one(People).display = shown

    # Keys

    def action_page(self, step: int) -> None:
        """Scroll by a page."""
        height = max(1, self._messages.size.height - 2)
        self._messages.scroll_relative(y=step * height, animate=False)
        if step < 0 and self._messages.scroll_offset.y <= 0:
            self.on_messages_top()
        self.call_later(self._show)

    def action_top(self) -> None:
        """Scroll to the oldest loaded message."""
        self._messages.scroll_home(animate=False)
        self.on_messages_top()

    def action_bottom(self) -> None:
        """Scroll to the newest message."""
        self._messages.scroll_end(animate=False, x_axis=False)
        self.call_later(self._show)

    def action_select(self, step: int) -> None:
        """Select an older or newer message."""
        self._messages.select(step)

    def action_people(self) -> None:
        """Show or hide the list of people."""
        self._people_shown = not self.query_one(People).display
        self._fit(self.size.width)

    def action_stop(self) -> None:
        """Clear the input, or leave if it is empty."""
        if self._composer.text:
            self._composer.text = ""
        else:
            self.exit()

    def action_leave(self) -> None:
        """Leave."""
        self.exit()
