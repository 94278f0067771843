"""Encodes events of a room as lines of IRC, once for all clients with the same capabilities.

Messages and their revisions are the same bytes for everyone. Presence is sent to each client by its membership.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from pychat.domain.model import Deleted, Edited, Kicked, LogEvent, Message, Reacted, Typing, Whisper, iso
from pychat.domain.notices import (
    AccessChanged,
    HeldDecided,
    Notice,
    Presence,
    PutOut,
    QueueChanged,
    RoomChanged,
    Welcome,
)
from pychat.room.connection import Encoder
from pychat.transports.irc.channel import Channel, ModeratorActed
from pychat.transports.irc.line import LINE_BYTES, Line
from pychat.transports.irc.nicks import nick_like, source
from pychat.transports.irc.text import clean, is_action, split, to_irc

__all__ = ["ENCODING_CAPS", "Frame", "LineEncoder"]

#: The capabilities that change the lines of an event.
ENCODING_CAPS = frozenset({"batch", "draft/message-redaction", "draft/multiline", "message-tags", "server-time"})


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame for a membership: an event of the log as `data`, or what the membership formats."""

    notice: Notice | ModeratorActed
    data: bytes = b""

    @property
    def seq(self) -> int:
        """The number of the log's event; 0 for other notices."""
        return self.notice.seq if isinstance(self.notice, LogEvent) else 0


class LineEncoder(Encoder):
    """The lines of one channel, for clients with the capabilities `caps`."""

    def __init__(self, channel: Channel, caps: frozenset[str]) -> None:
        self.channel = channel
        self.caps = caps & ENCODING_CAPS
        self._multiline = {"batch", "draft/multiline"} <= caps

    def encode(self, notice: Notice) -> Frame:
        """A frame for `notice`; with lines, if the notice is an event of the log."""
        match notice:
            case AccessChanged() | Kicked() | Presence() | Typing() | Welcome() | Whisper():
                return Frame(notice)
            case HeldDecided() | PutOut() | QueueChanged() | RoomChanged():
                return Frame(notice)
            case Message():
                self.channel.remember(notice)
                lines = [] if notice.deleted else self.message(notice)
            case Edited():
                lines = self._edited(notice)
            case Deleted():
                lines = self._deleted(notice)
            case Reacted():
                lines = self._reacted(notice)
            case _:
                assert_never(notice)
        return Frame(notice, b"".join(line.encode() for line in lines))

    def message(self, said: Message, *, batch: str | None = None) -> list[Line]:
        """The lines of a message, in `batch` if given."""
        nick, target = self.channel.nick(said.author), self.channel.target(said.author)
        text = said.text
        if said.reply is not None:
            # Clients that do not know the tag see the name of the author whom the reply answers.
            answered = nick_like(said.reply.author)
            text = text if said.text.lower().startswith(answered.lower()) else f"{answered}: {text}"
        first = self.tags(said)
        if said.reply is not None and "message-tags" in self.caps:
            first["+draft/reply"] = self.channel.msgid(said.reply.seq)
        if (
            self._multiline
            and not is_action(text)
            and ("\n" in text or len(text.encode()) > _space(nick, "PRIVMSG", target))
        ):
            return self._in_one(nick, target, text, first, batch, f"m{said.seq}")
        return self._lines(nick, "PRIVMSG", target, text, first, batch)

    def whisper(self, whisper: Whisper, nick: str) -> list[Line]:
        """The lines of a whisper to the client with that nick."""
        by = self.channel.nick(whisper.author)
        time = {"time": iso(whisper.date)} if "server-time" in self.caps else {}
        space = LINE_BYTES - len(f":{source(by)} NOTICE {nick} :\r\n".encode())
        return [Line("NOTICE", (nick, part), source(by), time) for part in to_irc(whisper.text, space)]

    def tags(self, event: LogEvent) -> dict[str, str]:
        """The tags for the id and the time of an event."""
        tags = {}
        if "server-time" in self.caps:
            tags["time"] = iso(event.date)
        if "message-tags" in self.caps:
            tags["msgid"] = self.channel.msgid(event.seq)
        return tags

    def _edited(self, event: Edited) -> list[Line]:
        self.channel.revise(event.target, event.text)
        return self._notice(event, event.target, f"* edited: {event.text}")

    def _deleted(self, event: Deleted) -> list[Line]:
        self.channel.revise(event.target, "")  # do not quote a deleted message
        if "draft/message-redaction" in self.caps:
            nick, msgid = self.channel.nick(event.author), self.channel.msgid(event.target)
            target = self.channel.target(event.author)
            return [Line("REDACT", (target, msgid), source(nick), self.tags(event))]
        return self._notice(event, event.target, "* deleted a message")

    def _reacted(self, event: Reacted) -> list[Line]:
        beginning = self.channel.beginning(event.target)
        said = f"* reacted {event.emoji}" if event.on else f"* took {event.emoji} back"
        lines = self._notice(event, event.target, f"{said} to “{beginning}”" if beginning and event.on else said)
        if "message-tags" in self.caps:
            about = {"+draft/react" if event.on else "+draft/unreact": event.emoji}
            lines[0] = replace(lines[0], tags={**lines[0].tags, **about})
        return lines

    def _notice(self, event: Edited | Deleted | Reacted, target: int, text: str) -> list[Line]:
        nick, tags = self.channel.nick(event.author), self.tags(event)
        if "message-tags" in self.caps:
            tags["+draft/reply"] = self.channel.msgid(target)
        return self._lines(nick, "NOTICE", self.channel.target(event.author), text, tags)

    def _lines(
        self, nick: str, command: str, target: str, text: str, first: dict[str, str], batch: str | None = None
    ) -> list[Line]:
        """The lines for `text`; only the first has the id of the message."""
        rest = {name: value for name, value in first.items() if name == "time"}
        inside = {} if batch is None else {"batch": batch}
        return [
            Line(command, (target, part), source(nick), {**(rest if number else first), **inside})
            for number, part in enumerate(to_irc(text, _space(nick, command, target)))
        ]

    def _in_one(
        self, nick: str, target: str, text: str, first: dict[str, str], batch: str | None, name: str
    ) -> list[Line]:
        """A message of several lines as one batch, as in IRCv3's `draft/multiline`."""
        outside = {} if batch is None else {"batch": batch}
        opening = (f"+{name}", "draft/multiline", target)
        lines = [Line("BATCH", opening, source(nick), {**first, **outside})]
        max_bytes = _space(nick, "PRIVMSG", target)
        for paragraph in clean(text).split("\n"):
            for number, part in enumerate(split(paragraph, max_bytes)):
                tags = {"batch": name, **({"draft/multiline-concat": ""} if number else {})}
                lines.append(Line("PRIVMSG", (target, part), source(nick), tags))
        return [*lines, Line("BATCH", (f"-{name}",))]


def _space(nick: str, command: str, target: str) -> int:
    """The bytes in a line that are left for the text."""
    return LINE_BYTES - len(f":{source(nick)} {command} {target} :\r\n".encode())
