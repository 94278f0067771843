"""Which of the newest messages a client gets when it joins a channel, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pychat.domain.model import Message
from pychat.transports.irc.encoder import LineEncoder
from pychat.transports.irc.line import SERVER, Line

__all__ = ["playback"]

_MAX_UNTIMED = 20  # messages for a client without `server-time`, which takes each of them for a new one
_MAX_BYTES = 256 * 1024
_LINE_BYTES = 200  # of a line beside its text, at most


def playback(messages: tuple[Message, ...], caps: frozenset[str], encoder: LineEncoder, batch: str) -> Iterator[Line]:
    """The lines for `messages`, oldest first, in a batch if the client has batches and times.

    None for a client with `draft/chathistory`, which asks for the history that it wants.
    """
    if "draft/chathistory" in caps:
        return
    if "server-time" not in caps:
        messages = tuple(map(_with_time, messages[-_MAX_UNTIMED:]))
    batched = {"batch", "server-time"} <= caps
    found: list[list[Line]] = []
    size = 0
    for message in reversed(messages):
        lines = [] if message.deleted else encoder.message(message, batch=batch if batched else None)
        found.append(lines)
        size += sum(len(line.params[-1].encode()) + _LINE_BYTES for line in lines)
        if size > _MAX_BYTES:
            break
    batched = batched and any(found)
    if batched:
        yield Line("BATCH", (f"+{batch}", "chathistory", encoder.channel.name), SERVER)
    for lines in reversed(found):
        yield from lines
    if batched:
        yield Line("BATCH", (f"-{batch}",), SERVER)


def _with_time(message: Message) -> Message:
    when = datetime.fromtimestamp(message.date, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return replace(message, text=f"[{when}] {message.text}")
