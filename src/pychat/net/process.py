"""Settings of the server process: open files, memory, threads and sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import platform
import socket
import sys
from collections.abc import Iterable

__all__ = [
    "MANY_FILES",
    "UNREAD_SECONDS",
    "UNSENT_BYTES",
    "cut_unread",
    "give_memory_back",
    "max_connections",
    "max_irc_clients",
    "prepare",
    "raise_file_limit",
]

#: A limit on open files below this is worth a warning: each connection is one open file.
MANY_FILES = 4096

#: How long a connection lives on while its other side takes nothing of what waits for it.
UNREAD_SECONDS = 90

#: How many bytes the kernel takes of a connection beyond what it may send at once.
UNSENT_BYTES = 128 * 1024

_OWN_FILES = 64  # for the store, the event loop, threads and such
_MAX_CONNECTIONS = 200_000
_MAX_IRC_CLIENTS = 10_000

#: Nothing of a connection that has ended waits for the collector (`tests/attacks/test_lifetimes.py`), so it can come
#: seldom. What others leave behind is young, mostly: 20,000 new objects bring it. The second number bounds a pause for
#: the middle-aged to what 200,000 objects take.
_COLLECT_AFTER = (20_000, 10, 10)

#: How long one thread may keep the interpreter's lock while another waits for it (Python's default is 0.005). SQLite's
#: thread needs the lock again after each statement. uvloop gives the lock up and takes it again at each callback, which
#: starts this time anew: with the default and a busy loop, a commit of one message took 0.4 s; with this 0.004 s.
_SWITCH_SECONDS = 0.0001

#: Memory for anything of this size comes from the kernel alone and goes back to it at once. By itself glibc raises this
#: bound to the largest size that was ever freed, and the process keeps what 80 pages of history took for good.
_OWN_PAGES_BYTES = 128 * 1024
_M_MMAP_THRESHOLD = -3  # mallopt(3)
_TRIM_SECONDS = 15.0


def raise_file_limit() -> int | None:
    """Raise the soft limit on open files to the hard one, and return it; `None` where there is none, as on Windows."""
    try:
        import resource  # noqa: PLC0415 -- not on Windows
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS refuses some that it calls allowed
            return soft
    return None if hard == resource.RLIM_INFINITY else hard


def cut_unread(listening: Iterable[socket.socket]) -> None:
    """Bound what the kernel keeps for connections of `listening` sockets whose other side does not read.

    By itself it keeps up to 4 MiB a connection, for as long as the other side is there. Here it takes `UNSENT_BYTES`
    (tcp(7), `TCP_NOTSENT_LOWAT`) and cuts the connection after `UNREAD_SECONDS` (`TCP_USER_TIMEOUT`). Connections
    inherit both. Does nothing on systems other than Linux.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for each in listening:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def max_connections(files: int | None) -> int:
    """How many HTTP connections, WebSockets included, `files` open files allow; the rest is for everything else."""
    return _MAX_CONNECTIONS if files is None else max(1, min(_MAX_CONNECTIONS, files - files // 8 - _OWN_FILES))


def max_irc_clients(files: int | None) -> int:
    """How many IRC clients `files` open files allow beside those."""
    return _MAX_IRC_CLIENTS if files is None else max(1, min(_MAX_IRC_CLIENTS, files // 8))


def prepare() -> None:
    """Have threads take turns sooner, and the garbage collector pause less, once all that stays is there.

    While 2,000 people connected and 3,000 more came and went, Python's own thresholds made it come 867 times, for
    0.45 s of the processor and 0.05 s at once, to find nothing that matters; with these it came 6 times, for 0.02 s.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _glibc() -> ctypes.CDLL | None:
    with contextlib.suppress(OSError):
        if platform.libc_ver()[0] == "glibc":
            return ctypes.CDLL(None)
    return None


async def give_memory_back() -> None:
    """Give free memory back to the system, a look every 15 seconds, until cancelled. No-op without glibc.

    Without this, the process keeps what a wave of visitors took: free memory between what is in use (malloc_trim(3)).
    It is done in a thread, since it takes a few milliseconds for each 100 MiB.
    """
    libc = _glibc()
    if libc is None:
        return
    libc.mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES_BYTES)
    while True:
        await asyncio.sleep(_TRIM_SECONDS)
        await asyncio.to_thread(libc.malloc_trim, 0)
