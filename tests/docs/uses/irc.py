"""How blocks about IRC are tested."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

from pychat import ChatRoom, IrcServer, serve_irc
from tests.clients import WebSocketPerson
from tests.docs.stage import Stage
from tests.irc.person import IrcPerson
from tests.irc.weechat import weechat


async def is_typed_into_weechat(stage: Stage, argument: str) -> None:
    """A person who types that is in the room."""
    room = ChatRoom("lobby")
    irc = await serve_irc(room, port=0)
    async with weechat(stage.folder) as somebody:
        for line in stage.code.splitlines():
            somebody.types(line.replace("6667", str(irc.port)))
            if line.startswith("/connect"):
                await somebody.until(lambda: any("/join" in said for _, said in somebody.log("server.pychat")))
        await somebody.until(lambda: len(room.members) == 1)
    await irc.aclose()
    await room.aclose()


@contextlib.contextmanager
def irc_on_a_free_port() -> Iterator[list[int]]:
    """Use a free port where the docs say 6667."""
    ports: list[int] = []
    real = IrcServer.start

    async def start(self: IrcServer, host: str | None, port: int) -> int:
        assert port == 6667
        ports.append(await real(self, host, 0))
        return ports[0]

    with mock.patch.object(IrcServer, "start", start):
        yield ports


async def knows_who_has_a_token(stage: Stage, argument: str) -> None:
    """With the token the user is Ada; without it, the server says what to do."""
    with irc_on_a_free_port() as ports:
        names = await stage.run()
    ada = await IrcPerson.enter(ports[0], "whoever", password="ada-s-token")
    assert "Ada" in ada.heard[-2].params[-1].split()
    stranger = await IrcPerson.connect(ports[0])
    stranger.say("NICK ada", "USER ada 0 * :Ada")
    assert (await stranger.next()).params[-1] == "Set your token as the server password, and connect again."
    await names["irc"].aclose()
    for person in (ada, stranger):
        await person.close()
    await names["room"].aclose()


async def lets_irc_in(stage: Stage, argument: str) -> None:
    """An IRC client and a page hear each other."""
    with irc_on_a_free_port() as ports:
        url = await stage.serve()
    ada, bob = await IrcPerson.enter(ports[0], "ada"), await WebSocketPerson.enter(f"{url}/chat")
    await bob.command("join", {"name": "Bob"})
    ada.say("PRIVMSG #lobby :hi")
    assert (await bob.event("message"))["text"] == "hi"
    await bob.command("say", {"text": "hello"})
    assert (await ada.line("PRIVMSG")).params == ("#lobby", "hello")
    await ada.close()
    await bob.close()
