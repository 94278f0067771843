"""An HTTP answer over ASGI that counts against the budget for unread answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from pychat.net.http.body import AsgiBody
from pychat.net.slow_readers.answer_budget import AnswerBudget
from pychat.net.websocket.asgi import Scope, Send

__all__ = ["send_answer"]

_PIECE = 64 * 1024  # bytes that the host is given at once: it waits before the next while the client does not read
_LINGERING_SECONDS = 2.0  # for the rest of a request's body that nobody reads
_REASON = 100  # bytes of a text that stand for an answer where the host takes none


async def send_answer(
    scope: Scope,
    send: Send,
    budget: AnswerBudget,
    address: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    request_body: AsgiBody | None = None,
) -> None:
    """Answer a request, or refuse the handshake of a WebSocket. What the client does not take in time is not sent.

    If `request_body` was not read to its end, no further request is taken on the connection.
    """
    prefix = "http"
    last = request_body is not None and request_body.broken_off
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
    kind = f"{prefix}.response.body"
    if request_body is not None and request_body.broken_off:
        # Hosts close at the end of the answer, which a client that still sends would then not get to read.
        await _send(send, budget, address, [start, {"type": kind, "body": body, "more_body": True}], len(body))
        await request_body.discard(_LINGERING_SECONDS)
        await send({"type": kind, "body": b""})
    elif len(body) <= _PIECE:
        await _send(send, budget, address, [start, {"type": kind, "body": body}], len(body))
    else:
        pieces = [
            {"type": kind, "body": body[at : at + _PIECE], "more_body": True} for at in range(0, len(body), _PIECE)
        ]
        await _send(send, budget, address, [start, *pieces, {"type": kind, "body": b""}], len(body))


async def _send(send: Send, budget: AnswerBudget, address: str, events: list[dict[str, Any]], size: int) -> None:
    loop = asyncio.get_running_loop()
    deadline = asyncio.timeout(None)
    try:
        async with deadline:
            with budget.sending(size, address, lambda: deadline.reschedule(loop.time())):
                for event in events:
                    await send(event)
    except TimeoutError:
        if not deadline.expired():
            raise
