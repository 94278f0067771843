"""Answers of the API: JSON in one form, and the status of each refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.net.http.response import Response
from pychat.protocol.v1 import encode_refusal

__all__ = ["STATUS", "Denied", "answer", "failed", "refusal"]

#: The status of each refusal. Those that are not here, and those of hooks, are 422: understood, and not allowed.
STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "login_required": 401,
    "name_reserved": 403,
    "not_yours": 403,
    "not_found": 404,
    "unknown_command": 404,
    "unknown_room": 404,
    "id_used": 409,
    "name_fixed": 409,
    "name_taken": 409,
    "not_joined": 409,
    "too_many": 409,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Denied(Exception):
    """A request that is answered with a status of HTTP's own, whatever the room would say."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.refused = Refused("bad_request", text)
        self.headers = headers or {}


def answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(status, {**_HEADERS, **(headers or {})}, strictjson.dumps(value).encode())


def failed(told: Mapping[str, Any]) -> Response:
    """A command's answer that is a refusal, with its status."""
    error = told["error"]
    headers = {}
    if "retry_after" in error:
        headers["Retry-After"] = str(max(1, ceil(error["retry_after"])))
    if error["code"] == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    return answer(STATUS.get(error["code"], 422), told, headers)


def refusal(refused: Refused, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to what was refused, as the command's answer says it."""
    response = failed(encode_refusal(refused))
    return replace(response, status=status or response.status, headers={**response.headers, **(headers or {})})
