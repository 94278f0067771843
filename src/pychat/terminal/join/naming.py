"""The dialog that asks for a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from pychat.domain.errors import ChatError
from pychat.terminal.escaping import safe

__all__ = ["Naming"]


class Naming(ModalScreen[bool]):
    """Asks until `take` accepts a name (true) or the person leaves (false)."""

    DEFAULT_CSS = """
    Naming { align: center middle; background: $background 40%; }
    Naming Vertical {
        width: 46; max-width: 100%; height: auto; padding: 1 2; background: $surface; border: round #565f89;
    }
    Naming Input { margin: 1 0; padding: 0 1; background: $background; }
    Naming .wrong { color: $error; height: auto; margin-bottom: 1; }
    Naming .how { color: $text-muted; height: auto; }
    """
    BINDINGS: ClassVar = [("escape", "go", "Leave"), ("ctrl+c", "go", "Leave"), ("ctrl+q", "go", "Leave")]

    def __init__(self, title: str, take: Callable[[str], Awaitable[None]], name: str = "", wrong: str = "") -> None:
        super().__init__()
        self._title = title
        self._take = take
        self._name_before = name
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """Make a question, an input and a line for the error."""
        with Vertical():
            yield Static(f"Who are you in “{safe(self._title)}”?", markup=False)
            yield Input(self._name_before, placeholder="Your name", select_on_focus=False, compact=True)
            yield Static(self._wrong, classes="wrong", markup=False)
            yield Static("Enter joins · Esc leaves", classes="how", markup=False)

    def on_mount(self) -> None:
        """Hide the line for the error if there is none."""
        self._tell(self._wrong)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try to take the name."""
        name = event.value.strip()
        if not name:
            self._tell("Type a name first.")
            return
        try:
            await self._take(name)
        except ChatError as error:
            self._tell(str(error))
        else:
            self.dismiss(True)

    def action_go(self) -> None:
        """Leave."""
        self.dismiss(False)

    def _tell(self, wrong: str) -> None:
        told = self.query_one(".wrong", Static)
        told.update(safe(wrong))
        told.display = bool(wrong)
