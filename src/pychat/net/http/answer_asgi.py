"""An HTTP answer over ASGI that is held to the budget for answers that nobody reads."""

from __future__ import annotations

import asyncio
from typing import Any

from pychat.net.http.answers import AnswerBudget
from pychat.net.websocket.asgi import Send

__all__ = ["send_answer"]

_PIECE = 64 * 1024  # bytes that the host is given at once: it waits before the next while the client does not read


async def send_answer(send: Send, budget: AnswerBudget, address: str, start: dict[str, Any], body: bytes) -> None:
    """Send a response's `start` event and its `body`. If the client does not take it in time, the rest is not sent."""
    kind = start["type"].removesuffix("start") + "body"
    if len(body) <= _PIECE:
        pieces = [{"type": kind, "body": body}]
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
