"""The rooms over plain HTTP, as JSON: `GET <mount>/api/rooms/NAME/messages` reads and searches the history."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pychat import strictjson
from pychat.errors import Refused
from pychat.http import Response
from pychat.rooms import Rooms
from pychat.transports.vocabulary import failure, page

__all__ = ["Api"]

_PATH = re.compile(r"/api/rooms/([^/]+)/messages")
_NUMBER = re.compile(r"[0-9]{1,15}")
_MOST = 200
_STATUS = {"unknown_room": 404, "unavailable": 503, "bad_request": 400}


class Api:
    """Answers requests below `/api/`. Pages of other origins cannot read the answers."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def respond(self, method: str, path: str, query: Mapping[str, str]) -> Response:
        """The answer: a page of messages as the command `history` gives it, or the error in its form."""
        try:
            found = _PATH.fullmatch(path)
            if found is None:
                return _json(404, failure(Refused("bad_request", "There is /api/rooms/NAME/messages, and no more.")))
            if method not in ("GET", "HEAD"):
                refused = failure(Refused("bad_request", "Messages can be read here, with GET."))
                return _json(405, refused, {"Allow": "GET, HEAD"})
            room = self._rooms.pick(found[1])
            limit = _number(query, "limit")
            limit = 50 if limit is None else min(limit, _MOST)
            messages = await room.history(
                before=_number(query, "before"), limit=limit + 1, matching=query.get("matching") or None
            )
        except Refused as refused:
            headers = {} if refused.retry_after is None else {"Retry-After": str(max(1, round(refused.retry_after)))}
            return _json(_STATUS.get(refused.code, 400), failure(refused), headers)
        return _json(200, {"ok": True, **page(messages, limit)})


def _number(query: Mapping[str, str], name: str) -> int | None:
    given = query.get(name)
    if given is None:
        return None
    if not _NUMBER.fullmatch(given):
        raise Refused("bad_request", f"“{name}” must be a whole number, 0 or above.")
    return int(given)


def _json(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    told = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(status, {**told, **(headers or {})}, strictjson.dumps(value).encode())
