"""Each method that python-socketio documents for applications, through its own client; the how-to has the same list."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path

import pytest
import socketio

from pychat.domain.errors import UsageError
from pychat.transports.socketio import Server

DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "socketio-server.md"

pytestmark = [
    pytest.mark.parametrize("host", ["front"], indirect=True),
    # python-socketio's client leaves aiohttp connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
async def connect():
    """Connect python-socketio's client over WebSocket; handlers by event, in the first of `namespaces`."""
    clients = []

    async def connect_(wire, namespaces=None, auth=None, **handlers):
        client = socketio.AsyncClient(reconnection=False)
        clients.append(client)
        for name, handler in handlers.items():
            client.on(name, handler, namespace=namespaces[0] if namespaces else None)
        await client.connect(
            wire.url,
            transports=["websocket"],
            socketio_path="chat/socket.io",
            namespaces=namespaces,
            auth=auth,
            wait_timeout=10,
        )
        return client

    yield connect_
    for client in clients:
        await client.disconnect()


def test_every_method_is_documented(host):
    """The how-to names every public method of `socketio.AsyncServer`, as supported or as not."""
    names = {name for name, _ in inspect.getmembers(socketio.AsyncServer, inspect.isfunction) if name[0] != "_"}
    written = set(re.findall(r"`(\w+)\(?\)?`", DOCS.read_text("utf-8").partition("## Methods")[2]))
    assert names - {"is_asyncio_based"} <= written


async def test_send(serve, recorder, connect):
    """`send` emits the event `message`, to everybody, to some, or to all but some."""
    server, _ = recorder()
    wire = await serve(server)
    heard = [asyncio.Queue(), asyncio.Queue()]
    clients = [await connect(wire, message=queue.put_nowait) for queue in heard]
    await server.send("all")
    await server.send({"not": "the second"}, skip_sid=clients[1].get_sid())
    await server.send("the second", to=clients[1].get_sid())
    assert ["all", {"not": "the second"}] == [await heard[0].get() for _ in range(2)]
    assert ["all", "the second"] == [await heard[1].get() for _ in range(2)]
    answer = asyncio.get_running_loop().create_future()
    clients[0].on("message", lambda text: text.upper())
    await server.send("answer", to=clients[0].get_sid(), callback=answer.set_result)
    assert await answer == "ANSWER"


async def test_emit_to_rooms_with_several_values(serve, recorder, connect):
    """A tuple is several values, None is none; a list of rooms reaches a client that is in both once."""
    server, _ = recorder()
    wire = await serve(server)
    heard = asyncio.Queue()
    client = await connect(wire, news=lambda *values: heard.put_nowait(values))
    for room in ("a", "b"):
        await server.enter_room(client.get_sid(), room)
    await server.emit("news", ("one", 2, b"3"), to=["a", "b"])
    await server.emit("news", room="a")
    await server.emit("news", "nobody", to="c")
    await server.emit("news", "skipped", skip_sid=[client.get_sid()])
    await server.emit("news", "last", ignore_queue=True)
    assert [("one", 2, b"3"), (), ("last",)] == [await heard.get() for _ in range(3)]


async def test_rooms_refuse_what_is_no_room(serve, recorder, connect):
    """The room of another client is entered by nobody, and closed by nobody."""
    server, _ = recorder()
    wire = await serve(server)
    one, other = [(await connect(wire)).get_sid() for _ in range(2)]
    with pytest.raises(ValueError, match="sid room"):
        await server.enter_room(one, other)
    with pytest.raises(ValueError, match="sid room"):
        await server.close_room(other)
    with pytest.raises(ValueError, match="not connected"):
        await server.enter_room("nobody", "team")
    await server.leave_room("nobody", "team")
    assert ([one], []) == (server.rooms(one), server.rooms("nobody"))


async def test_event_decorator(serve, recorder, connect):
    """`event` takes the name from the function, with a namespace where one is given."""
    server, _ = recorder()

    @server.event
    async def hello(sid, name):
        return f"hello {name}"

    @server.event(namespace="/team")
    def shout(sid, text):
        return text.upper()

    wire = await serve(server)
    client = await connect(wire, namespaces=["/", "/team"])
    assert await client.call("hello", "Ada") == "hello Ada"
    assert await client.call("shout", "hey", namespace="/team") == "HEY"


