"""The server in the place of `socketio.AsyncServer`: what python-socketio documents works, with its own client."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import socketio
import uvicorn
from aiohttp import web
from socketio.async_pubsub_manager import AsyncPubSubManager

from pychat.domain.errors import UsageError
from pychat.transports.socketio import Manager, Server

# python-socketio's client leaves aiohttp connections to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(params=[["websocket"], ["polling"], ["polling", "websocket"]], ids="+".join)
async def connect(request):
    """Connect python-socketio's client, over each transport and through the upgrade."""
    clients = []

    async def connect_(wire, namespaces=None, auth=None, **handlers):
        client = socketio.AsyncClient(reconnection=False)
        clients.append(client)
        for name, handler in handlers.items():
            client.on(name, handler)
        await client.connect(
            wire.url,
            transports=request.param,
            socketio_path="chat/socket.io",
            namespaces=namespaces,
            auth=auth,
            wait_timeout=10,
        )
        return client

    yield connect_
    for client in clients:
        await client.disconnect()


async def test_events_rooms_and_acks(serve, recorder, connect):
    """Events, acknowledgements, rooms, skipping and bytes, from both sides."""
    server, _ = recorder()
    wire = await serve(server)
    heard = [asyncio.Queue(), asyncio.Queue()]
    clients = [await connect(wire, news=queue.put_nowait) for queue in heard]
    sids = [client.get_sid() for client in clients]
    await server.enter_room(sids[0], "team")
    await server.enter_room(sids[1], "team")
    await server.leave_room(sids[1], "team")
    assert {sids[0], "team"} == set(server.rooms(sids[0]))
    await server.emit("news", "team", room="team")
    await server.emit("news", {"all": b"bytes"})
    await server.emit("news", "not me", skip_sid=sids[0])
    await server.emit("news", "two", to=[sids[1], "team"])
    assert ["team", {"all": b"bytes"}, "two"] == [await heard[0].get() for _ in range(3)]
    assert [{"all": b"bytes"}, "not me", "two"] == [await heard[1].get() for _ in range(3)]
    assert await clients[0].call("message-with-ack", ("a", 2)) == ("a", 2)
    await server.close_room("team")
    assert [sids[0]] == server.rooms(sids[0])


async def test_call_and_callbacks(serve, recorder, connect):
    """The server may ask clients, and be answered."""
    server, _ = recorder()
    wire = await serve(server)
    client = await connect(wire, double=lambda number: number * 2)
    assert await server.call("double", 21, to=client.get_sid(), timeout=5) == 42
    answers = asyncio.Queue()
    await server.emit("double", 4, to=client.get_sid(), callback=answers.put_nowait)
    assert await answers.get() == 8
    never = asyncio.Event()
    client.on("never", never.wait)
    with pytest.raises(socketio.exceptions.TimeoutError):
        await server.call("never", to=client.get_sid(), timeout=0.05)
    never.set()


async def test_sessions_environ_and_transport(serve, recorder, connect, request):
    """Sessions live from `connect` to the end of `disconnect`; `environ` and `transport` say what they should."""
    server, _ = recorder()
    seen = asyncio.Queue()

    @server.event
    async def connect_(sid, environ, auth):
        raise AssertionError

    @server.on("connect")
    async def on_connect(sid, environ, auth):
        await server.save_session(sid, {"name": auth["name"]})
        async with server.session(sid) as session:
            session["path"] = environ["PATH_INFO"]

    @server.on("disconnect")
    async def on_disconnect(sid, reason):
        seen.put_nowait(await server.get_session(sid))

    wire = await serve(server)
    client = await connect(wire, auth={"name": "Ada"})
    sid = client.get_sid()
    assert server.get_environ(sid)["REQUEST_METHOD"] == "GET"
    assert server.transport(sid) == client.transport()
    await client.disconnect()
    assert {"name": "Ada", "path": "/chat/socket.io/"} == await seen.get()


