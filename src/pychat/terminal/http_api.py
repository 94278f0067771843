"""Requests of the terminal's commands to the HTTP API of a server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from pychat.client import Disconnected
from pychat.client.address import Address
from pychat.client.connection import connect_error
from pychat.domain.errors import Refused

__all__ = ["HttpApi", "RefusedByHttp"]

_TIMEOUT_SECONDS = 30


class RefusedByHttp(Refused):
    """The server refuses, with this HTTP status."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(code, text)
        self.status = status


class HttpApi:
    """The HTTP API of a server, with the login of the headers or the token. Make it with `opened`."""

    def __init__(self, http: aiohttp.ClientSession, address: Address) -> None:
        self._http = http
        #: Of the room.
        self.address = address
        self._room = address.room

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, address: Address, token: str | None, headers: Mapping[str, str]) -> AsyncIterator[HttpApi]:
        """Send requests within the block."""
        login = {} if token is None else {"Authorization": f"Bearer {token}"}
        timeout = aiohttp.ClientTimeout(_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(trust_env=True, headers={**headers, **login}, timeout=timeout) as http:
            yield cls(http, address)

    async def room(self) -> str:
        """The name of the room; without one in the address, of the first room."""
        if self._room is None:
            rooms = (await self.ask("GET", self.address.rooms))["rooms"]
            if not rooms:
                raise Disconnected("This server has no first room. Name one with --room NAME.")
            self._room = str(rooms[0]["name"])
        return self._room

    async def ask(self, method: str, url: str, fields: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Send a request, and return the answer. Raise `Refused`, or `Disconnected` if there is no pychat."""
        try:
            async with self._http.request(method, url, json=fields) as response:
                status, answer = response.status, await response.json()
        except (aiohttp.ContentTypeError, ValueError):
            raise Disconnected(f"There is no pychat at {self.address.mount} that answers over HTTP.") from None
        except TimeoutError:
            raise Disconnected("The server does not answer.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(f"The server cannot be reached: {connect_error(error)}.") from None
        if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
            raise Disconnected(f"There is no pychat at {self.address.mount}.")
        if not answer["ok"]:
            raise RefusedByHttp(status, str(answer["error"]["code"]), str(answer["error"]["text"]))
        return answer

    async def ask_room(self, method: str, path: str, fields: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Send a request to a path below the room, such as `members`."""
        return await self.ask(method, f"{self.address.in_room(await self.room())}/{path}", fields)
