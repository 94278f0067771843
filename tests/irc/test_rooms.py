"""Channels: coming and going, who is there, several rooms, crowds."""

from __future__ import annotations

import gc

import pytest

from pychat import ChatRoom, Close, IrcServer, Limits, Member, Refused
from pychat.testing import Person
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.line import Line
from tests.irc.conftest import Enter, Open
from tests.irc.person import IrcPerson


def names(person: IrcPerson) -> list[str]:
    """Whom the last NAMES told."""
    end = max(number for number, line in enumerate(person.heard) if line.command == "366")
    begin = max((number for number, line in enumerate(person.heard[:end]) if line.command == "366"), default=0)
    return [nick for line in person.heard[begin:end] if line.command == "353" for nick in line.params[-1].split()]


def heads(lines: list[Line]) -> list[tuple[str, str, str]]:
    """Who, what, and the first parameter."""
    return [((line.source or "").partition("!")[0], line.command, line.params[0]) for line in lines]


async def test_joining_tells_the_title_and_who_is_there(room: ChatRoom, enter: Enter) -> None:
    """Channels are found however their names are cased; the room's own form is told."""
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    ada = await enter("Ada", "#LOBBY")
    joined, topic, *_ = ada.heard[-4:]
    assert (joined.command, joined.params, joined.source) == ("JOIN", ("#lobby",), "Ada!~chat@pychat")
    assert (topic.command, topic.params) == ("332", ("Ada", "#lobby", "The Lobby"))
    assert names(ada) == ["Grace_Hopper", "Ada"]
    assert [member.name for member in room.members] == ["Grace Hopper", "Ada"]
    assert await ada.since("JOIN #lobby") == []


async def test_mistakes_with_channels(enter: Enter) -> None:
    """Each has its numeric, and says what there is."""
    ada = await enter("Ada", None)
    asked = (
        "JOIN #nowhere",
        "PART #lobby",
        "PRIVMSG #lobby :hi",
        "TOPIC #nowhere",
        "JOIN",
        "PART #nowhere",
        "MODE #nowhere",
    )
    heard = await ada.since(*asked, "NAMES #nowhere", "TOPIC #lobby :Mine", "TOPIC #lobby", "LIST")
    assert ["403", "442", "442", "403", "461", "403", "403", "366", "482", "332", "321", "322", "323"] == [
        line.command for line in heard
    ]
    assert "#lobby" in heard[0].params[-1]


#: Answers that name people who are in a room: NAMES, WHO, WHOIS, ISON and USERHOST.
_WHO_IS_THERE = ("353", "352", "311", "319", "303", "302")


@pytest.mark.parametrize("why", ["banned", "password"])
async def test_who_may_not_come_in_is_not_told_who_is_there(room: ChatRoom, enter: Enter, why: str) -> None:
    """No command names the people of a room that has banned the client, or that asks for a password."""
    page, eve = await Person.enter(room), await enter("Eve", None)
    await page.join("Ada")
    asked = ("NAMES #lobby", "WHO #lobby", "WHOIS Ada", "WHO Ada", "ISON Ada", "USERHOST Ada")

    async def named() -> set[str]:
        heard = await eve.since(*asked)
        return {line.command for line in heard if line.command in _WHO_IS_THERE and "Ada" in " ".join(line.params)}

    assert await named() == set(_WHO_IS_THERE)
    if why == "banned":
        await eve.since("JOIN #lobby")
        await room.moderation.ban(next(each.id for each in room.members if each.name == "Eve"), address=False)
        await eve.line("KICK")
    else:
        await room.moderation.set(password="sesame")
    assert await named() == set()


async def test_others_come_and_go_and_change_names(room: ChatRoom, enter: Enter) -> None:
    """A browser's joining, renaming and leaving are JOIN, NICK and PART; nobody is told of themselves twice."""
    ada = await enter("Ada")
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    joined = await ada.next()
    await page.join("Grace  M. Hopper")
    renamed = await ada.next()
    await page.close()
    left = await ada.next()
    assert heads([joined, renamed, left]) == [
        ("Grace_Hopper", "JOIN", "#lobby"),
        ("Grace_Hopper", "NICK", "Grace_M__Hopper"),
        ("Grace_M__Hopper", "PART", "#lobby"),
    ]


async def test_a_nick_changes_the_name(room: ChatRoom, enter: Enter) -> None:
    """For everybody; a refusal leaves it as it was."""
    page = await Person.enter(room)
    await page.join("Grace")
    ada, bob = await enter("Ada"), await enter("Bob")
    assert heads(await ada.since("NICK Countess"))[-1] == ("Ada", "NICK", "Countess")
    assert heads([await bob.line("NICK")]) == [("Ada", "NICK", "Countess")]
    assert "Countess" in [member.name for member in room.members]
    assert [(line.command, line.params[:2]) for line in await ada.since("NICK grace") if line.command == "433"] == [
        ("433", ("Countess", "grace"))
    ]
    assert "Countess" in [member.name for member in room.members]