async def test_namespace_classes(serve, recorder, connect):
    """Class-based namespaces get their events, and only their own."""
    seen = asyncio.Queue()

    class Team(socketio.AsyncNamespace):
        async def on_connect(self, sid, environ):
            seen.put_nowait("connect")

        async def on_shout(self, sid, text):
            await self.emit("heard", text.upper())

        async def on_disconnect(self, sid):
            seen.put_nowait("disconnect")

    server, _ = recorder()
    server.register_namespace(Team("/team"))
    wire = await serve(server)
    client = await connect(wire, namespaces=["/team"])
    heard = asyncio.Queue()
    client.on("heard", heard.put_nowait, namespace="/team")
    await client.emit("shout", "hey", namespace="/team")
    assert await heard.get() == "HEY"
    await client.disconnect()
    assert ["connect", "disconnect"] == [await seen.get(), await seen.get()]


async def test_refusals(serve, recorder, connect):
    """A `connect` handler may refuse by raising or with False, with the older signature too."""
    server, _ = recorder()

    @server.event
    async def connect_(sid, environ):
        return False

    @server.on("connect")
    async def on_connect(sid, environ):
        return False

    wire = await serve(server)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(wire)


async def test_failing_handlers(serve, recorder, connect, caplog):
    """A handler that fails is a line in the log; the client goes on, and leaves properly."""
    server, _ = recorder()

    @server.on("break")
    async def break_(sid):
        raise RuntimeError("broken")

    @server.on("disconnect")
    async def disconnect(sid, reason):
        raise RuntimeError("broken as well")

    wire = await serve(server)
    client = await connect(wire)
    await client.emit("break")
    assert await client.call("message-with-ack", "still") == "still"
    await client.disconnect()
    async with asyncio.timeout(5):
        while server.eio.registry.sockets:
            await asyncio.sleep(0.001)
    assert {} == server.manager.rooms
    assert "broken as well" in caplog.text


async def test_attach_to_aiohttp():
    """`attach` serves exactly the path; what lies below it is the application's own."""
    server = Server(async_mode="aiohttp", cors_allowed_origins="*")
    app = web.Application()

    async def script(_request):
        return web.Response(text="// script")

    app.router.add_get("/socket.io/socket.io.js", script)
    server.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as http, http.get(url + "/socket.io/socket.io.js") as answer:
        assert await answer.text() == "// script"
    client = socketio.AsyncClient()
    await client.connect(url, wait_timeout=10)
    await client.disconnect()
    await server.shutdown(0.1)
    await runner.cleanup()


async def test_asgi_app():
    """`socketio.ASGIApp` takes the server as it takes its own."""
    import socket

    server = Server(async_mode="asgi")
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(socketio.ASGIApp(server), log_level="warning", timeout_graceful_shutdown=1)
    runner = uvicorn.Server(config)
    task = asyncio.create_task(runner.serve(sockets=[sock]))
    client = socketio.AsyncClient()
    while not runner.started:
        await asyncio.sleep(0.001)
    await client.connect(f"http://127.0.0.1:{sock.getsockname()[1]}", wait_timeout=10)
    await client.disconnect()
    await server.shutdown(0.1)
    runner.should_exit = True
    await task


def test_options_that_cannot_be():
    """Options that would be ignored or cannot be are refused, with what to do instead."""
    for wrong in (
        {"json": object()},
        {"serializer": "msgpack"},
        {"async_mode": "tornado"},
        {"client_manager": socketio.AsyncManager()},
        {"connect_timeout": 0},
        {"max_pending": 0},
        {"lone_surrogates": "maybe"},
        {"trusted_proxies": ["nonsense"]},
        {"allowed_origins": ["example.com"]},
        {"cors_allowed_origins": lambda origin: True},
    ):
        with pytest.raises(UsageError):
            Server(**wrong)


async def test_managers_of_several_processes(serve, recorder, connect):
    """The library's managers for several processes work on top of this one's."""

    class Ours(AsyncPubSubManager, Manager):
        async def _publish(self, data):
            published.append(data["method"])

        async def _listen(self):
            await asyncio.Event().wait()
            yield

    published = []
    server, _ = recorder(client_manager=Ours())
    wire = await serve(server)
    heard = asyncio.Queue()
    client = await connect(wire, news=heard.put_nowait)
    await server.emit("news", "hello")
    assert await heard.get() == "hello"
    assert published == ["emit"]
    server.manager.thread.cancel()
    del client
