"""The contract of transports: tests that every transport must pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from unittest import SkipTest

from pychat.domain.errors import Close, UsageError
from pychat.domain.limits import Limits
from pychat.domain.model import Position, iso
from pychat.room.chatroom import ChatRoom

__all__ = ["Client", "TransportContract"]

_Fields = dict[str, Any]


class Client(Protocol):
    """One connected person.

    A client that can stop reading also has `async def stall(self) -> None`. Without it, the test of slow readers is
    skipped.
    """

    async def command(self, name: str, fields: _Fields) -> _Fields:
        """Send a command of version 1 and return its answer."""

    async def event(self, name: str) -> _Fields:
        """Return the next event of that name, also if it came before this call. Fail after 10 seconds."""

    async def close(self) -> None:
        """Leave: close the connection normally."""


class TransportContract:
    """Tests that every transport must pass. Subclass it, and override `people`.

        class TestMine(TransportContract):
            @asynccontextmanager
            async def people(self, room):
                async with my_server(room) as address:
                    yield lambda since=None: my_client(address, since)

    `people` yields a coroutine function that returns a new `Client` after its handshake.

    An old protocol may not support everything. Name the tests that it cannot pass in `lacks`, without `test_`:
    `lacks = frozenset({"a_token_makes_the_same_member"})`.
    """

    #: Names of tests that are left out, because the protocol does not support them.
    lacks: frozenset[str] = frozenset()

    #: The version of the protocol. On version 2, `people` yields a function that enters the one room on a connection of
    #: its own; `welcome` is the event `entered`, `bye` is `exited`, and the fields have no `room`.
    version = 1

    def __init_subclass__(cls, **about: Any) -> None:  # noqa: ANN401 -- handed on
        """Remove the tests in `lacks`. Raise `UsageError` for a name without a test."""
        super().__init_subclass__(**about)
        for name in cls.lacks:
            if not hasattr(TransportContract, f"test_{name}"):
                raise UsageError(f"{cls.__name__}.lacks names {name!r}, but there is no test_{name} in the contract.")
            setattr(cls, f"test_{name}", None)

    @asynccontextmanager
    async def people(self, room: ChatRoom) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
        """Serve `room`, and yield a function to connect: `await enter(since=Position | None)`."""
        raise NotImplementedError
        yield None  # type: ignore[unreachable]  # makes this a generator

    def room(self, **settings: Any) -> ChatRoom:  # noqa: ANN401 -- what ChatRoom takes
        """Make the room for a test."""
        return ChatRoom("lobby", title="The Lobby", **settings)

    def _serve(self, **settings: Any) -> AbstractAsyncContextManager[Callable[..., Awaitable[Client]]]:  # noqa: ANN401
        return self.people(self.room(**settings))

    async def test_welcome_says_where_things_stand(self) -> None:
        """The first event has the room, the position and the limits."""
        async with self._serve(limits=Limits(name=20, text=100)) as enter:
            ada = await enter()
            welcome = await ada.event("welcome")
            expected: _Fields = {"seq": 0, "recovered": False, "here": 1}
            if self.version == 1:
                expected |= {"v": 1, "room": {"name": "lobby", "title": "The Lobby"}}
            else:
                expected |= {"title": "The Lobby"}
            assert expected == {name: welcome[name] for name in expected}
            assert welcome["limits"] == {"name": 20, "text": 100}
            assert welcome["messages"] == welcome["members"] == []

    async def test_what_one_says_the_others_hear(self) -> None:
        """A message reaches everyone except its author's connection, which gets an answer with the number."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            joined = await ada.command("join", {"name": "Ada"})
            await bob.command("join", {"name": "Bob"})
            answer = await ada.command("say", {"text": "hi <b>all</b> ☕"})
            heard = await bob.event("message")
            assert heard == {
                "id": answer["id"],
                "seq": 1,
                "date": answer["date"],
                "author": joined["member"],
                "text": "hi <b>all</b> ☕",
            }
            await bob.command("say", {"text": "hello"})
            assert (await ada.event("message"))["text"] == "hello"  # its own would have come first

    async def test_everyone_sees_one_order(self) -> None:
        """Messages of several people reach everyone in the order of their numbers, without a gap."""
        async with self._serve() as enter:
            speakers, listeners = [await enter() for _ in range(3)], [await enter() for _ in range(2)]
            for number, speaker in enumerate(speakers):
                await speaker.command("join", {"name": f"Speaker{number}"})

            async def talk(speaker: Client) -> None:
                for number in range(20):
                    await speaker.command("say", {"text": str(number)})

            await asyncio.gather(*map(talk, speakers))
            for listener in listeners:
                assert [(await listener.event("message"))["seq"] for _ in range(60)] == list(range(1, 61))

    async def test_a_repeated_id_stands_once(self) -> None:
        """A message that is sent again is stored once, and gets the same answer."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            await ada.command("join", {"name": "Ada"})
            first = await ada.command("say", {"text": "once", "id": "m-1"})
            again = await ada.command("say", {"text": "once", "id": "m-1"})
            assert first == again
            await ada.command("say", {"text": "next"})
            assert [(await bob.event("message"))["text"] for _ in range(2)] == ["once", "next"]

    async def test_refusals_say_why_to_their_cause_alone(self) -> None:
        """Each error has its code. Nobody else gets it, and the connection stays open."""
        async with self._serve(limits=Limits(text=10)) as enter:
            ada, bob = await enter(), await enter()

            async def code(name: str, fields: Any) -> str:  # noqa: ANN401 -- what should not be sent
                answer = await ada.command(name, fields)
                assert answer["ok"] is False
                assert answer["error"]["text"]
                return str(answer["error"]["code"])

            assert await code("say", {"text": "hi"}) == "not_joined"
            assert await code("join", {}) == "bad_request"
            assert await code("join", {"name": 7}) == "bad_request"
            assert await code("join", {"name": "\u202eadA"}) == "name_invalid"
            assert await code("join", {"name": "Admin"}) == "name_reserved"
            assert await code("dance", {}) == "unknown_command"
            await ada.command("join", {"name": "Ada"})
            await bob.command("join", {"name": "Bob"})
            assert await code("join", {"name": "BOB"}) == "name_taken"
            assert await code("say", {"text": "  \n "}) == "text_empty"
            assert await code("say", {"text": "x" * 11}) == "text_too_long"
            assert await code("say", {"text": "a\0b"}) == "text_invalid"
            assert await code("say", {"text": ["x"]}) == "bad_request"
            assert await code("say", {"text": "x", "id": "no spaces"}) == "bad_request"
            await ada.command("say", {"text": "fine"})
            assert (await bob.event("message"))["text"] == "fine"  # the first that it heard

    async def test_names_are_free_again(self) -> None:
        """A name is free when its owner renames, leaves, or drops."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            await ada.command("join", {"name": "Ada"})
            await ada.command("join", {"name": "Countess"})
            assert (await bob.command("join", {"name": "ada"}))["ok"]
            await bob.command("leave", {})
            assert (await ada.command("join", {"name": "Ada"}))["ok"]
            await ada.close()
            while (await bob.event("presence"))["here"] != 1:
                pass
            assert (await bob.command("join", {"name": "Ada"}))["ok"]

    async def test_a_token_makes_the_same_member(self) -> None:
        """A client that returns with its token has the same id. An invalid token has no effect."""
        async with self._serve() as enter:
            ada = await enter()
            first = await ada.command("join", {"name": "Ada"})
            tab = await enter()
            second = await tab.command("join", {"token": first["token"]})
            assert second["member"] == first["member"]
            other = await enter()
            third = await other.command("join", {"name": "Eve", "token": first["member"]["id"] + ".made-up"})
            assert third["member"]["id"] != first["member"]["id"]

    async def test_who_comes_back_gets_what_was_missed(self) -> None:
        """A client that returns with a position gets exactly the later messages; with another epoch the newest page."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            await ada.command("join", {"name": "Ada"})
            epoch = (await bob.event("welcome"))["epoch"]
            await ada.command("say", {"text": "heard"})
            seen = await bob.event("message")
            await bob.close()
            for number in range(3):
                await ada.command("say", {"text": f"missed {number}"})
            bob = await enter(since=Position(epoch, seen["seq"]))
            welcome = await bob.event("welcome")
            assert (welcome["recovered"], welcome["seq"], welcome["messages"]) == (True, seen["seq"], [])
            await ada.command("say", {"text": "live"})
            texts = [(await bob.event("message"))["text"] for _ in range(4)]
            assert texts == ["missed 0", "missed 1", "missed 2", "live"]
            stranger = await enter(since=Position("another", 1))
            welcome = await stranger.event("welcome")
            assert welcome["recovered"] is False
            assert [message["seq"] for message in welcome["messages"]] == [1, 2, 3, 4, 5]

    async def test_the_id_of_the_last_event_tells_whether_it_is_the_same_log(self) -> None:
        """After a backup was restored, the epoch is the same. A client that saw other events gets the newest page."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            await ada.command("join", {"name": "Ada"})
            epoch = (await bob.event("welcome"))["epoch"]
            ids = [(await ada.command("say", {"text": f"{number}"}))["id"] for number in range(3)]
            same = await enter(since=Position(epoch, 2, ids[1]))
            assert (await same.event("welcome"))["recovered"] is True
            assert (await same.event("message"))["seq"] == 3
            other = await enter(since=Position(epoch, 2, "of-another-log"))
            welcome = await other.event("welcome")
            assert (welcome["recovered"], [each["seq"] for each in welcome["messages"]]) == (False, [1, 2, 3])

    async def test_who_missed_a_lot_catches_up_while_others_talk(self) -> None:
        """A client gets up to a page of missed messages once and in order, and then those that were sent meanwhile."""
        room = self.room(limits=Limits(text=20_000))
        async with self.people(room) as enter:
            bob = await enter()
            epoch = (await bob.event("welcome"))["epoch"]
            for number in range(600):  # 12 MB: more than may wait, and more than systems keep for a socket
                await room.post(f"{number} {'x' * 19_000}", author="bot")
            ada = await enter(since=Position(epoch, 0))
            for number in range(600, 630):  # before it can have read it
                await room.post(f"{number} {'x' * 19_000}", author="bot")
            assert (await ada.event("welcome"))["recovered"] is True
            heard = [await ada.event("message") for _ in range(630)]
            assert [message["seq"] for message in heard] == list(range(1, 631))
            assert [int(message["text"].split()[0]) for message in heard] == list(range(630))
            assert [(await bob.event("message"))["seq"] for _ in range(630)] == list(range(1, 631))
            await room.post("and on", author="bot")
            assert (await ada.event("message"))["text"] == "and on"

    async def test_who_missed_too_much_reads_it_upwards(self) -> None:
        """A client that missed more than a page gets the newest messages, and can read the history before them."""
        room = self.room(limits=Limits(text=20_000, page=50, history=20, rate=0))
        async with self.people(room) as enter:
            bob = await enter()
            epoch = (await bob.event("welcome"))["epoch"]
            for number in range(230):
                await room.post(f"{number} {'x' * 19_000}", author="bot")
            ada = await enter(since=Position(epoch, 1))
            await room.post("meanwhile", author="bot")
            welcome = await ada.event("welcome")
            assert (welcome["recovered"], welcome["more"]) == (False, True)
            read = welcome["messages"]
            while read[0]["seq"] > 1:
                page = await ada.command("history", {"before": read[0]["seq"], "limit": 50})
                read = [*page["messages"], *read]
            if len(read) == 230:  # else it was said before she was in
                read.append(await ada.event("message"))
            assert [message["seq"] for message in read] == list(range(1, 232))
            assert read[-1]["text"] == "meanwhile"

    async def test_messages_have_a_life(self) -> None:
        """Replies have quotes, authors edit and delete, anybody reacts. Everyone gets the events, at once or later."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            epoch = (await bob.event("welcome"))["epoch"]
            author = (await ada.command("join", {"name": "Ada"}))["member"]
            await bob.command("join", {"name": "Bob"})
            said = await ada.command("say", {"text": "tea?"})
            answer = await bob.command("say", {"text": "yes", "reply_to": said["seq"]})
            heard = await ada.event("message")
            assert heard["reply"] == {"seq": said["seq"], "author": "Ada", "text": "tea?"}
            assert (await bob.command("edit", {"target": 1, "text": "x"}))["error"]["code"] == "not_yours"
            assert (await bob.command("edit", {"target": 99, "text": "x"}))["error"]["code"] == "not_found"
            assert (await bob.command("react", {"target": 1, "emoji": "tea"}))["error"]["code"] == "emoji_invalid"
            done = await ada.command("edit", {"target": said["seq"], "text": "coffee?", "id": "e1"})
            edited = await bob.event("edited")
            assert edited == {
                "id": "e1",
                "seq": 3,
                "date": done["date"],
                "target": 1,
                "author": author,
                "text": "coffee?",
            }
            await bob.command("react", {"target": 1, "emoji": "👍"})
            reacted = await ada.event("reacted")
            assert (reacted["target"], reacted["emoji"], reacted["on"]) == (1, "👍", True)
            await bob.command("delete", {"target": answer["seq"]})
            assert (await ada.event("deleted"))["target"] == answer["seq"]
            newcomer = await enter()
            first, second = (await newcomer.event("welcome"))["messages"]
            assert (first["text"], list(first["reactions"])) == ("coffee?", ["👍"])
            assert first["edited"] == edited["date"]
            assert (second["text"], second["deleted"]) == ("", True)
            back = await enter(since=Position(epoch, 0))
            assert (await back.event("welcome"))["recovered"] is True
            assert [(await back.event("message"))["text"] for _ in range(2)] == ["tea?", ""]
            assert (await back.event("edited"))["seq"] == 3
            assert (await back.event("reacted"))["seq"] == 4
            assert (await back.event("deleted"))["seq"] == 5

    async def test_history_is_read_upwards_and_searched(self) -> None:
        """History comes in pages with the oldest message first, and can be searched."""
        async with self._serve(limits=Limits(history=2, rate=0)) as enter:
            ada = await enter()
            await ada.command("join", {"name": "Ada"})
            for number in range(1, 8):
                await ada.command("say", {"text": f"{'even' if number % 2 == 0 else 'odd'} {number}"})
            bob = await enter()
            welcome = await bob.event("welcome")
            assert ([each["seq"] for each in welcome["messages"]], welcome["more"]) == ([6, 7], True)
            page = await bob.command("history", {"before": 6, "limit": 3})
            assert ([each["seq"] for each in page["messages"]], page["more"]) == ([3, 4, 5], True)
            page = await bob.command("history", {"before": 3, "limit": 3})
            assert ([each["seq"] for each in page["messages"]], page["more"]) == ([1, 2], False)
            page = await bob.command("history", {"matching": "EVEN"})
            assert ([each["seq"] for each in page["messages"]], page["more"]) == ([2, 4, 6], False)

    async def test_presence_tells_who_is_here(self) -> None:
        """Joins, renames and leaves reach the others, with the number of people connected."""
        async with self._serve() as enter:
            bob, ada = await enter(), await enter()
            member = (await ada.command("join", {"name": "Ada"}))["member"]
            while "joined" not in (told := await bob.event("presence")):
                pass
            assert told["joined"] == [member]
            assert told["here"] == 2
            renamed = (await ada.command("join", {"name": "Countess"}))["member"]
            while "renamed" not in (told := await bob.event("presence")):
                pass
            assert told["renamed"] == [renamed]
            assert (await bob.command("who", {}))["members"] == [renamed]
            await ada.close()
            while "left" not in (told := await bob.event("presence")):
                pass
            assert told == {"here": 1, "left": [member["id"]], "listed": True}

    async def test_typing_is_shown_and_ends_with_the_message(self) -> None:
        """The other people see who is typing."""
        async with self._serve() as enter:
            ada, bob = await enter(), await enter()
            member = (await ada.command("join", {"name": "Ada"}))["member"]
            assert (await ada.command("typing", {"on": True}))["ok"]
            assert await bob.event("typing") == {"member": member, "on": True}
            assert (await ada.command("typing", {"on": False}))["ok"]
            assert await bob.event("typing") == {"member": member, "on": False}

    async def test_a_whisper_reaches_one_person_alone(self) -> None:
        """The app's answer to one member has no number, and the others hear of it in no way."""
        room = self.room()
        async with self.people(room) as enter:
            ada, bob = await enter(), await enter()
            member = (await ada.command("join", {"name": "Ada"}))["member"]
            other = (await bob.command("join", {"name": "Bob"}))["member"]
            told = await room.whisper(member["id"], "only you", author="bot")
            assert await ada.event("whisper") == {
                "id": told.id,
                "date": iso(told.date),
                "author": {"id": "post:bot", "name": "bot"},
                "text": "only you",
            }
            assert (await room.post("all of you", author="bot")).seq == 1
            assert [(await each.event("message"))["seq"] for each in (ada, bob)] == [1, 1]
            await room.whisper(other["id"], "and you", author="bot")
            assert (await bob.event("whisper"))["text"] == "and you"  # the other would have come first

    async def _moderator(self, room: ChatRoom, moderator: Client) -> None:
        """Let somebody join as Ada, and make her a moderator."""
        member = (await moderator.command("join", {"name": "Ada"}))["member"]
        await room.moderation.role(member["id"], "moderator")
        access = await moderator.event("access")
        assert access["role"] == "moderator"
        assert "moderate" in access["access"]

    async def test_a_moderator_bans_somebody(self) -> None:
        """A banned person is told the reason and the end, is closed with the code, and the name is free."""
        room = self.room()
        async with self.people(room) as enter:
            ada, bob = await enter(), await enter()
            await self._moderator(room, ada)
            member = (await bob.command("join", {"name": "Bob"}))["member"]
            while member not in (await ada.event("presence")).get("joined", ()):
                pass
            fields = {"member": member["id"], "seconds": 3600, "reason": "Caps."}
            assert (await ada.command("moderate", {"action": "ban", **fields})) == {"ok": True}
            error = await bob.event("error")
            assert error["code"] == "banned"
            assert "Caps." in error["text"]
            assert error["until"] > iso(room.clock.date())
            bye = await bob.event("bye")
            assert (bye["code"], bye["reason"], bye["reconnect"]) == (4014, "banned", False)
            while "left" not in (told := await ada.event("presence")):
                pass
            assert told["left"] == [member["id"]]
            entry = (await ada.command("audit", {}))["entries"][0]
            assert {"action": "ban", "target": member["id"], "name": "Bob", "reason": "Caps."}.items() <= entry.items()
            bans = (await ada.command("moderation", {}))["bans"]
            (ban,) = (each for each in bans if "network" not in each)
            assert ban["member"] == member["id"]
            assert (ban["name"], ban["reason"], ban["until"]) == ("Bob", "Caps.", error["until"])

    async def test_who_is_muted_is_told_until_when(self) -> None:
        """A muted person hears the reason and the end, is refused with both, and may write again after an unmute."""
        room = self.room()
        async with self.people(room) as enter:
            ada, bob = await enter(), await enter()
            await self._moderator(room, ada)
            member = (await bob.command("join", {"name": "Bob"}))["member"]
            fields = {"member": member["id"], "seconds": 600, "reason": "Caps."}
            assert (await ada.command("moderate", {"action": "mute", **fields}))["ok"]
            told = await bob.event("access")
            assert "write" not in told["access"]
            assert told["muted"]["reason"] == "Caps."
            error = (await bob.command("say", {"text": "HI"}))["error"]
            assert (error["code"], error["until"]) == ("muted", told["muted"]["until"])
            assert (await ada.command("moderate", {"action": "unmute", "member": member["id"]}))["ok"]
            told = await bob.event("access")
            assert "write" in told["access"]
            assert "muted" not in told
            assert (await bob.command("say", {"text": "hi"}))["ok"]

    async def test_settings_of_moderators_are_told(self) -> None:
        """Everybody hears what a moderator has set, and newcomers find it in the welcome."""
        room = self.room()
        async with self.people(room) as enter:
            ada, bob = await enter(), await enter()
            await self._moderator(room, ada)
            seq = (await ada.command("say", {"text": "Be kind."}))["seq"]
            assert (await ada.command("moderate", {"action": "set", "topic": "Tea", "slow": 5}))["ok"]
            settings = {"title": "The Lobby", "topic": "Tea", "slow": 5, "writing": "all", "entry": "open"}
            assert await bob.event("room") == {**settings, "pinned": []}
            assert (await ada.command("moderate", {"action": "pin", "target": seq}))["ok"]
            pinned = [{"seq": seq, "author": "Ada", "text": "Be kind."}]
            assert await bob.event("room") == {**settings, "pinned": pinned}
            welcome = await (await enter()).event("welcome")
            assert (welcome["topic"], welcome["slow"], welcome["pinned"]) == ("Tea", 5, pinned)

    async def test_only_moderators_moderate(self) -> None:
        """Others are refused what moderators do and see; what is malformed is refused, and nothing changes."""
        room = self.room()
        async with self.people(room) as enter:
            ada, bob = await enter(), await enter()
            member = (await ada.command("join", {"name": "Ada"}))["member"]
            await bob.command("join", {"name": "Bob"})

            async def code(name: str, fields: _Fields) -> str:
                return str((await bob.command(name, fields))["error"]["code"])

            for fields in ({"action": "ban", "member": member["id"]}, {"action": "set", "topic": "x"}):
                assert await code("moderate", fields) == "forbidden"
            for name in ("moderation", "audit"):
                assert await code(name, {}) == "forbidden"
            for fields in (
                {},
                {"action": "__class__"},
                {"action": ["ban"]},
                {"action": "ban"},
                {"action": "ban", "member": 7},
                {"action": "ban", "member": member["id"], "seconds": "7"},
                {"action": "set", "slow": 2**53},
            ):
                assert await code("moderate", fields) == "bad_request"
            assert await code("report", {"target": "1"}) == "bad_request"
            assert (await ada.command("say", {"text": "still here"}))["ok"]
            assert (await bob.event("message"))["text"] == "still here"

    async def test_who_sends_too_much_is_told_when_to_go_on(self) -> None:
        """A command that exceeds the burst is refused with the seconds to wait."""
        async with self._serve(limits=Limits(rate=0.001, burst=2)) as enter:
            ada = await enter()
            await ada.command("join", {"name": "Ada"})
            await ada.command("say", {"text": "one"})
            error = (await ada.command("say", {"text": "two"}))["error"]
            assert error["code"] == "rate_limited"
            assert error["retry_after"] > 0

    async def test_who_does_not_read_is_closed_alone(self) -> None:
        """The data that waits for one reader is bounded. Only that reader is disconnected."""
        room = self.room(limits=Limits(text=20_000, rate=0))
        async with self.people(room) as enter:
            slow, bob = await enter(), await enter()
            stall = getattr(slow, "stall", None)
            if stall is None:
                raise SkipTest("This client has no `stall`.")
            await bob.command("join", {"name": "Bob"})
            await stall()
            for _ in range(600):  # 12 MB: more than systems keep for a socket
                await room.post("x" * 20_000, author="bot")
                assert len((await bob.event("message"))["text"]) == 20_000
            while (await bob.event("presence"))["here"] != 1:
                pass
            assert (await bob.command("say", {"text": "still here"}))["ok"]

    async def test_a_close_says_why(self) -> None:
        """Before the server closes a connection, it sends the reason, and whether to reconnect."""
        room = self.room()
        async with self.people(room) as enter:
            ada = await enter()
            await ada.event("welcome")
            room.dismiss(Close.SHUTDOWN)
            told = await ada.event("bye")
            assert (told["code"], told["reason"], told["reconnect"]) == (4000, "shutdown", True)
