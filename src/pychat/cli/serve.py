"""`pychat serve`: makes rooms from the settings, serves them until a signal, and shuts down."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import socket
import webbrowser
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from aiohttp import web

from pychat.cli.certificates import Certificates
from pychat.cli.console import Console
from pychat.cli.metrics import Metrics
from pychat.cli.settings import Settings
from pychat.cli.visitor_rooms import VisitorRooms
from pychat.domain.errors import Refused, UsageError
from pychat.domain.limits import Limits
from pychat.domain.rates import parse_rates
from pychat.hosts.aiohttp import MOUNT, aiohttp_app
from pychat.hosts.connection import HttpConnection
from pychat.hosts.mount import Mount
from pychat.net.addresses import AddressLimiter
from pychat.net.http.hosts import host_name
from pychat.net.process import (
    MANY_FILES,
    cut_unread,
    give_memory_back,
    max_connections,
    max_irc_clients,
    prepare,
    raise_file_limit,
)
from pychat.net.tls import TlsListener
from pychat.room.chat import Chat
from pychat.room.chatroom import ChatRoom
from pychat.stores import Retention, Store, default_store_url, open_store, redact, sqlite_path
from pychat.transports.irc import IrcServer
from pychat.transports.socketio import Connections, HandshakeRouter
from pychat.web.offline import Offline

__all__ = ["run"]

_MAX_PER_ADDRESS = 5_000  # connections; more than the people of a school behind one address
_SPARE_BODY_BYTES = 64 * 1024  # for the headers of chunks
_SHUTDOWN_SECONDS = 4.5  # at most, from the signal to the end
#: The headers of each response. By itself aiohttp would tell its version, and Python's.
_HEADERS = {"Server": "pychat", "X-Content-Type-Options": "nosniff"}
#: The flags for options of a mount, for its error texts.
_FLAGS = {
    "allowed_hosts": "--allow-host",
    "allowed_origins": "--allow-origin",
    "api_tokens": "--api-token",
    "frame_ancestors": "--frame-ancestors",
    "owner_token": "--owner-token",
    "push": "--push",
    "trusted_proxies": "--trusted-proxy",
}


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raise `UsageError` for invalid settings."""
    certificates = Certificates(settings)
    files = raise_file_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_serve(settings, certificates, files))
        except UsageError as error:
            option, colon, text = str(error).partition(":")
            raise UsageError(f"{_FLAGS.get(option, option)}{colon}{text}") from None


