"""Failures of Redis: the reason in plain words, and whether it lasts until a person changes something."""

from __future__ import annotations

import re
from typing import NamedTuple

from redis import exceptions

__all__ = ["Failure", "failure"]


class Failure(NamedTuple):
    """A reason why Redis cannot be used."""

    #: The reason in plain words, and what to do; a clause without a full stop.
    reason: str
    #: True if waiting does not help: a person must change the URL or the server.
    lasting: bool = False
    #: The error text of Redis, if it adds something.
    said: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.said})" if self.said else self.reason


#: By the error code at the start of the answer (redis.io, "RESP protocol specification", errors), or anywhere in it for
#: scripts.
_BY_CODE = {
    "BUSY": Failure("a script is blocking it"),
    "CLUSTERDOWN": Failure("its cluster is down"),
    "CROSSSLOT": Failure(
        "it is a cluster that splits the keys of a room; use a Redis that is not a cluster", lasting=True
    ),
    "LOADING": Failure("it is still reading its data from the disk"),
    "MASTERDOWN": Failure("it is a replica that has lost its primary"),
    "MISCONF": Failure("it cannot save to its disk and refuses writes until it can; its own log says why"),
    "MOVED": Failure("it is one server of a cluster; use a Redis that is not a cluster", lasting=True),
    "NOAUTH": Failure("it requires a password: redis://:PASSWORD@host or redis://USER:PASSWORD@host", lasting=True),
    "NOPERM": Failure(
        "the user in the URL lacks permissions that pychat needs: ACL SETUSER NAME ~pychat:* +@read +@write "
        "+@scripting +@connection +time",
        lasting=True,
    ),
    "NOREPLICAS": Failure("it has too few replicas (min-replicas-to-write)"),
    "OOM": Failure("its memory is full (maxmemory); raise the limit, or keep fewer messages (--keep-messages)"),
    "READONLY": Failure("it is a read-only replica; use the address of the primary"),
    "TRYAGAIN": Failure("its cluster is moving keys"),
    "WRONGPASS": Failure("it rejects the user and password of the URL", lasting=True),
    "WRONGTYPE": Failure(
        "another program uses the names of pychat's keys for other data; give pychat its own database or its own "
        "?prefix=",
        lasting=True,
    ),
}
#: By a part of the error text, for answers with the code ERR.
_BY_TEXT = {
    "without any password configured": Failure("it has no password, but the URL gives one", lasting=True),
    "wrong number of arguments for 'auth'": Failure(
        "it does not support user names; give the password only", lasting=True
    ),
    "invalid password": _BY_CODE["WRONGPASS"],
    "unknown command": Failure("it lacks a command that pychat needs; use Redis 6.2 or newer", lasting=True),
    "DB index is out of range": Failure("it has no database with that number", lasting=True),
    "max number of clients reached": Failure("it has reached its limit of clients (maxclients)"),
    "can't run this command": _BY_CODE["NOPERM"],
    "no permissions": _BY_CODE["NOPERM"],
}
_CODE = re.compile(r"\b(" + "|".join(_BY_CODE) + r")\b")


def failure(error: BaseException) -> Failure | None:
    """Return why `error` happened; `None` if only a bug in pychat can have caused it."""
    if isinstance(error, exceptions.RedisError):
        said = str(error)
        code = str(getattr(error, "status_code", None) or said.partition(" ")[0])
        found = _BY_CODE.get(code) or next((each for text, each in _BY_TEXT.items() if text in said), None)
        if found is None and isinstance(error, exceptions.ResponseError) and (inner := _CODE.search(said)):
            found = _BY_CODE[inner[1]]
        if found is not None:
            return found._replace(said=_line(said))
        if isinstance(error, exceptions.ResponseError):
            return None
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return Failure("it does not answer in time")
    if isinstance(error, exceptions.RedisError | OSError):
        return Failure("it cannot be reached", said=_line(str(error)) or type(error).__name__)
    return None


def _line(said: str) -> str:
    """Return the error text on one line."""
    return "".join(each if each.isprintable() else " " for each in said).strip().rstrip(".")[:300]
