"""Failures: why Redis does not do what it is asked, in plain words, and whether it takes a person to change that."""

from __future__ import annotations

import re
from typing import NamedTuple

from redis import exceptions

__all__ = ["Failure", "failure"]


class Failure(NamedTuple):
    """Why it cannot."""

    #: In plain words, with what to do; a clause, without a full stop.
    why: str
    #: Whether it stays so until somebody changes the URL or the server: waiting does not help.
    lasting: bool = False
    #: What Redis itself said, if that adds something.
    said: str = ""

    def __str__(self) -> str:
        return f"{self.why} ({self.said})" if self.said else self.why


#: By the code that Redis's answer begins with (redis.io, "RESP protocol specification", errors), or that it holds
#: where a script was answered so.
_BY_CODE = {
    "BUSY": Failure("a script keeps it busy"),
    "CLUSTERDOWN": Failure("its cluster is down"),
    "CROSSSLOT": Failure("it is a cluster that parts the keys of a room; name a Redis that is none", lasting=True),
    "LOADING": Failure("it is still reading its data from the disk"),
    "MASTERDOWN": Failure("it is a replica, and has lost its primary"),
    "MISCONF": Failure("it cannot save to its disk, and takes nothing until it can; its own log says why"),
    "MOVED": Failure("it is one server of a cluster; name a Redis that is none", lasting=True),
    "NOAUTH": Failure("it wants a password: redis://:PASSWORD@host or redis://USER:PASSWORD@host", lasting=True),
    "NOPERM": Failure(
        "the user in the URL may not do what pychat needs: ACL SETUSER NAME ~pychat:* +@read +@write +@scripting "
        "+@connection +time",
        lasting=True,
    ),
    "NOREPLICAS": Failure("it has fewer replicas than it is to have (min-replicas-to-write)"),
    "OOM": Failure("its memory is full (maxmemory); give it more, or keep fewer messages (--keep-messages)"),
    "READONLY": Failure("it is a replica, which cannot be written; name the primary"),
    "TRYAGAIN": Failure("its cluster is moving keys"),
    "WRONGPASS": Failure("it does not take the user and password of the URL", lasting=True),
    "WRONGTYPE": Failure(
        "another program keeps something else under the names of pychat's keys; give pychat a database or a ?prefix= "
        "of its own",
        lasting=True,
    ),
}
#: By what stands in an answer whose code is only ERR.
_BY_TEXT = {
    "without any password configured": Failure("it has no password, and the URL gives one", lasting=True),
    "wrong number of arguments for 'auth'": Failure("it knows no users; give the password alone", lasting=True),
    "invalid password": _BY_CODE["WRONGPASS"],
    "unknown command": Failure("it does not know a command that pychat needs: Redis 6.2 or newer does", lasting=True),
    "DB index is out of range": Failure("it has no database of that number", lasting=True),
    "max number of clients reached": Failure("it has as many clients as it takes (maxclients)"),
    "can't run this command": _BY_CODE["NOPERM"],
    "no permissions": _BY_CODE["NOPERM"],
}
_CODE = re.compile(r"\b(" + "|".join(_BY_CODE) + r")\b")


def failure(error: BaseException) -> Failure | None:
    """Why `error` happened; `None` for what only a mistake of pychat's can have caused."""
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
    """What it said, on one line."""
    return "".join(each if each.isprintable() else " " for each in said).strip().rstrip(".")[:300]