async def test_two_names_of_one_look_have_two_nicks(room: ChatRoom, enter: Enter) -> None:
    """`Ada Lovelace` and `Ada_Lovelace` can both be here, and are told apart, by whoever looks."""
    first, second = await Person.enter(room), await Person.enter(room)
    await first.join("Ada Lovelace")
    await second.join("Ada_Lovelace")
    bob, eve = await enter("Bob"), await enter("Eve")
    assert names(bob) == ["Ada_Lovelace", "Ada_Lovelace_2", "Bob"]
    assert names(eve)[:2] == ["Ada_Lovelace", "Ada_Lovelace_2"]
    await second.say("it is me")
    assert heads([await bob.line("PRIVMSG")]) == [("Ada_Lovelace_2", "PRIVMSG", "#lobby")]


async def test_who_speaks_was_seen_coming(room: ChatRoom, enter: Enter) -> None:
    """Presence is gathered and messages are not; yet JOIN and NICK come before what is said."""
    ada = await enter("Ada")
    for number in range(5):
        page = await Person.enter(room)
        await page.join(f"Grace {number}")
        await page.say("hi")
        await page.join(f"Hopper {number}")
        await page.say("again")
    heard = heads([await ada.next() for _ in range(20)])
    assert [each for number in range(5) for each in _comes_and_speaks(number)] == heard


def _comes_and_speaks(number: int) -> list[tuple[str, str, str]]:
    before, after = f"Grace_{number}", f"Hopper_{number}"
    return [
        (before, "JOIN", "#lobby"),
        (before, "PRIVMSG", "#lobby"),
        (before, "NICK", after),
        (after, "PRIVMSG", "#lobby"),
    ]


async def test_several_rooms_are_several_channels(opened: Open) -> None:
    """One client sits in both; what is said in one stays there; a nick changes in both with one line."""
    lobby, dev = ChatRoom("lobby"), ChatRoom("dev")
    server = await opened(lobby, dev)
    ada, bob = [await IrcPerson.enter(server.port, nick, "#lobby,#dev") for nick in ("ada", "bob")]
    for person in (ada, bob):
        await person.line("366", lambda line: line.params[1] == "#dev")
    ada.say("PRIVMSG #dev :only here", "NICK Countess", "PRIVMSG #lobby :and here")
    heard = [await bob.next() for _ in range(3)]
    assert heads(heard) == [
        ("ada", "PRIVMSG", "#dev"),
        ("ada", "NICK", "Countess"),
        ("Countess", "PRIVMSG", "#lobby"),
    ]
    assert [["Countess", "bob"]] * 2 == [sorted(member.name for member in room.members) for room in (lobby, dev)]
    ada.say("PART #dev", "QUIT")
    left = heads([await bob.next() for _ in range(2)])
    assert sorted(left) == [("Countess", "PART", "#dev"), ("Countess", "PART", "#lobby")]


async def test_one_name_in_two_rooms_may_be_two_people(opened: Open) -> None:
    """When one of them takes another name, the other keeps it: then it is PART and JOIN, and no NICK."""
    lobby, dev = ChatRoom("lobby"), ChatRoom("dev")
    server = await opened(lobby, dev)
    here, there = await Person.enter(lobby), await Person.enter(dev)
    await here.join("Grace")
    await there.join("Grace")
    ada = await IrcPerson.enter(server.port, "ada", "#lobby,#dev")
    await ada.line("366", lambda line: line.params[1] == "#dev")
    await here.join("Hopper")
    assert heads([await ada.next() for _ in range(2)]) == [("Grace", "PART", "#lobby"), ("Hopper", "JOIN", "#lobby")]


async def test_a_room_may_refuse_a_name(opened: Open) -> None:
    """By a hook, at JOIN or at NICK, with its words; in two rooms a nick changes in both, or in none."""
    lobby, dev = ChatRoom("lobby"), ChatRoom("dev")

    @dev.on("join")
    def only_letters(member: Member) -> None:
        if not member.name.isalpha():
            raise Refused("letters", "Only letters, please.")

    server = await opened(lobby, dev)
    ada = await IrcPerson.enter(server.port, "ada1", "#lobby,#dev")
    refused = await ada.line("437")
    assert refused.params == ("ada1", "#dev", "Only letters, please.")
    await ada.since("NICK ada", "JOIN #dev")
    heard = await ada.since("NICK ada2")
    assert ("432", ("ada", "ada2", "Only letters, please.")) in [(line.command, line.params) for line in heard]
    assert [["ada"], ["ada"]] == [[member.name for member in room.members] for room in (lobby, dev)]


