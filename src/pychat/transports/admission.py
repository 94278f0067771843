"""Admission: lets a visitor into a room, on every wire.

What each wire makes of a temporary refusal is in `docs/reference/errors.md`: every client comes back from it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import Position, User
from pychat.domain.ratelog import RateLimitedLogger
from pychat.room.chatroom import ChatRoom
from pychat.room.connection import Connection
from pychat.room.session import Session

__all__ = ["HOLD_SECONDS", "admit", "opened"]

_log = RateLimitedLogger(logging.getLogger("pychat.room"), time.monotonic, lines=2)

#: For how long somebody who comes in is kept waiting for a room that cannot be opened, before they are sent away.
HOLD_SECONDS = 3.0
_LOOK_SECONDS = 0.3  # between two looks whether it is open


async def opened(room: ChatRoom, patience: float = HOLD_SECONDS) -> None:
    """Wait until `room` is open, for `patience` seconds at most. Raise `Refused` for whoever must come back later."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            if room.closed:
                raise Refused("unavailable", Close.SHUTDOWN.text, 2.0)
            await room.start()
        except Refused as refused:
            pause = _LOOK_SECONDS * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret
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


async def admit(
    room: ChatRoom,
    connection: Connection,
    *,
    since: Position | None = None,
    member_id: str | None = None,
    own: bool = True,
    user: User | None = None,
) -> Session:
    """Let somebody in when the room is open: see `ChatRoom.connect`. Raise `Refused`, and nothing else."""
    await opened(room)
    try:
        return await room.connect(connection, since=since, member_id=member_id, own=own, user=user)
    except Refused:
        raise
    except Exception:
        _log.exception("Somebody could not be let into the room %s", room.name)
        raise Refused("internal", "The server failed to let you in. Try again later.", 5.0) from None
