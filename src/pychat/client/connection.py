"""One WebSocket to a room, from the handshake to its close code: commands, their answers, and events."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import aiohttp

from pychat.client.disconnected import Disconnected
from pychat.domain import strictjson
from pychat.domain.errors import REFUSALS, Close, Refused
from pychat.protocol.moderation import decode_refused

__all__ = ["Lost", "ReceivedEvent", "RoomConnection", "RoomLink", "ServerConnection", "close_error", "connect_error"]

_ANSWER_SECONDS = 15.0
_HEARTBEAT_SECONDS = 30.0
#: In bytes. A welcome has 50 messages of at most 100,000 characters each.
_MAX_FRAME = 64 * 2**20
#: HTTP statuses of a server or proxy that is overloaded or being restarted.
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
#: HTTP statuses of a server that refuses this client. The reason is then requested over HTTP.
_REFUSED = frozenset({401, 403, 421})
_REASON_SECONDS = 5.0
_MAX_REASON_BYTES = 65_536
_MAX_RETRY_SECONDS = 60.0  # longer waits that a server asks for are ignored
#: HTTP statuses of a server that is not pychat.
_NO_PYCHAT = frozenset({404, 405, 410, 426, 501})
#: Codes of an `error` that explains the end of a connection or a room.
_ENDS = {
    code: REFUSALS[code].close for code in ("kicked", "banned", "room_closed", "entry_required", "challenge_required")
}
_FLOODING_SECONDS = 30.0  # if the server does not say how long to wait
_CLOSES = {close.code: close for close in Close} | {1009: Close.TOO_LARGE}


class Lost(Exception):
    """The connection is lost, and a new attempt can help, after at least `after` seconds.

    `asked_back` is true if the server said that the room cannot be entered now.
    """

    def __init__(self, text: str, after: float = 0.0, *, asked_back: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.after = after
        self.asked_back = asked_back


class ReceivedEvent(NamedTuple):
    """An event from the server: its name, its fields, and its size in bytes."""

    name: str
    fields: Mapping[str, Any]
    size: int


class ServerConnection:
    """An open connection. Only one task may call `next`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._pending: dict[int, tuple[asyncio.Future[dict[str, Any]], Callable[[dict[str, Any]], None] | None]] = {}
        self._failure: Lost | None = None
        self._error: Refused | None = None  # the newest event `error`: it may say why a `bye` follows

    @classmethod
    async def open(
        cls,
        http: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        *,
        subprotocol: str,
        entry_url: str,
        known: bool,
    ) -> ServerConnection:
        """Connect. Raise `Lost` if another attempt can help, else `Disconnected`.

        The `subprotocol` is the version of the protocol.

        A failed handshake has no text, so the reason is requested from `entry_url` over HTTP. If a server was `known`
        to be at this address, another answer from there is taken for a restart of the server.
        """
        try:
            socket = await http.ws_connect(
                url,
                protocols=(subprotocol,),
                headers=headers,
                heartbeat=_HEARTBEAT_SECONDS,
                max_msg_size=_MAX_FRAME,
            )
        except aiohttp.WSServerHandshakeError as error:
            reason = await _reason(http, error.status, entry_url, headers)
            if error.status == 400:
                text = f"The server at {_mount(url)} does not speak this version of the protocol ({subprotocol})."
                raise Disconnected(text, Close.VERSION) from error
            raise _handshake_error(error, _mount(url), reason or _elsewhere(_mount(url)), known=known) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise Disconnected(f"{url} is not an address.") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Disconnected(f"The certificate of {error.host} cannot be trusted: {error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(f"The server cannot be reached: {connect_error(error)}.") from error
        return cls(socket)

    async def next(self) -> ReceivedEvent:
        """Wait for the next event. Raise `Lost` or `Disconnected` when the connection has ended."""
        while True:
            frame = await self._socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise self._ended()
            try:
                fields = strictjson.loads(frame.data)
                name = fields.pop("type")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Disconnected("The server at this address does not speak the protocol of pychat.") from error
            if name == "ack":
                self._answered(fields)
            elif name == "bye":
                raise close_error(fields, self._error)
            else:
                if name == "error" and "room" not in fields:
                    self._error = decode_refused(fields)
                return ReceivedEvent(str(name), fields, len(frame.data))

    async def ask(
        self, name: str, fields: Mapping[str, Any], effect: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Send a command and return its answer. Raise `Refused`, or `Lost` after 15 seconds without an answer.

        `effect` is called with a positive answer before the next event is read.
        """
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer, effect
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.tell(name, {**fields, "ref": number})
                return await answer
        except TimeoutError:
            self._failure = Lost("The server did not answer in time.")
            await self.close(1001)
            raise self._failure from None
        finally:
            self._pending.pop(number, None)

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a command that needs no answer. Raise `Lost`."""
        try:
            await self._socket.send_str(strictjson.dumps({"type": name, **fields}))
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise Lost("The connection was lost.") from error

    async def close(self, code: int) -> None:
        """Close the WebSocket. Code 1000 frees the name at once; with 1001 the name is held for a reconnect."""
        await self._socket.close(code=code)

    def _answered(self, answer: dict[str, Any]) -> None:
        waiting, effect = self._pending.pop(answer.pop("ref", 0), (None, None))
        if waiting is None:
            return
        if answer.get("ok") is True:
            if effect is not None:
                effect(answer)
            if not waiting.done():
                waiting.set_result(answer)
        elif not waiting.done():
            waiting.set_exception(decode_refused(answer.get("error", {})))

    def _ended(self) -> Exception:
        if self._failure is not None:
            return self._failure
        close = _CLOSES.get(self._socket.close_code or 0)
        if close is not None and not close.reconnect:
            return _disconnected(close, close.text, self._error)
        after = _FLOODING_SECONDS if close is Close.FLOODING else 0.0
        return Lost("The connection was lost." if close is None else close.text, after)


class RoomConnection(Protocol):
    """Sends the commands for one room."""

    async def ask(
        self, name: str, fields: Mapping[str, Any], effect: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Send a command and return its answer. Raise `Refused` or `Lost`."""

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a command that needs no answer. Raise `Lost`."""

    async def close(self, code: int) -> None:
        """Close the connection."""


class RoomLink:
    """One room on a connection of version 2: each command names the room."""

    def __init__(self, connection: ServerConnection, room: str) -> None:
        self._connection = connection
        self._room = room

    async def ask(
        self, name: str, fields: Mapping[str, Any], effect: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Send a command for the room and return its answer. Raise `Refused` or `Lost`."""
        return await self._connection.ask(name, {**fields, "room": self._room}, effect)

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a command for the room that needs no answer. Raise `Lost`."""
        await self._connection.tell(name, {**fields, "room": self._room})

    async def close(self, code: int) -> None:
        """Close the connection, for all rooms."""
        await self._connection.close(code)


def close_error(told: Mapping[str, Any], said: Refused | None) -> Disconnected | Lost:
    """The error for a `bye` or an `exited`; `said` is the event `error` before it."""
    close = _CLOSES.get(int(told.get("code", 0)))
    text = str(told.get("text", "The server ended the connection."))
    if told.get("reconnect") is False:
        if "error" in told:  # refused entry: the text is that of the refusal
            return Disconnected(text, close, decode_refused(told["error"]))
        return _disconnected(close, text, said)
    wait = told.get("retry_after")
    after = float(wait) if isinstance(wait, int | float) and 0 <= wait <= _MAX_RETRY_SECONDS else 0.0
    return Lost(text, after, asked_back=close is Close.UNAVAILABLE)


def _disconnected(close: Close | None, text: str, said: Refused | None) -> Disconnected:
    """The error for an end that the server means; `said` explains it, unless it is about something else."""
    if said is not None and close is not None and close in (Close.UNKNOWN_ROOM, _ENDS.get(said.code)):
        return Disconnected(said.text or text, close, said)
    return Disconnected(text, close)


async def _reason(http: aiohttp.ClientSession, status: int, entry_url: str, headers: Mapping[str, str]) -> str:
    """The end of the sentence that says that the server refuses us. Empty if the server seems not to be pychat."""
    if status not in _REFUSED:
        return "."
    try:
        async with asyncio.timeout(_REASON_SECONDS), http.get(entry_url, headers=headers) as response:
            answer = strictjson.loads((await response.content.read(_MAX_REASON_BYTES)).decode())
        return "." if answer["ok"] else f": {answer['error']['text']}"
    except (aiohttp.ClientError, OSError):
        return "."
    except (ValueError, LookupError, TypeError):
        return ""  # an HTML page, for example of a login


def _elsewhere(mount: str) -> str:
    return f". There may be no pychat at {mount}. If the chat has a path, such as {mount}chat/, give the whole address."


def _mount(url: str) -> str:
    return url.partition("?")[0].removesuffix("ws")


def _handshake_error(error: aiohttp.WSServerHandshakeError, mount: str, reason: str, *, known: bool) -> Exception:
    """The error for an HTTP answer instead of a WebSocket, with the server's `reason`."""
    if error.status in _TEMPORARY or (known and error.status in _NO_PYCHAT):
        after = "" if error.headers is None else error.headers.get("Retry-After", "")
        return Lost(f"The server is busy or away (HTTP {error.status}).", float(after) if after.isdecimal() else 0.0)
    if error.status >= 400 and error.status not in _NO_PYCHAT:
        return Disconnected(f"The server does not let you in (HTTP {error.status}){reason}")
    return Disconnected(f"There is no pychat at {mount} (HTTP {error.status}). Give the address of the room's page.")


def connect_error(error: Exception) -> str:
    """Why a connection failed, as the end of a sentence."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host “{error.host}”"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return f"no server listens at {error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port}: {error.strerror or error.os_error}"
    return str(error) or type(error).__name__
