"""Makes the answers of the API, which are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.net.http.gate import retry_headers
from pychat.net.http.response import Response
from pychat.protocol.moderation import decode_refused
from pychat.protocol.v1 import encode_refusal

__all__ = ["Denied", "answer", "failed", "refusal"]

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Denied(Exception):
    """A request that is answered with a status of HTTP's own, whatever the room would say."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.refused = Refused("bad_request", text)


def answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(status, {**_HEADERS, **(headers or {})}, strictjson.dumps(value).encode())


def failed(outcome: Mapping[str, Any]) -> Response:
    """A command's answer that is a refusal, with its status."""
    return refusal(decode_refused(outcome["error"]))


def refusal(refused: Refused, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as an answer, with the status of its code unless another is given."""
    extra = retry_headers(refused)
    if refused.code == "unauthorized":
        extra["WWW-Authenticate"] = "Bearer"
    return answer(status or refused.kind.status, encode_refusal(refused), {**extra, **(headers or {})})