async def test_catch_all_handlers(serve, recorder, connect):
    """`*` is any event or any namespace, less than a name; an event that is called `*` is one among all."""
    server, _ = recorder(namespaces="*")
    server.on("*", lambda event, sid, *values: ["event", event, *values], namespace="/a")
    server.on("known", lambda namespace, sid, *values: ["namespace", namespace, *values], namespace="*")
    server.on("*", lambda event, namespace, sid, *values: ["both", event, namespace, *values], namespace="*")
    wire = await serve(server)
    client = await connect(wire, namespaces=["/a", "/b"])
    assert await client.call("known", 1, namespace="/a") == ["event", "known", 1]
    assert await client.call("*", 2, namespace="/a") == ["event", "*", 2]
    assert await client.call("known", 3, namespace="/b") == ["namespace", "/b", 3]
    assert await client.call("other", 4, namespace="/b") == ["both", "other", "/b", 4]


async def test_namespace_objects(serve, recorder, connect):
    """The methods of an `AsyncNamespace` are those of the server, in its namespace."""
    server, _ = recorder()
    ended = asyncio.Queue()

    class Team(socketio.AsyncNamespace):
        async def on_connect(self, sid, environ, auth):
            await self.save_session(sid, {"name": auth["name"]})
            await self.enter_room(sid, "team")

        async def on_whoami(self, sid):
            async with self.session(sid) as session:
                session["asked"] = session.get("asked", 0) + 1
                return session["name"], session["asked"], sorted(self.rooms(sid)) == sorted([sid, "team"])

        async def on_ask(self, sid):
            return await self.call("double", 21, to=sid, timeout=5)

        async def on_out(self, sid):
            await self.disconnect(sid)

        async def on_disconnect(self, sid, reason):
            ended.put_nowait(reason)

    server.register_namespace(Team("/team"))
    wire = await serve(server)
    client = await connect(wire, namespaces=["/team"], auth={"name": "Ada"}, double=lambda number: number * 2)
    assert await client.call("whoami", namespace="/team") == ("Ada", 1, True)
    assert await client.call("whoami", namespace="/team") == ("Ada", 2, True)
    assert await client.call("ask", namespace="/team") == 42
    await client.emit("out", namespace="/team")
    assert await ended.get() == server.reason.SERVER_DISCONNECT


async def test_sessions_are_apart_by_namespace(serve, recorder, connect):
    """Each namespace of a connection has a session of its own; there is none for who is not there."""
    server, _ = recorder(namespaces="*")
    wire = await serve(server)
    client = await connect(wire, namespaces=["/", "/team"])
    main, team = client.get_sid(), client.get_sid("/team")
    await server.save_session(main, {"in": "main"})
    async with server.session(team, namespace="/team") as session:
        session["in"] = "team"
    assert ({"in": "main"}, {"in": "team"}) == (
        await server.get_session(main),
        await server.get_session(team, namespace="/team"),
    )
    with pytest.raises(KeyError):
        await server.get_session("nobody")
    assert server.get_environ("nobody") is None


async def test_disconnect(serve, recorder, connect):
    """`disconnect` ends a client in one namespace, once; the others of its connection stay."""
    server, log = recorder(namespaces="*")
    wire = await serve(server)
    gone = asyncio.Event()
    client = await connect(wire, namespaces=["/", "/team"], disconnect=lambda *_: gone.set())
    sid = client.get_sid()
    await server.disconnect(sid)
    await server.disconnect(sid)
    await gone.wait()
    assert [("disconnect", sid, server.reason.SERVER_DISCONNECT)] == [each for each in log if each[0] == "disconnect"]
    assert list(client.namespaces) == ["/team"]
    assert server.transport(client.get_sid("/team"), namespace="/team") == "websocket"


async def test_refusals_say_why(serve, recorder, connect):
    """What `ConnectionRefusedError` is given travels to the client, in the form of the library."""
    server, _ = recorder()

    @server.on("connect")
    async def refuse(sid, environ):
        raise socketio.exceptions.ConnectionRefusedError("Not you", {"code": 7})

    wire = await serve(server)
    opened = await wire.websocket()
    await opened.send("40")
    assert await opened.receive() == '44{"message":"Not you","data":{"code":7}}'