async def test_a_hook_may_change_a_name(opened: Open) -> None:
    """The client is told which nick it has."""
    room = ChatRoom("lobby")
    room.on("join", lambda member: Member(member.id, f"{member.name} (guest)"))
    server = await opened(room)
    ada = await IrcPerson.enter(server.port, "ada")
    assert [("ada", "NICK", "ada_(guest)")] == [head for head in heads(ada.heard) if head[1] == "NICK"]
    assert names(ada) == ["ada_(guest)"]


async def test_a_crowd_is_no_flood(opened: Open) -> None:
    """With more people than a room lists, nobody hears of each; when it thins, who is left is told."""
    room = ChatRoom("lobby", limits=Limits(listed=3))
    server = await opened(room)
    ada = await IrcPerson.enter(server.port, "ada")
    crowd = [await Person.enter(room) for _ in range(4)]
    for number, person in enumerate(crowd):
        await person.join(f"P{number}")
    while len(room.members) < 5:
        await ada.next()
    late = await IrcPerson.enter(server.port, "late")
    notice = await late.line("NOTICE")
    assert notice.params[-1].startswith("6 people are in #lobby")
    for person in crowd[:3]:
        await person.close()
    told = []
    while ("late", "JOIN", "#lobby") not in told:
        told += heads([await ada.next()])
    known = {"ada"}
    for nick, command, _ in told:
        (known.add if command == "JOIN" else known.discard)(nick)
    assert known == {"ada", "late", "P3"}


async def test_being_put_out_of_a_room(opened: Open) -> None:
    """It is a KICK with the reason; the connection and the other rooms go on, and one may come back."""
    lobby, dev = ChatRoom("lobby"), ChatRoom("dev")
    server = await opened(lobby, dev)
    ada = await IrcPerson.enter(server.port, "ada", "#lobby,#dev")
    await ada.line("366", lambda line: line.params[1] == "#dev")
    dev.dismiss(Close.KICKED)
    kicked = await ada.line("KICK")
    assert kicked.params == ("#dev", "ada", "You were disconnected by the server. (kicked)")
    assert [line.command for line in await ada.since("PRIVMSG #dev :hi", "PRIVMSG #lobby :hi")] == ["442"]
    ada.say("JOIN #dev")
    await ada.line("366")
    assert [member.name for member in dev.members] == ["ada"]


async def test_a_ban_is_of_one_room(opened: Open) -> None:
    """It is a KICK with the reason; a JOIN is refused with 474, one of a closed room with 473; other rooms go on."""
    lobby, dev = ChatRoom("lobby"), ChatRoom("dev")
    server = await opened(lobby, dev)
    ada = await IrcPerson.enter(server.port, "ada", "#lobby,#dev")
    await ada.line("366", lambda line: line.params[1] == "#dev")
    (member,) = dev.members
    await dev.moderation.ban(member, reason="Caps\r\nQUIT")
    kicked = await ada.line("KICK")
    assert kicked.params == ("#dev", "ada", "You are banned from this room (Caps QUIT).")
    (refused,) = await ada.since("JOIN #dev")
    assert (refused.command, refused.params[1]) == ("474", "#dev")
    assert "Caps QUIT" in refused.params[-1]
    assert await ada.since("PRIVMSG #lobby :hi") == []
    await lobby.moderation.set(entry="closed")
    kicked = await ada.line("KICK")
    assert kicked.params[0] == "#lobby"
    assert [line.command for line in await ada.since("JOIN #lobby", "LUSERS")][:2] == ["473", "251"]


async def test_several_servers_of_one_room(opened: Open, room: ChatRoom, server: IrcServer) -> None:
    """Two ports, one room: both hear both."""
    other = await opened(room)
    ada, bob = await IrcPerson.enter(server.port, "ada"), await IrcPerson.enter(other.port, "bob")
    ada.say("PRIVMSG #lobby :over there?")
    assert heads([await bob.line("PRIVMSG")]) == [("ada", "PRIVMSG", "#lobby")]


async def test_a_room_that_was_let_go_has_nicks_again() -> None:
    """Also if nobody followed its names while it was opened again."""
    room = ChatRoom("lobby")
    channel = Channel(room.backend)
    await room.start()
    del channel
    gc.collect()
    await room.aclose()
    await room.start()
    channel = Channel(room.backend)
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    assert channel.nicks.member("Grace_Hopper") == room.members[0]
    await room.aclose()
