"""Parses slash commands such as `/react +1`. Pure."""

from __future__ import annotations

from typing import NamedTuple

from pychat.domain.errors import Refused

__all__ = ["COMMANDS", "HELP", "Typed", "read"]

#: Each command: its argument, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "help": ("", "Show this help."),
    "nick": ("NAME", "Take another name."),
    "me": ("TEXT", "Describe what you do: /me waves."),
    "who": ("", "List the people here."),
    "rooms": ("", "List your rooms, with what you have not read there."),
    "search": ("WORDS", "Find messages with all of these words."),
    "reply": ("[TEXT]", "Answer the selected message, or the last one of another person."),
    "edit": ("[TEXT]", "Change the selected message, or your last one."),
    "delete": ("", "Delete the selected message, or your last one."),
    "react": ("EMOJI", "Add 👍 (or +1) to the selected or last message, or remove it."),
    "quit": ("", "Leave."),
}
_KEYS = (
    ("Enter", "Send. Alt+Enter begins a new line."),
    ("Tab", "Complete a name or a command."),
    ("↑ ↓", "Bring back texts that you sent before."),
    ("Alt+↑ Alt+↓", "Select a message, for /reply, /edit, /delete, /react."),
    ("PgUp PgDn", "Scroll. Older messages load at the top."),
    ("Ctrl+End", "Go to the newest message."),
    ("F2", "Show or hide the list of people."),
    ("Esc", "Cancel a reply, an edit or a selection."),
    ("Ctrl+C", "Clear the line; leave if it is empty."),
    ("//TEXT", "Send a text that begins with a slash."),
)
_NAMES = {"+1": "👍", "-1": "👎", "heart": "❤️", "joy": "😂", "tada": "🎉", "eyes": "👀", "wave": "👋", "ok": "👌"}


def _help() -> str:
    rows = [(f"/{name} {takes}".strip(), does) for name, (takes, does) in COMMANDS.items()] + list(_KEYS)
    return "\n".join("\t".join(row) for row in rows)


#: Lines of two columns, with a tab between.
HELP = _help()


class Typed(NamedTuple):
    """A command and its argument; without a `name` it is a message."""

    name: str
    rest: str


def read(line: str) -> Typed:
    """Parse a line. Raise `Refused` for an unknown command, or a missing or unexpected argument."""
    if not line.startswith("/") or line.startswith("//"):
        return Typed("", line[1:] if line.startswith("//") else line)
    name, _, rest = line[1:].partition(" ")
    name, rest = name.strip().lower(), rest.strip()
    found = [each for each in COMMANDS if each == name] or [each for each in COMMANDS if name and each.startswith(name)]
    if len(found) != 1:
        told = f"There is no command /{name}. /help shows all; // begins a message with a slash."
        raise Refused("unknown_command", told)
    takes = COMMANDS[found[0]][0]
    if rest and not takes:
        raise Refused("bad_request", f"/{found[0]} takes no argument.")
    if not rest and takes and not takes.startswith("["):
        raise Refused("bad_request", f"/{found[0]} needs an argument: /{found[0]} {takes}")
    if found[0] == "react":
        rest = _NAMES.get(rest.strip(":").lower(), rest)
    return Typed(found[0], rest)
