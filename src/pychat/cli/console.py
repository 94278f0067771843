"""The log of `pychat serve` on standard output: joins, leaves, messages and errors, with control characters escaped."""

from __future__ import annotations

import json
import logging
import queue
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Self

from pychat.domain.log_limit import LogLimiter
from pychat.domain.model import Away, Event, Joined, Left, Message, Renamed
from pychat.room.chatroom import ChatRoom

__all__ = ["Console", "escape"]

_LINES_A_MINUTE = 10  # warnings and errors from one line of code
_MAX_WAITING = 10_000  # lines; a blocked terminal must not delay the room


def escape(text: str) -> str:
    """`text` in one line; characters that are not printable are escaped as in Python's strings."""
    return "".join(
        letter if letter.isprintable() and letter != "\\" else letter.encode("unicode_escape").decode()
        for letter in text
    )


class Console:
    """Logs to standard output in a separate thread, as text for people or as one JSON object a line."""

    def __init__(self, log_format: str, *, quiet: bool) -> None:
        self._quiet = quiet
        self._away: set[tuple[str, str]] = set()  # room and member id of members whose names are held
        self._log = logging.getLogger("pychat.console")
        stream = logging.StreamHandler(sys.stdout)
        stream.setFormatter(_JSON() if log_format == "json" else _Text())
        self._handler = _Bounded(queue.SimpleQueue())
        self._handler.addFilter(_RateLimit())
        self._listener = QueueListener(self._handler.queue, stream)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        root.addHandler(self._handler)
        root.setLevel(logging.WARNING)
        logging.getLogger("pychat").setLevel(logging.INFO)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()
        logging.getLogger().removeHandler(self._handler)

    def say(self, text: str, fields: Mapping[str, object]) -> None:
        """Log one line. `fields` are added in the JSON format."""
        self._log.info("%s", text, extra={"fields": fields})

    def watch(self, room: ChatRoom) -> None:
        """Log the events of `room`."""

        async def happened(event: Event) -> None:  # async, because a plain hook would run in a thread
            self._happened(room, event)

        room.backend.core.hooks.add("event", happened, messages=not self._quiet)

    def _happened(self, room: ChatRoom, event: Event) -> None:
        fields: dict[str, Any] = {"room": room.name}
        match event:
            case Message():
                text = f"{event.author.name}: {event.text}"
                fields |= {"event": "message", "name": event.author.name, "text": event.text, "seq": event.seq}
            case Joined():
                self._away.discard((room.name, event.member.id))
                text = f"{event.member.name} joined"
                fields |= {"event": "join", "name": event.member.name, "here": room.here}
            case Away():
                self._away.add((room.name, event.member.id))
                text = f"{event.member.name} left"
                fields |= {"event": "leave", "name": event.member.name, "here": room.here}
            case Left():
                if (room.name, event.member.id) in self._away:  # logged when the connection was lost
                    self._away.remove((room.name, event.member.id))
                    return
                text = f"{event.member.name} left"
                fields |= {"event": "leave", "name": event.member.name, "here": room.here}
            case Renamed() if event.before != event.member.name:  # otherwise only the roles have changed
                text = f"{event.before} is now {event.member.name}"
                fields |= {"event": "rename", "name": event.member.name, "before": event.before}
            case _:
                return
        self.say(f"[{room.name}] {text}", fields)


class _RateLimit(logging.Filter):
    """Lets few of the warnings and errors from one line of code through, and counts the others.

    It runs before the queue, so that a record that is only counted keeps no traceback, and no frames, in memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limiter = LogLimiter(time.monotonic, lines=_LINES_A_MINUTE)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        note = self._limiter.note((record.pathname, record.lineno))
        if note:
            record.msg, record.args = f"{record.getMessage()}{note}", None
        return note is not None


class _Bounded(QueueHandler):
    """Passes records to the writing thread. Drops and counts those for which the queue has no space."""

    def __init__(self, waiting: queue.SimpleQueue[logging.LogRecord]) -> None:
        super().__init__(waiting)
        self._waiting = waiting
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._waiting.qsize() >= _MAX_WAITING:
            self._dropped += 1
            return
        if self._dropped:
            record.msg = f"{record.getMessage()} [{self._dropped} lines before this one were dropped]"
            record.args = None
        self.queue.put_nowait(record)
        self._dropped = 0


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname}: "
        line = f"{when} {level}{escape(record.getMessage())}"
        return line if not record.exc_info else f"{line}\n{self.formatException(record.exc_info)}"


class _JSON(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "said": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)