async def _serve(settings: Settings, certificates: Certificates, files: int | None) -> None:
    going = asyncio.Event()
    _on_signals(going.set)
    unlimited = settings.limits == "off"
    rates = {"rate": 0} if unlimited else {"rates": _rates(settings)}
    limits = Limits(name=settings.name_length, text=settings.text_length, **rates)
    url = settings.store or default_store_url()
    store = open_store(url, _retention(settings), grace=settings.grace)
    rooms = [
        ChatRoom(
            name,
            title=settings.title if first else None,
            store=store,
            limits=limits,
            grace=settings.grace,
            reserved_names=settings.reserved_name,
        )
        for first, name in zip([True, *[False] * len(settings.room)], settings.room, strict=False)
    ]
    # A link that is in a log could be read by whoever reads that: of a token that was chosen, none is shown.
    generated = None if settings.owner_token or settings.log_format == "json" else secrets.token_urlsafe(24)
    served = rooms if settings.rooms == "fixed" and settings.push is None else [_chat(rooms, store, limits, settings)]
    app = aiohttp_app(
        *served,
        templates=settings.templates,
        language=settings.language,
        languages=settings.languages,
        markdown=not settings.no_markdown,
        accent=settings.accent,
        logo=settings.logo,
        allowed_origins=settings.allow_origin,
        frame_ancestors=settings.frame_ancestors,
        allowed_hosts=_hosts(settings),
        trusted_proxies=settings.trusted_proxy,
        limited=not unlimited,
        max_connections_per_address=settings.max_per_address or _MAX_PER_ADDRESS,
        handshake_seconds=settings.handshake_timeout,
        body_seconds=settings.body_timeout,
        enter_seconds=settings.enter_timeout,
        api_tokens=settings.api_token,
        owner_token=settings.owner_token or generated,
        offline=cast("Offline", settings.offline),
        dev=settings.dev,
    )
    app.on_response_prepare.append(_adds({**_HEADERS, **certificates.headers}))
    metrics: Metrics | None = None
    if settings.metrics_token is not None:
        metrics = Metrics(settings.metrics_token, app[MOUNT], store)
        app.router.add_get("/metrics", metrics.respond)
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", _readiness(going, store))
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.5)
    irc: IrcServer | None = None
    listening: asyncio.Server | TlsListener | None = None
    with Console(settings.log_format, quiet=settings.quiet) as console:

        def watch(room: ChatRoom) -> None:
            console.watch(room)
            if metrics is not None:
                metrics.watch(room)

        for room in rooms:
            watch(room)
        app[MOUNT].rooms.rooms.on_add = watch
        await runner.setup()
        try:
            try:
                for room in rooms:
                    await room.start()
            except Refused:  # /readyz shows this too
                told = "The store cannot be used yet. The rooms open as soon as it can."
                console.say(told, {"event": "unavailable"})
            listening = await _listen(runner, app[MOUNT], settings, certificates, files)
            cut_unread(listening.sockets)
            port: int = listening.sockets[0].getsockname()[1]
            irc = await _listen_for_irc(served, settings, certificates, files)
            if metrics is not None:
                metrics.irc = irc
            certificates.reload_on_hangup(console)
            scheme = "http" if certificates.web is None else "https"
            address = _url(scheme, settings.host, port)
            greeting = f"{_greeting(scheme, settings.host, port)}. {_kept(url)}"
            console.say(greeting, {"event": "start", "url": address, "store": redact(url)})
            if settings.rooms != "fixed":
                console.say(f"A visit to {address}rooms/NAME makes the room NAME.", {"event": "rooms", "url": address})
            if irc is not None:
                told = f"IRC clients connect to {settings.host}, port {irc.port}, and type /join #{settings.room[0]}"
                console.say(told, {"event": "irc", "host": settings.host, "port": irc.port})
            if generated is not None:
                told = f"Until the server stops, this link makes you an owner of the room: {address}#owner={generated}"
                console.say(told, {})
            if files is not None and files < MANY_FILES:
                told = f"This process may open {files} files, one for each connection. Raise the limit: ulimit -n."
                console.say(told, {"event": "few_files", "files": files})
            prepare()
            trimming = asyncio.create_task(give_memory_back())
            if settings.open:
                asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)
            await going.wait()
            trimming.cancel()
            console.say("Shutting down.", {"event": "stop"})
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHUTDOWN_SECONDS):
                    if irc is not None:
                        await irc.aclose()
                    # Before the port is closed, because a client that polls gets the reason with its next poll.
                    await app[MOUNT].aclose()
                    if listening is not None:
                        listening.close()
                    await runner.cleanup()
            await store.aclose()


def _chat(rooms: list[ChatRoom], store: Store, limits: Limits, settings: Settings) -> Chat:
    """The rooms of `--room`, and those that visitors make, if they may."""
    rates = rooms[0].backend.rates
    visitors = VisitorRooms(
        store,
        lambda name: chat.get(name) is not None,
        rates,
        limits.table["rooms"],
        listed=settings.rooms == "listed",
    )
    chat = Chat(
        *rooms,
        store=store,
        find_room=None if settings.rooms == "fixed" else visitors.find,
        limits=limits,
        reserved_names=settings.reserved_name,
        grace=settings.grace,
        push=settings.push,
    )
    return chat


def _rates(settings: Settings) -> dict[str, tuple[float, float]]:
    try:
        return parse_rates(settings.rate)
    except UsageError as error:
        raise UsageError(f"--rate: {error}") from None


def _hosts(settings: Settings) -> list[str]:
    """The allowed host names: `--host`, those of `--allow-host`, and the hosts of `--allow-origin`."""
    origins = (origin.partition("://")[2].rstrip("/") for origin in settings.allow_origin)
    return [*(name for name in (settings.host, *origins) if name and host_name(name)), *settings.allow_host]


def _retention(settings: Settings) -> Retention | None:
    if settings.keep_messages is None and settings.keep_days is None:
        return None
    return Retention(settings.keep_messages, None if settings.keep_days is None else settings.keep_days * 86_400.0)


def _kept(url: str) -> str:
    if url == "memory:":
        return "Messages are kept until the server stops."
    if not url.startswith("sqlite:"):
        return f"Messages are kept in {redact(url)}."
    path = sqlite_path(url)
    home = Path.home()
    return f"Messages are kept in {Path('~') / path.relative_to(home) if path.is_relative_to(home) else path}."


