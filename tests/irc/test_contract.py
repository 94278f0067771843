"""The contract of transports, as far as IRC has words for it; the tests beside this one have the rest."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from pychat import ChatRoom, IrcServer, Position, UsageError
from pychat.testing import Client, TransportContract
from pychat.transports.irc.line import Line
from tests.clients import Told
from tests.irc.person import CAPS, TIMEOUT, IrcPerson

_Fields = dict[str, Any]
_GUEST = "Guest"  # nobody is without a nick on IRC; these count as nobody


class Contracted:
    """Somebody on IRC, in the words of version 1."""

    def __init__(self, person: IrcPerson, nick: str, epoch: str) -> None:
        self._person = person
        self._nick = nick
        self._epoch = epoch
        self._told = Told()
        self._labels = itertools.count(1)
        self._here: dict[str, str] = {}  # nick -> id, which is the first nick
        self._listing: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def come(cls, port: int, nick: str, epoch: str, since: Position | None) -> Contracted:
        """Enter the lobby, and ask for what was missed."""
        person = await IrcPerson.enter(port, nick, caps=CAPS)
        self = cls(person, nick, epoch)
        self._here = {nick: nick}
        names = next(line for line in reversed(person.heard) if line.command == "353").params[-1].split()
        self._here |= {name: name for name in names}
        messages: list[_Fields] = []
        recovered = False
        if since is not None:
            answer = await self._ask(f"CHATHISTORY AFTER #lobby msgid={since.seq}.{since.epoch} 100")
            recovered = isinstance(answer, list)
            answer = answer if recovered else await self._ask("CHATHISTORY LATEST #lobby * 100")
            messages = [self._message(line) for line in answer if line.command == "PRIVMSG"]
        welcome = {"epoch": epoch, "seq": since.seq if since else 0, "recovered": recovered, "messages": messages}
        if recovered:
            for each in messages:
                self._told.put("message", each)
            welcome["messages"] = []
        self._told.put("welcome", welcome)
        return self

    async def command(self, name: str, fields: _Fields) -> _Fields:
        """Send a command of version 1, if IRC has one like it."""
        match name:
            case "join":
                answer = await self._ask(f"NICK {fields['name']}")
                self._nick = fields["name"]
            case "leave":
                answer = await self._ask(f"NICK {_GUEST}{id(self)}")
            case "say":
                tags = f";+pychat/id={fields['id']}" if "id" in fields else ""
                answer = await self._ask(f"PRIVMSG #lobby :{fields['text']}", tags)
            case "typing":
                answer = await self._ask("TAGMSG #lobby", f";+typing={'active' if fields['on'] else 'done'}")
            case "who":
                return {"ok": True, "members": [self._member(nick) for nick in self._here if _GUEST not in nick]}
            case _:
                raise NotImplementedError(name)
        if isinstance(answer, Line):
            return self._refusal(answer)
        said = [line for line in answer if line.command == "PRIVMSG"]
        if said:
            told = self._message(said[0])
            return {"ok": True, **{key: told[key] for key in ("id", "seq", "date")}}
        return {"ok": True, "member": self._member(self._nick)}

    async def event(self, name: str) -> _Fields:
        """The next event of that name."""
        told: _Fields = await self._told.next(name)
        return told

    async def stall(self) -> None:
        """Read nothing more."""
        self._reading.cancel()

    async def close(self) -> None:
        """Go for good."""
        self._person.say("QUIT")
        await asyncio.wait([self._reading], timeout=TIMEOUT)
        await self._person.close()

    async def _ask(self, line: str, tags: str = "") -> Any:
        """Its answer: lines, or the one that refuses."""
        label = str(next(self._labels))
        self._person.say(f"@label={label}{tags} {line}")
        answer = await self._told.next(f"answer {label}")
        return answer[0] if answer[0].command in ("FAIL", "433") else answer

    async def _read(self) -> None:
        batches: dict[str, tuple[Line, list[Line]]] = {}
        try:
            while True:
                line = await self._person.next()
                if line.command == "BATCH" and line.params[0].startswith("+"):
                    batches[line.params[0][1:]] = (line, [])
                    continue
                if line.command == "BATCH":
                    opening, lines = batches.pop(line.params[0][1:])
                    if opening.params[1] == "draft/multiline":
                        text = "".join(each.params[-1] for each in lines)  # nothing here has line feeds
                        line = replace(opening, command="PRIVMSG", params=("#lobby", text))
                    elif "label" in opening.tags:
                        self._told.put(f"answer {opening.tags['label']}", lines or [opening])
                        continue
                    else:
                        outer = batches.get(opening.tags.get("batch", ""))
                        (outer[1] if outer else []).extend(lines)
                        continue
                if "batch" in line.tags:
                    batches[line.tags["batch"]][1].append(line)
                elif "label" in line.tags:
                    self._told.put(f"answer {line.tags['label']}", [line])
                    self._hear(line, answer=True)
                else:
                    self._hear(line)
        except (EOFError, ConnectionError):
            pass

    def _hear(self, line: Line, *, answer: bool = False) -> None:
        who = (line.source or "").partition("!")[0]
        presence: _Fields = {}
        match line.command, line.params:
            case "PRIVMSG", _ if not answer:
                self._told.put("message", self._message(line))
            case "TAGMSG", _:
                self._told.put("typing", {"member": self._member(who), "on": line.tags["+typing"] == "active"})
            case "JOIN", _:
                self._here[who] = who
                presence = {} if _GUEST in who else {"joined": [self._member(who)]}
            case "NICK", (nick, *_):
                known = self._here.pop(who)
                self._here[nick] = nick if _GUEST in who else known
                presence = {"joined" if _GUEST in who else "renamed": [self._member(nick)]}
            case "PART", _:
                presence = {"left": [self._here.pop(who)]}
            case "ERROR", (text,):
                reason = text.rpartition("(")[2].rstrip(")")
                code = {"shutdown": 4000}.get(reason)
                self._told.put("bye", {"code": code, "reason": reason, "reconnect": "again" in text})
        if line.command in ("JOIN", "NICK", "PART"):
            self._told.put("presence", {"here": len(self._here), **presence, "listed": True})

    def _member(self, nick: str) -> _Fields:
        return {"id": self._here.get(nick, nick), "name": nick}

    def _message(self, line: Line) -> _Fields:
        msgid = line.tags["msgid"]
        return {
            "id": msgid,
            "seq": int(msgid.partition(".")[0]),
            "date": line.tags["time"],
            "author": self._member((line.source or "").partition("!")[0]),
            "text": line.params[-1],
        }

    @staticmethod
    def _refusal(line: Line) -> _Fields:
        if line.command != "FAIL":
            return {"ok": False, "error": {"code": "name_taken", "text": line.params[-1]}}
        error: _Fields = {"code": line.params[1].lower(), "text": line.params[-1]}
        if error["code"] == "rate_limited":
            error["retry_after"] = float(line.params[-2])
        return {"ok": False, "error": error}


class TestIrc(TransportContract):
    """People on IRC, with all that IRCv3 gives them."""

    lacks = frozenset(
        {
            "a_whisper_reaches_one_person_alone",  # as a notice: see test_talking
            "a_moderator_bans_somebody",  # moderators have commands of IRC
            "only_moderators_moderate",
            "settings_of_moderators_are_told",
            "who_is_muted_is_told_until_when",
            "a_token_makes_the_same_member",  # a password does
            "history_is_read_upwards_and_searched",  # read it is, but not searched
            "messages_have_a_life",  # all but editing
            "the_id_of_the_last_event_tells_whether_it_is_the_same_log",  # an id of IRC's is a number and an epoch
            "refusals_say_why_to_their_cause_alone",  # of commands that IRC has otherwise
            "welcome_says_where_things_stand",  # IRC has many lines for that
            "who_missed_a_lot_catches_up_while_others_talk",  # by CHATHISTORY, in pieces: see test_limits
            "who_missed_too_much_reads_it_upwards",  # the same
        }
    )

    @asynccontextmanager
    async def people(self, room: ChatRoom) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
        """Serve the room; hang up whoever is left at the end."""
        server = IrcServer(room)
        await room.start()
        port = await server.start(port=0)
        numbers = itertools.count(1)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(room.aclose)
            stack.push_async_callback(server.aclose)

            async def enter(since: Position | None = None) -> Client:
                nick = f"{_GUEST}{next(numbers)}"
                person = await Contracted.come(port, nick, room.position.epoch, since)
                stack.push_async_callback(person.close)
                return person

            yield enter


def test_what_a_wire_lacks_is_spelled_right() -> None:
    """A name that is no test's is an error, not a test that is run after all."""
    with pytest.raises(UsageError, match="there is no test_tokens"):
        type("Mine", (TransportContract,), {"lacks": frozenset({"tokens"})})
