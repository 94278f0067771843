"""Detects other processes of the same server, which do not share rooms in memory with this one."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import weakref
from collections.abc import Callable

__all__ = ["Siblings"]

_log = logging.getLogger("pychat.room")

_AGAIN_SECONDS = 10.0  # a server that reloads has the old process beside the new one for a while


class Siblings:
    """Notices that several workers serve one room which each of them keeps in its own memory, and says so once.

    What tells is a name in Linux's abstract socket namespace, made of the parent process, the port and the room: it can
    be had once, leaves no file, and is free when its process ends, however that ends. Two servers of one parent listen
    at different ports, so they are not taken for one. Elsewhere than on Linux nothing is noticed.
    """

    def __init__(self, rooms: Callable[[], list[str]]) -> None:
        """`rooms` names those that are kept in memory."""
        self._rooms = rooms
        #: True once the check is done.
        self.looked = not sys.platform.startswith("linux")
        self._held: list[Callable[[], object]] = []
        self._timer: asyncio.TimerHandle | None = None

    def look(self, place: object) -> None:
        """A request came in at `place`, the address that this server listens on: `(host, port)`, or a path."""
        if not self.looked:
            self.looked = True
            port = place[1] if isinstance(place, tuple | list) and len(place) > 1 and place[1] is not None else place
            taken = [room for room in self._rooms() if not self._take(room, port)]
            if taken:
                self._timer = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._again, taken, port)

    def close(self) -> None:
        """Release the names."""
        if self._timer is not None:
            self._timer.cancel()
        while self._held:
            self._held.pop()()
        self.looked = not sys.platform.startswith("linux")

    def _take(self, room: str, port: object) -> bool:
        name = f"\0pychat:{os.getuid()}:{os.getppid()}:{port}:{room}"
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(name[:100])
        except OSError:
            held.close()
            return False
        # Held as long as this lives: an application that nobody closes is no reason for a warning.
        self._held.append(weakref.finalize(self, os.close, held.detach()))
        return True

    def _again(self, rooms: list[str], port: object) -> None:
        if shared := [room for room in rooms if not self._take(room, port)]:
            _log.warning(
                "Several workers serve the room %s, and each keeps it in its own memory (store memory:): people in one "
                "do not hear those in another. Start one worker (--workers 1), or keep rooms in Redis: "
                'ChatRoom(store="redis://…").',
                ", ".join(shared),
            )
