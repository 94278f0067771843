"""An HTTP answer over ASGI that counts against the budget for unread answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from pychat.net.http.answers import AnswerBudget
from pychat.net.websocket.asgi import Scope, Send

__all__ = ["send_answer"]

_PIECE = 64 * 1024  # bytes that the host is given at once: it waits before the next while the client does not read
_REASON = 100  # bytes of a text that stand for an answer where the host takes none


async def send_answer(
    scope: Scope,
    send: Send,
    budget: AnswerBudget,
    address: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    last: bool = False,
) -> None:
    """Answer a request, or refuse the handshake of a WebSocket. What the client does not take in time is not sent.

    With `last`, no further request is taken on the connection.
    """
    prefix = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            # This host answers 403 to any refusal, without a text (ASGI, WebSocket close before it is accepted).
            reason = body.decode(errors="replace")[:_REASON]
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
            return
        prefix = "websocket.http"
        last = True  # hosts drop the connection of a refused WebSocket
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if status != 304:
        raw.append((b"content-length", str(len(body)).encode()))
    if last and str(scope.get("http_version", "1.1")).startswith("1"):  # HTTP/2 forbids the header
        raw.append((b"connection", b"close"))
    if scope.get("method") == "HEAD":
        body = b""
    start: dict[str, Any] = {"type": f"{prefix}.response.start", "status": status, "headers": raw}
    await _send_pieces(send, budget, address, start, f"{prefix}.response.body", body)


async def _send_pieces(
    send: Send, budget: AnswerBudget, address: str, start: dict[str, Any], kind: str, body: bytes
) -> None:
    if len(body) <= _PIECE:
        pieces: list[dict[str, Any]] = [{"type": kind, "body": body}]
    else:
        pieces = [
            {"type": kind, "body": body[at : at + _PIECE], "more_body": True} for at in range(0, len(body), _PIECE)
        ]
        pieces.append({"type": kind, "body": b""})
    loop = asyncio.get_running_loop()
    deadline = asyncio.timeout(None)
    try:
        async with deadline:
            with budget.sending(len(body), address, lambda: deadline.reschedule(loop.time())):
                await send(start)
                for piece in pieces:
                    await send(piece)
    except TimeoutError:
        if not deadline.expired():
            raise
