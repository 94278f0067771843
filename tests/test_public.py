"""What is public is what is meant to be: additions are a decision, and removals break somebody's program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import pychat
from pychat import ChatRoom, stores
from pychat.testing import RecordingConnection
from pychat.transports import commands
from pychat.transports.authenticator import Authenticator

NAMES = """
    HOOKS Access AccessChanged AuditEntry Away Chat ChatClient ChatError ChatRoom Client Close Deleted Disconnected Edited Event Held HeldDecided IrcServer Joined Kicked Left
    Limits Member Message Position QueueChanged Quote Reacted Refused Renamed Report Request Role RoomChanged RoomSettings RoomSnapshot SocketIOTransport Typing
    UsageError User Whisper __version__ aiohttp_app asgi_app serve_irc
"""
FOR_APPS = """
    name title limits clock members member_count here position start aclose closed dismiss on user threadsafe
    post edit delete kick moderation history message whisper purge
"""
FOR_TRANSPORTS = "backend connect"

#: What somebody writes who follows the docs; the mistakes are marked, and must be found.
PROGRAM = """\
from collections.abc import Awaitable

import pychat
from pychat import ChatRoom, Member, Message, Refused, Request, User

room = ChatRoom("lobby", store="memory:", limits=pychat.Limits(text=500))


@room.on("message")
def polite(message: Message) -> Message | None:
    if message.text.isupper():
        raise Refused("shouting", "Please lower your voice.", retry_after=1.0)
    return None


@room.on("message")
async def checked(message: Message) -> None:
    user = room.user(message.author.id)
    print(user.data if user is not None else message.author.roles)


@room.on("join")
def welcome(member: Member) -> Member | None:
    return member


@room.on("event")
async def told(event: pychat.Event) -> None:
    match event:
        case pychat.Message(seq=seq):
            print(seq + 1)
        case pychat.Kicked(member=member, text=text):
            print(member.name, text)


def plain(request: Request) -> User | Refused | None:
    name = request.cookies.get("name") or request.bearer or request.query.get("name")
    return User("1", name, roles=("moderator",), data=object()) if name else Refused("login_required", "Log in.")


async def awaited(request: Request) -> User:
    return User(request.headers["x-user"])


def later(request: Request) -> Awaitable[User | None]:
    raise NotImplementedError


def in_a_thread() -> int:
    return room.threadsafe.post("hi", author=User("1", "Ada")).seq + len(room.threadsafe.history(limit=5))


async def main() -> None:
    async with ChatRoom() as other:
        message: Message = await other.post("hi", author="bot", id="one")
        await other.edit(message.seq, "hello")
        names: list[str] = [member.name for member in other.members]
        await other.kick("user:1", names[0])


first = pychat.aiohttp_app(room, authenticate=plain, allowed_origins=["https://example.com"])
second = pychat.asgi_app(room, ChatRoom("den"), authenticate=awaited, trusted_proxies="127.0.0.1")
third = pychat.asgi_app(room, authenticate=later)

pychat.asgi_app(room, autenticate=plain)  # wrong
room.post("hi", author="bot").seq  # wrong
User(1, "Ada")  # wrong
room.on("mesage", polite)  # wrong
room.on("message", welcome)  # wrong
"""


def test_a_name_of_before_still_works():
    """A program that was written for an older name runs, and is told the new one."""
    with pytest.warns(DeprecationWarning, match="pychat.RoomSnapshot"):
        assert pychat.Entered is pychat.RoomSnapshot


def test_the_old_name_of_an_authenticator_still_works():
    """`SocketIOTransport(door=…)` runs, and its caller is told the new name."""
    with pytest.warns(DeprecationWarning, match="authenticator"):
        pychat.SocketIOTransport(ChatRoom(), door=Authenticator())


def test_the_ability_to_count_guests_is_part_of_the_store():
    """A program that asks for `CountsGuests` runs, and is told to use `Store`; a store has no guests by default."""
    with pytest.warns(DeprecationWarning, match="Subclass Store"):
        assert stores.CountsGuests is stores.Store
    store = stores.MemoryStore()
    assert store.guests is None
    with pytest.raises(AttributeError, match="CountsGhosts"):
        _ = stores.CountsGhosts


async def test_the_old_names_of_a_transport_still_work() -> None:
    """A transport that was written for `submit` and `Session.set_typing` runs, and is told the new names."""
    with pytest.warns(DeprecationWarning, match="submit_command"):
        assert commands.submit is commands.submit_command
    with pytest.raises(AttributeError, match="submits"):
        _ = commands.submits
    async with ChatRoom() as room:
        session = await room.connect(RecordingConnection())
        await session.join("Ada")
        with pytest.warns(DeprecationWarning, match=r"Session\.set_typing\(\)"):
            await session.type(on=True)
        with pytest.warns(DeprecationWarning, match=r"CommandQueue\.enqueue\(\)"):
            assert await session.submit(asyncio.sleep(0, "done")) == "done"


def test_the_public_names_are_these() -> None:
    """`from pychat import *`, and no more."""
    assert sorted(NAMES.split()) == sorted(pychat.__all__)
    assert sorted(NAMES.split()) == dir(pychat)


def test_a_room_is_small() -> None:
    """What an app and a transport ask of a room; how it works is not to be seen."""
    public = {name for name in [*dir(ChatRoom), *vars(ChatRoom())] if not name.startswith("_")}
    assert set(f"{FOR_APPS} {FOR_TRANSPORTS}".split()) == public


@pytest.mark.parametrize("name", ["check_name", "first_members", "follow_names", "in_memory", "member", "tokens"])
async def test_what_only_transports_call_is_found_in_the_backend(name: str) -> None:
    """A transport that asks the room itself runs, and is told where to ask. Other names are unknown, as ever."""
    async with ChatRoom() as room:
        with pytest.warns(DeprecationWarning, match=f"ChatRoom.backend.{name}"):
            assert getattr(room, name) == getattr(room.backend, name)
        assert not hasattr(room, "check_names")


def test_a_program_that_follows_the_docs_has_its_types(tmp_path: Path) -> None:
    """mypy, strict, on somebody's program with pychat installed: it passes, and mistakes are found where they are."""
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=.mypy", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    found = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line]
    assert wrong == sorted(set(found)), done.stdout