async def test_always_connect(serve, recorder):
    """With `always_connect` CONNECT is answered first, and a refusal is a DISCONNECT."""
    server, _ = recorder(always_connect=True)

    @server.on("connect")
    async def refuse(sid, environ):
        await server.emit("before", to=sid)
        return False

    wire = await serve(server)
    opened = await wire.websocket()
    assert "sid" in await opened.connect()
    assert ['42["before"]', "41"] == [await opened.receive(), await opened.receive()]


async def test_namespaces_that_are_accepted(serve, recorder):
    """Namespaces with handlers are accepted, and those that `namespaces` names; others are refused."""
    server, _ = recorder(namespaces=["/named"])
    server.on("hit", lambda sid: None, namespace="/handled")
    wire = await serve(server)
    opened = await wire.websocket()
    for namespace in ("/named", "/handled"):
        assert "sid" in await opened.connect(namespace)
    await opened.send("40/other")
    assert await opened.receive() == '44/other,{"message":"Invalid namespace"}'


async def test_background_tasks(serve, recorder, connect):
    """`start_background_task` runs a coroutine function beside the handlers; `sleep` waits."""
    server, _ = recorder()
    wire = await serve(server)
    client = await connect(wire)

    async def count(to, *, sid):
        for number in range(to):
            await server.emit("tick", number, to=sid)
            await server.sleep()
        return to

    assert await server.start_background_task(count, 3, sid=client.get_sid()) == 3


async def test_call_without_an_answer(serve, recorder, connect):
    """`call` asks one client: it gives up after its timeout, and refuses to ask everybody."""
    server, _ = recorder()
    wire = await serve(server)
    client = await connect(wire, nothing=lambda: None, pair=lambda: (1, 2))
    sid = client.get_sid()
    assert (None, (1, 2)) == (await server.call("nothing", sid=sid), await server.call("pair", to=sid))
    with pytest.raises(ValueError, match="broadcast"):
        await server.call("nothing")
    with pytest.raises(socketio.exceptions.TimeoutError):
        await server.call("nothing", to="nobody", timeout=0.01)


async def test_handle_request(host, recorder):
    """`handle_request` serves what `handle_aiohttp` and `handle_asgi` do."""
    server, _ = recorder()
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    query = b"EIO=4&transport=polling"
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": [], "client": ("::1", 1)}
    await server.handle_request(scope, receive, send)
    assert (200, b'0{"sid"') == (sent[0]["status"], sent[1]["body"][:7])
    await server.shutdown(0)


async def test_a_handler_that_was_cancelled_from_within(serve, recorder, connect):
    """A handler whose own work is cancelled ends alone: the client's next event is handled."""
    server, _ = recorder()

    @server.on("cancel")
    async def cancel(sid):
        work = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        work.cancel()
        await work

    wire = await serve(server)
    client = await connect(wire)
    assert await client.call("cancel") is None
    assert await client.call("message-with-ack", "still") == "still"


async def test_the_cookie_of_a_session(serve, recorder):
    """`cookie` is a name, or a dict with `name` and attributes; a client that polls is given it with its session."""
    for cookie, expected in (
        ("io", "io={sid}; path=/; SameSite=Lax"),
        (
            {"name": "sid", "HttpOnly": True, "SameSite": lambda: "Strict"},
            "sid={sid}; path=/; SameSite=Strict; HttpOnly",
        ),
    ):
        wire = await serve(recorder(cookie=cookie)[0])
        _, text, headers = await wire.request(transport="polling")
        assert expected.format(sid=text.split('"')[3]) == headers["Set-Cookie"]


def test_what_is_not_supported(host):
    """The admin page needs the internals of the library's server, and is refused with words; so are wrong settings."""
    with pytest.raises(UsageError, match="instrument"):
        Server().instrument()
    with pytest.raises(UsageError, match="transports"):
        Server(transports=["websocket pigeon"])
    with pytest.raises(UsageError, match="ping_timeout"):
        Server(ping_timeout=0)
    assert Server(transports="polling", ping_interval=(3, 2)).eio.options.ping_seconds == 5