def _per_address(settings: Settings, max_clients: int) -> int:
    """The connections of one address, if there may be `max_clients`."""
    return settings.max_per_address or min(_MAX_PER_ADDRESS, max(1, max_clients // 2))


async def _listen(
    runner: web.AppRunner, mount: Mount, settings: Settings, certificates: Certificates, files: int | None
) -> asyncio.Server | TlsListener:
    plain, socketio = runner.server, mount.socketio.server
    assert plain is not None  # noqa: S101 -- it is set up
    max_clients = max_connections(files)
    if settings.max_connections is not None:
        max_clients = min(max_clients, settings.max_connections)
    per_address = max_clients if settings.limits == "off" else _per_address(settings, max_clients)
    connections = Connections(
        AddressLimiter(max_clients, per_address),
        socketio.eio.proxies,
        head_seconds=settings.head_timeout,
        idle_seconds=settings.idle_timeout,
    )
    loop = asyncio.get_running_loop()
    max_body_bytes = 2 * socketio.eio.options.max_http_buffer_size + _SPARE_BODY_BYTES

    def connection() -> HttpConnection:
        return HttpConnection(plain, connections, max_body_bytes=max_body_bytes)

    def router() -> HandshakeRouter:
        return HandshakeRouter(socketio, connection, connections=connections)

    try:
        if certificates.web is None:
            return await loop.create_server(router, settings.host or None, settings.port, backlog=1024)
        listener = TlsListener(certificates.web.context, router, connections, mount.handshakes)
        await listener.start(settings.host or None, settings.port)
        return listener
    except socket.gaierror:
        msg = f"--host {settings.host}: there is no such address. Try 127.0.0.1, or 0.0.0.0 for all addresses."
        raise UsageError(msg) from None
    except OSError as error:
        raise UsageError(_why_not(error, settings.host, settings.port, "--port")) from None


async def _listen_for_irc(
    rooms: Sequence[ChatRoom | Chat], settings: Settings, certificates: Certificates, files: int | None
) -> IrcServer | None:
    if settings.irc_port is None:
        return None
    tls = None if certificates.irc is None else certificates.irc.context
    max_clients = max_irc_clients(files)
    irc = IrcServer(
        *rooms,
        max_clients=max_clients,
        max_per_address=min(settings.irc_max_per_address, max(1, max_clients // 2)),
        registration_seconds=settings.handshake_timeout,
    )
    try:
        await irc.start(settings.host, settings.irc_port, tls=tls)
    except OSError as error:
        raise UsageError(_why_not(error, settings.host, settings.irc_port, "--irc-port")) from None
    return irc


def _why_not(error: OSError, host: str, port: int, flag: str) -> str:
    where = f"{host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is in use. Choose another with {flag}, or let {flag} 0 pick a free one."
        case errno.EACCES:
            return f"You may not listen on {where}: ports below 1024 are for administrators. Choose another {flag}."
        case errno.EADDRNOTAVAIL:
            return f"--host {host}: this machine does not have that address. Try 127.0.0.1 or 0.0.0.0."
    return f"Cannot listen on {where}: {os.strerror(error.errno) if error.errno else error}."


def _url(scheme: str, host: str, port: int) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 -- compared, not listened on
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


def _greeting(scheme: str, host: str, port: int) -> str:
    line = f"pychat is at {_url(scheme, host, port)} (Ctrl-C stops it)"
    network = _address_in_network()
    if host in ("127.0.0.1", "localhost", "::1"):
        return line + (". For other computers on your network, add --host 0.0.0.0" if network else "")
    if host in ("0.0.0.0", "::", "") and network:  # noqa: S104 -- compared, not listened on
        return f"{line}. For other computers on your network: {_url(scheme, network, port)}"
    return line


def _address_in_network() -> str | None:
    """The address of this machine in its network, if any. Connecting a UDP socket sends nothing."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address: str = probe.getsockname()[0]
        if not address.startswith(("127.", "0.")):
            return address
    return None


def _on_signals(go: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, go)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(go))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _adds(headers: Mapping[str, str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds headers to each response."""

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    return add


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _readiness(going: asyncio.Event, store: Store) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def ready(_: web.Request) -> web.Response:
        if going.is_set():
            return web.Response(status=503, text="shutting down\n")
        if not store.available:
            return web.Response(status=503, text="the store cannot be reached\n")
        return web.Response(text="ok\n")

    return ready
