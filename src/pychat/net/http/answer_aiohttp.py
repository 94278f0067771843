"""An HTTP answer over aiohttp that counts against the budget for unread answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from pychat.net.slow_readers.answer_budget import AnswerBudget

__all__ = ["AiohttpAnswer"]


class AiohttpAnswer(web.Response):
    """An answer that is sent within `budget`; aiohttp alone would wait for the client for ever.

    If the request's body has not arrived to its end by then, no further request is taken on the connection.
    """

    def __init__(
        self,
        budget: AnswerBudget,
        address: str,
        status: int,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> None:
        """`address` is the client's."""
        super().__init__(status=status, headers=CIMultiDict(headers), body=body)
        self._budget = budget
        self._size = len(body or b"")
        self._address = address
        self._transport: asyncio.Transport | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Begin to answer `request`."""
        if not request.content.is_eof():
            self.force_close()
        self._transport = request.transport
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it, and wait until the system has taken the last byte of it."""
        transport, self._transport = self._transport, None
        if transport is None:
            await super().write_eof(data)
            return
        # aiohttp waits while the transport says that too much waits: that is anything at all.
        transport.set_write_buffer_limits(high=0)
        try:
            with self._budget.sending(self._size, self._address, transport.abort):
                await super().write_eof(data)
        except ConnectionError as lost:
            # Its frames hold the answer, and one of them holds the error: a circle, which would stay until collected.
            raise lost.with_traceback(None) from None
        finally:
            self.body = None  # aiohttp holds on to an answer until the connection's next request
            if not transport.is_closing():
                transport.set_write_buffer_limits()
