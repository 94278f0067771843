"""The format of event streams: HTML's section 9.2, server-sent events.

`id` is the position in a log, `event` the name, and `data` the JSON that the plain WebSocket sends.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.domain.model import Position
from pychat.net.http.stream import Chunk
from pychat.protocol.v1 import refusal_event

__all__ = ["HEADERS", "HEARTBEAT", "decode_offset", "encode_event", "encode_offset", "prologue", "turned_away"]

#: Tells those on the way to keep nothing, to hold nothing back, and to change nothing.
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}

#: A comment, which shows everybody on the way that the stream lives.
HEARTBEAT = Chunk(b":\n\n")
# Proxies and old browsers pass nothing on before they have this much.
_PADDING = b":" + b" " * 2046 + b"\n"
_OFFSET = re.compile(r"(.{1,100}):([0-9]{1,18})(?:\.([A-Za-z0-9_-]{1,64}))?")


def encode_offset(position: Position) -> str:
    """The `id` of the event at that position."""
    return f"{position.epoch}:{position.seq}{position.id and f'.{position.id}'}"


def decode_offset(offset: str | None) -> Position | None:
    """The position behind the `id` of an event; `None` for anything else."""
    found = None if offset is None else _OFFSET.fullmatch(offset)
    return None if found is None else Position(found[1], int(found[2]), found[3] or "")


def encode_event(name: str, fields: Mapping[str, Any], offset: str | None = None) -> Chunk:
    """An event, with `offset` as its `id`."""
    offset_line = "" if offset is None else f"id: {offset}\n"
    return Chunk(f"{offset_line}event: {name}\ndata: {strictjson.dumps({'type': name, **fields})}\n\n".encode())


def prologue() -> Chunk:
    """What a stream begins with: padding, and when to come back. A crowd does not come back in one instant."""
    return Chunk(_PADDING + b"retry: %d\n\n" % random.randint(1000, 3000))  # noqa: S311 -- no secret


def turned_away(refused: Refused) -> Chunk:
    """The whole stream for a refused visitor; `retry` says when `EventSource` connects again.

    A browser never connects again after a status other than 200.
    """
    wait = round(1000 * refused.retry_seconds + random.uniform(0, 2000))  # noqa: S311 -- no secret
    return Chunk(_PADDING + b"retry: %d\n\n" % wait + encode_event(*refusal_event(refused)).body)
