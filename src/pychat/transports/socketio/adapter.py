"""The API of `socketio.AsyncServer` for applications, on top of pychat's own server."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import socketio
import socketio.exceptions

from pychat.domain.errors import UsageError
from pychat.net.websocket.connection import CLOSE_SECONDS
from pychat.transports.socketio.client import SocketIOClient
from pychat.transports.socketio.engineio.server import EngineIOServer
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason
from pychat.transports.socketio.handlers import NOT_HANDLED
from pychat.transports.socketio.manager import Manager
from pychat.transports.socketio.options import Options
from pychat.transports.socketio.server import SocketIOServer

__all__ = ["Server"]

#: At INFO the library writes a line for each message; ask for it by this name.
_library_log = logging.getLogger("pychat.socketio.library")
if _library_log.level == logging.NOTSET:
    _library_log.setLevel(logging.WARNING)

_OPTION_NAMES = frozenset(field.name for field in dataclasses.fields(Options))


class Server(socketio.AsyncServer):
    """A drop-in for `socketio.AsyncServer`, for aiohttp and ASGI alike (Engine.IO 4, Socket.IO 5).

    Takes the options that python-socketio documents, and those of `Options`. These differ on purpose: the handlers of
    one client run one at a time and in order; a `connect` handler may return a dict, whose keys travel beside `sid` in
    the answer to CONNECT; what is sent to a client before that answer travels right after it; JSON is strict.
    Not supported: `json=`, `serializer=`, `instrument()`, JSONP, and Engine.IO 3. Raises `UsageError` for invalid
    options.
    """

    eio: EngineIOServer
    manager: Manager
    reason = Reason
    #: Events of the namespace `/` that have their handlers for good: a second one would silently replace the first.
    taken: frozenset[str] = frozenset()

    def __init__(
        self,
        client_manager: Manager | None = None,
        *,
        async_mode: str = "asgi",
        logger: Any = None,  # noqa: ANN401 (the library's)
        cors_allowed_origins: Any = None,  # noqa: ANN401 (the library's)
        namespaces: Any = None,  # noqa: ANN401 (the library's)
        always_connect: bool = False,
        **kwargs: Any,  # noqa: ANN401 (the library's)
    ) -> None:
        if client_manager is not None and not isinstance(client_manager, Manager):
            raise UsageError(
                f"client_manager: derive a class from ({type(client_manager).__name__}, Manager) and pass one of those"
            )
        if "json" in kwargs or "serializer" in kwargs:
            raise UsageError("json, serializer: this server speaks strict JSON only")
        if async_mode not in {"aiohttp", "asgi"}:
            raise UsageError('async_mode is "aiohttp" or "asgi"')
        if callable(cors_allowed_origins):
            raise UsageError("cors_allowed_origins takes origins here, no function; or use allowed_origins")
        if cors_allowed_origins is not None:
            # The library's [] means "no checks at all".
            kwargs["allowed_origins"] = "*" if cors_allowed_origins == [] else cors_allowed_origins
        options = Options(**{name: value for name, value in kwargs.items() if name in _OPTION_NAMES})
        manager = client_manager or Manager()
        #: What does the work; the rest of this class maps names.
        self.core = SocketIOServer(options, manager, namespaces or ("/",), always_connect=always_connect)
        manager.serve(self.core.namespaces)
        super().__init__(
            client_manager=manager,
            logger=_library_log if logger is None else logger,
            engineio_logger=_library_log,
            async_mode=async_mode,
            namespaces=namespaces,
            always_connect=always_connect,
        )
        # What the library has made of these is not served.
        self.eio = self.core.eio
        self.not_handled = NOT_HANDLED
        self.handlers = self.core.handlers.events
        self.namespace_handlers = self.core.handlers.namespaces

    # Of ours.

    async def handle_aiohttp(self, request: Any) -> Any:  # noqa: ANN401 (aiohttp is not imported before it is used)
        """Serve one aiohttp request, whatever its path; returns the response."""
        return await self.eio.handle_aiohttp(request)

    async def handle_asgi(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI's)
        """Serve one ASGI `http` or `websocket` scope, whatever its path."""
        await self.eio.handle_asgi(scope, receive, send)

    def client(self, sid: str, namespace: str = "/") -> SocketIOClient:
        """The handle of a client, from its `connect` handler to its `disconnect` handler. Raises `KeyError`."""
        client = self.core.namespaces.client(sid, namespace)
        if client is None:
            raise KeyError(sid)
        return client

    def wire(self, sid: str, namespace: str = "/") -> SocketIOClient:
        """Do what `client` does. Deprecated: use `client`."""
        warnings.warn("Server.wire() is now Server.client()", DeprecationWarning, stacklevel=2)
        return self.client(sid, namespace)

    def drop_environ(self, sid: str) -> None:
        """Forget the request with which a client connected; from now on its environ is empty."""
        self._socket(sid).environ = {}

    def reopen(self) -> None:
        """Start again with no clients: after `shutdown`, or when the previous event loop has ended."""
        self.manager.callbacks.clear()
        self.core.reopen()

    def _socket(self, sid: str, namespace: str | None = None) -> EngineIOSocket:
        return self.client(sid, namespace or "/").session.socket

    # The library's, in the order of its documentation.

    def on(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:  # noqa: ANN401 (the library's)
        """Register a handler for an event, as a method or a decorator. Raise `UsageError` for an event of the chat."""
        if event in self.taken and namespace in (None, "/"):
            names = ", ".join(sorted(self.taken))
            raise UsageError(
                f"The event “{event}” is the chat's own. Take another name, or a namespace of yours: "
                f'server.on("{event}", namespace="/yours"). Taken are: {names}.'
            )
        return super().on(event, handler, namespace)

    def attach(self, app: Any, socketio_path: str = "socket.io") -> None:  # noqa: ANN401 (aiohttp's)
        """Serve `/<path>/`, and nothing below it, in an aiohttp application."""
        app.router.add_route("*", f"/{socketio_path.strip('/')}/", self.handle_aiohttp)

    async def call(
        self,
        event: str,
        data: Any = None,  # noqa: ANN401 (JSON)
        to: str | None = None,
        sid: str | None = None,
        namespace: str | None = None,
        timeout: float = 60,  # noqa: ASYNC109 (the library's)
        ignore_queue: bool = False,  # noqa: FBT002 (the library's)
    ) -> Any:  # noqa: ANN401 (JSON)
        """Emit an event to one client, and wait for its answer, `timeout` seconds at most.

        Returns `None`, the value, or several as a tuple. Raises `socketio.exceptions.TimeoutError`.
        """
        if to is None and sid is None:
            raise ValueError("Cannot use call() to broadcast.")
        answer: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

        def answered(*values: Any) -> None:  # noqa: ANN401 (JSON)
            if not answer.done():
                answer.set_result(values)

        await self.emit(event, data, room=to or sid, namespace=namespace, callback=answered, ignore_queue=ignore_queue)
        try:
            values = await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise socketio.exceptions.TimeoutError from None
        return values if len(values) > 1 else values[0] if values else None

    def transport(self, sid: str, namespace: str | None = None) -> str:
        """The transport of a client: `"polling"` or `"websocket"`. Raises `KeyError`."""
        return "websocket" if self._socket(sid, namespace).websocket is not None else "polling"

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The request with which a client connected, as WSGI has it; `None` for an unknown client."""
        client = self.core.namespaces.client(sid, namespace or "/")
        return None if client is None else client.session.socket.environ

    async def get_session(self, sid: str, namespace: str | None = None) -> dict[str, Any]:
        """What the application keeps for a client, until the end of its connection. Raises `KeyError`."""
        session = self.client(sid, namespace or "/").session
        session.data = session.data or {}
        kept: dict[str, Any] = session.data.setdefault(namespace or "/", {})
        return kept

    async def save_session(self, sid: str, session: dict[str, Any], namespace: str | None = None) -> None:
        """Replace what the application keeps for a client. Raises `KeyError`."""
        owner = self.client(sid, namespace or "/").session
        owner.data = {**(owner.data or {}), namespace or "/": session}

    async def disconnect(self, sid: str, namespace: str | None = None, ignore_queue: bool = False) -> None:  # noqa: FBT002
        """Send a client out of a namespace (a DISCONNECT packet): it will not come back by itself.

        To close a connection that may come back, use `client(sid).close(why)`.
        """
        namespace = namespace or "/"
        here = ignore_queue or await self.manager.can_disconnect(sid, namespace)
        client = self.core.namespaces.client(sid, namespace)
        if here and client is not None:
            await self.core.send_away(client)

    async def shutdown(self, deadline: float = CLOSE_SECONDS) -> None:
        """Tell everybody and close all with `Close.SHUTDOWN`; returns within `deadline` seconds, stuck or not.

        Clients see a transport that was lost, and reconnect by themselves.
        """
        await self.core.shutdown(deadline)

    async def handle_request(self, *args: Any, **_kwargs: Any) -> Any:  # noqa: ANN401 (the library's)
        """Serve one request: `(request)` of aiohttp, or `(scope, receive, send)` of ASGI."""
        if len(args) == 1:
            return await self.eio.handle_aiohttp(args[0])
        return await self.eio.handle_asgi(*args)

    def start_background_task(
        self,
        target: Callable[..., Awaitable[Any]],
        *args: Any,  # noqa: ANN401 (the library's)
        **kwargs: Any,  # noqa: ANN401 (the library's)
    ) -> asyncio.Future[Any]:
        """Start a task that calls `target`, a coroutine function; returns the task."""
        return asyncio.ensure_future(target(*args, **kwargs))

    async def sleep(self, seconds: float = 0) -> None:
        """Sleep for so many seconds."""
        await asyncio.sleep(seconds)

    def instrument(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refuse: the admin page of python-socketio replaces parts of a server that are not here."""
        raise UsageError("instrument() is not supported: the admin page needs the internals of socketio.AsyncServer")
