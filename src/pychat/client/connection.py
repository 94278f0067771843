"""One WebSocket to a room, from the handshake to its close code: commands, their answers, and events."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import aiohttp

from pychat.client.disconnected import Disconnected
from pychat.domain import strictjson
from pychat.domain.errors import Close, Refused
from pychat.protocol.v1 import SUBPROTOCOL

__all__ = ["Lost", "ServerConnection", "Told"]

_ANSWER_SECONDS = 15.0
_HEARTBEAT_SECONDS = 30.0
#: A welcome holds 50 messages, of 100,000 characters each at most.
_LARGEST = 64 * 2**20
#: What servers and proxies answer while the server is away, or has too much to do.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: What a server answers whose login refuses us; and how long, and how many bytes, the reason may take.
_UNLET = frozenset({401, 403, 421})
_REASON_SECONDS = 5.0
_LONGEST_WAIT = 60.0  # seconds until a server can ask us to come back
_LONGEST_REASON = 65_536
#: What others answer who know nothing of rooms.
_NOBODY = frozenset({404, 405, 410, 426, 501})
_CLOSES = {close.code: close for close in Close} | {1009: Close.TOO_LARGE}


class Lost(Exception):
    """The connection is gone, and it is worth coming back: after `after` seconds at least, if not 0.

    `asked_back`: the room is there, and cannot be entered just now.
    """

    def __init__(self, text: str, after: float = 0.0, *, asked_back: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.after = after
        self.asked_back = asked_back


class Told(NamedTuple):
    """An event as it came: its name, its fields, and how many bytes it had."""

    name: str
    fields: Mapping[str, Any]
    size: int


class ServerConnection:
    """A connection that is open. Events are read by one task alone."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[asyncio.Future[dict[str, Any]], Callable[[dict[str, Any]], None] | None]] = {}
        self._failure: Lost | None = None
        self._error = ""
        self._kicked = ""  # why we are sent out, as the application said before the goodbye

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, headers: Mapping[str, str], *, door: str, known: bool
    ) -> ServerConnection:
        """Connect. Raise `Lost` where trying again can help, `Disconnected` where not.

        Who is not let in asks at `door`, over plain HTTP, for the reason: a failed handshake has no words.
        Where a server is `known` to be, whatever else answers there for now is taken for a restart.
        """
        try:
            socket = await http.ws_connect(
                url,
                protocols=(SUBPROTOCOL,),
                headers=headers,
                heartbeat=_HEARTBEAT_SECONDS,
                max_msg_size=_LARGEST,
            )
        except aiohttp.WSServerHandshakeError as error:
            reason = await _reason(http, error.status, door, headers)
            raise _unlet(error, _place(url), reason or _elsewhere(_place(url)), known=known) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise Disconnected(f"{url} is not an address.") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise Disconnected(f"The certificate of {error.host} cannot be trusted: {error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(f"The server cannot be reached: {_words(error)}.") from error
        return cls(socket)

    async def next(self) -> Told:
        """The next event. Raise `Lost` or `Disconnected` at the end."""
        while True:
            frame = await self._socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise self._ended()
            try:
                fields = strictjson.loads(frame.data)
                name = fields.pop("type")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Disconnected("What is at this address does not speak as pychat does.") from error
            if name == "ack":
                self._answered(fields)
            elif name == "bye":
                raise self._dismissed(fields)
            else:
                if name == "error":
                    self._error = str(fields.get("text", ""))
                    if fields.get("code") == "kicked":
                        self._kicked = self._error
                return Told(str(name), fields, len(frame.data))

    async def ask(
        self, name: str, fields: Mapping[str, Any], effect: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Send a command and return its answer. Raise `Refused`, or `Lost` where there is none in 15 seconds.

        `effect` is called with an answer that is `ok` before the event after it is read.
        """
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer, effect
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.tell(name, {**fields, "ref": number})
                return await answer
        except TimeoutError:
            self._failure = Lost("The server did not answer in time.")
            await self.close(1001)
            raise self._failure from None
        finally:
            self._asked.pop(number, None)

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a command that needs no answer. Raise `Lost`."""
        try:
            await self._socket.send_str(strictjson.dumps({"type": name, **fields}))
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise Lost("The connection was lost.") from error

    async def close(self, code: int) -> None:
        """Close the WebSocket: 1000 goes for good and frees the name, 1001 may be back."""
        await self._socket.close(code=code)

    def _answered(self, answer: dict[str, Any]) -> None:
        asked, effect = self._asked.pop(answer.pop("ref", 0), (None, None))
        if asked is None:
            return
        if answer.get("ok") is True:
            if effect is not None:
                effect(answer)
            if not asked.done():
                asked.set_result(answer)
        elif not asked.done():
            error = answer.get("error", {})
            asked.set_exception(Refused(str(error.get("code")), str(error.get("text")), error.get("retry_after")))

    def _dismissed(self, bye: Mapping[str, Any]) -> Exception:
        close = _CLOSES.get(int(bye.get("code", 0)))
        text = str(bye.get("text", "The server ended the connection."))
        if bye.get("reconnect") is False:
            why = {Close.UNKNOWN_ROOM: self._error, Close.KICKED: self._kicked}.get(close) if close else None
            return Disconnected(why or text, close)
        wait = bye.get("retry_after")
        after = float(wait) if isinstance(wait, int | float) and 0 <= wait <= _LONGEST_WAIT else 0.0
        return Lost(text, after, asked_back=close is Close.UNAVAILABLE)

    def _ended(self) -> Exception:
        if self._failure is not None:
            return self._failure
        close = _CLOSES.get(self._socket.close_code or 0)
        if close is not None and not close.reconnect:
            return Disconnected((close is Close.KICKED and self._kicked) or close.text, close)
        return Lost("The connection was lost." if close is None else close.text)


async def _reason(http: aiohttp.ClientSession, status: int, door: str, headers: Mapping[str, str]) -> str:
    """How the sentence ends that we are not let in: in the server's own words; empty if no pychat is seen there."""
    if status not in _UNLET:
        return "."
    try:
        async with asyncio.timeout(_REASON_SECONDS), http.get(door, headers=headers) as response:
            told = strictjson.loads((await response.content.read(_LONGEST_REASON)).decode())
        return "." if told["ok"] else f": {told['error']['text']}"
    except (aiohttp.ClientError, OSError):
        return "."
    except (ValueError, LookupError, TypeError):
        return ""  # something else stands there, with words for people who look at pages


def _elsewhere(place: str) -> str:
    return f", and shows no pychat at {place}. Is the chat below a path, as in {place}chat/? Give its whole address."


def _place(url: str) -> str:
    return url.partition("?")[0].removesuffix("ws")


def _unlet(error: aiohttp.WSServerHandshakeError, place: str, reason: str, *, known: bool) -> Exception:
    """What is made of an HTTP answer that is no WebSocket, and of the `reason` that the server gave for it."""
    if error.status == 400:
        told = f"The server at {place} does not speak this version of the protocol ({SUBPROTOCOL})."
        return Disconnected(told, Close.VERSION)
    if error.status in _PASSING or (known and error.status in _NOBODY):
        after = "" if error.headers is None else error.headers.get("Retry-After", "")
        return Lost(f"The server is busy or away (HTTP {error.status}).", float(after) if after.isdecimal() else 0.0)
    if error.status >= 400 and error.status not in _NOBODY:
        return Disconnected(f"The server does not let you in (HTTP {error.status}){reason}")
    return Disconnected(f"There is no pychat at {place} (HTTP {error.status}). Give the address of the room's page.")


def _words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host “{error.host}”"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port}: {error.strerror or error.os_error}"
    return str(error) or type(error).__name__
