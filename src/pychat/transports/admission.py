"""Lets a visitor into a room, on every transport.

`docs/reference/errors.md` describes what each transport sends for a temporary refusal.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Unpack

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.log_limit import RateLimitedLogger
from pychat.room.backend import RoomBackend
from pychat.room.connection import Connection
from pychat.room.session import Session
from pychat.room.welcome import EntryOptions

__all__ = ["HOLD_SECONDS", "admit", "opened"]

_log = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic, lines=2)

#: How long a visitor waits for a room that cannot be opened, before the visitor is refused.
HOLD_SECONDS = 3.0
_RETRY_SECONDS = 0.3  # between two attempts to open a room


async def opened(room: RoomBackend, max_seconds: float = HOLD_SECONDS) -> None:
    """Wait until `room` is open, for `max_seconds` at most. Raise `Refused` if it is not open then."""
    loop = asyncio.get_running_loop()
    end = loop.time() + max_seconds
    while True:
        try:
            if room.closed:
                raise Refused("unavailable", Close.SHUTDOWN.text, 2.0)
            await room.start()
        except Refused as refused:
            pause = _RETRY_SECONDS * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret
            if room.closed or not refused.kind.is_temporary or loop.time() + pause > end:
                raise
            await asyncio.sleep(pause)
        except UsageError as error:  # it says what to do, to whoever runs the server
            _log.error("The room %s cannot be opened, and nobody is let in: %s", room.name, error)
            raise Refused("unavailable", Close.UNAVAILABLE.text, 5.0) from None
        except Exception:
            _log.exception("The room %s cannot be opened", room.name)
            raise Refused("internal", "The server could not open the room. Try again later.", 5.0) from None
        else:
            return


async def admit(room: RoomBackend, connection: Connection, **entry: Unpack[EntryOptions]) -> Session:
    """Let a visitor in when the room is open: see `ChatRoom.connect`. Raise only `Refused`."""
    await opened(room)
    try:
        return await room.connect(connection, **entry)
    except Refused:
        raise
    except Exception:
        _log.exception("Somebody could not be let into the room %s", room.name)
        raise Refused("internal", "The server failed to let you in. Try again later.", 5.0) from None
