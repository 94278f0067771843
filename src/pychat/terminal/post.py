"""`pychat post`: sends messages and exits. With a token it uses HTTP, otherwise the WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from pychat.client import Client
from pychat.client.address import Address
from pychat.domain.errors import UsageError
from pychat.domain.model import Message
from pychat.protocol.v1 import decode_message
from pychat.terminal.formatting import message_as_json
from pychat.terminal.http_api import HttpApi, RefusedByHttp
from pychat.terminal.token_store import TokenStore

__all__ = ["post"]

#: More than any room allows: an endless input is read up to here, and the server then refuses it.
_MAX_BYTES = 1_000_000
_LINES_AHEAD = 100
#: The answers of a server that needs a name: for its own tokens, and for a login without a name.
_NAMELESS = frozenset({(422, "bad_request"), (409, "not_joined")})


async def post(
    url: str,
    text: str,
    *,
    room: str | None,
    name: str | None,
    token: str | None,
    headers: Mapping[str, str],
    id: str | None,  # noqa: A002 -- the wire's word
    lines: bool,
    json: bool,
) -> None:
    """Send `text`; for `-` send standard input, as one message or line by line with `lines`.

    Without a `name`, use the name of the login, if the server has one; otherwise the user name of the system.
    Raise `Refused` if the room refuses a message, `Disconnected` if it cannot be reached.
    """
    async with _speaker(Address.parse(url, room), name, token, headers) as speaker:
        async for each in _texts(text, lines=lines):
            said = await speaker.say(each, id=id)
            if json:
                sys.stdout.write(f"{message_as_json(said)}\n")
                sys.stdout.flush()


class _Speaker(Protocol):
    async def say(self, text: str, *, id: str | None) -> Message:  # noqa: A002 -- as `Client` has it
        """Send a message; return it as it was stored."""


@contextlib.asynccontextmanager
async def _speaker(
    address: Address, name: str | None, token: str | None, headers: Mapping[str, str]
) -> AsyncIterator[_Speaker]:
    if token is not None:
        async with HttpApi.opened(address, token, headers) as api:
            yield _Program(api, name)
        return
    tokens, room = TokenStore(), address.room or ""
    async with Client(address.mount, address.room, headers=headers) as chat:
        if chat.me is None or name is not None:  # the headers may contain a login
            name = name or _own_name()
            await chat.join(name, resume=tokens.find(address.mount, room, name))
            if chat.resume is not None:
                tokens.keep(address.mount, room, name, chat.resume)
        yield chat


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no user names
        raise UsageError("There is no user name on this system. Use --name NAME.") from None


class _Program:
    """Sends messages with a token of the server or of a login."""

    def __init__(self, api: HttpApi, name: str | None) -> None:
        self._api = api
        self._name = name

    async def say(self, text: str, *, id: str | None) -> Message:  # noqa: A002 -- as `Client` has it
        told = {"text": text} | ({} if id is None else {"id": id})
        if self._name is None:
            try:
                return await self._post(told)
            except RefusedByHttp as refused:
                if (refused.status, refused.code) not in _NAMELESS:
                    raise
                self._name = _own_name()
        return await self._post({**told, "author": self._name})

    async def _post(self, told: Mapping[str, object]) -> Message:
        return decode_message(await self._api.ask_room("POST", "messages", told))


async def _texts(text: str, *, lines: bool) -> AsyncIterator[str]:
    if text != "-":
        yield text
        return
    source = sys.stdin.buffer
    read = source.readline if lines else source.read
    async for piece in _pieces(lambda: read(_MAX_BYTES)):
        if not lines or piece.strip():
            yield piece.decode(errors="replace")
        if not lines:
            return


async def _pieces(read: Callable[[], bytes]) -> AsyncIterator[bytes]:
    """Yield the results of `read` as they come, to the end."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue(_LINES_AHEAD)

    def work() -> None:
        while True:
            piece = read()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                asyncio.run_coroutine_threadsafe(waiting.put(piece), loop).result()
            if not piece:
                return

    # A daemon: Ctrl-C must not wait for the next line.
    threading.Thread(target=work, daemon=True).start()
    while piece := await waiting.get():
        yield piece
