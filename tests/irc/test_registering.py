"""Coming in: capabilities, nicks, passwords, and what a server says of itself."""

from __future__ import annotations

import pytest

from pychat import ChatRoom, IrcServer, Limits, Refused, Request, User
from pychat.testing import Person
from pychat.transports.irc.capabilities import CAPABILITIES
from pychat.transports.irc.line import Line
from tests.irc.conftest import Enter, Open
from tests.irc.person import CAPS, IrcPerson


def tokens(lines: list[Line]) -> dict[str, str]:
    """What RPL_ISUPPORT says."""
    found = [token for line in lines if line.command == "005" for token in line.params[1:-1]]
    return dict(token.partition("=")[::2] for token in found)


async def test_the_greeting_is_whole_and_honest(opened: Open) -> None:
    """The numerics that clients wait for, and limits that are those of the rooms."""
    server = await opened(ChatRoom("lobby", limits=Limits(name=20)), ChatRoom("dev", limits=Limits(name=16)))
    ada = await IrcPerson.enter(server.port, "Ada", None)
    assert ["001", "002", "003", "004", "005", "005", "251", "254", "255", "375", "372", "372", "376"] == [
        line.command for line in ada.heard
    ]
    assert all(line.params[0] == "Ada" for line in ada.heard)
    told = tokens(ada.heard)
    assert told["NICKLEN"] == "16"
    assert {"CHANTYPES": "#", "CASEMAPPING": "ascii", "NETWORK": "pychat", "UTF8ONLY": ""}.items() <= told.items()
    assert {"PREFIX": "(ov)@+", "CHANMODES": "b,k,,imnt", "MODES": "4"}.items() <= told.items()
    assert {"CHATHISTORY": "100", "MSGREFTYPES": "msgid,timestamp"}.items() <= told.items()


async def test_capabilities_are_negotiated(server: IrcServer) -> None:
    """Nobody is greeted before CAP END; what is not there is refused as a whole; values are for version 302."""
    ada = await IrcPerson.connect(server.port)
    ada.say(
        "CAP LS", "CAP LS 302", "NICK ada", "USER ada 0 * :Ada", "CAP REQ :batch sasl", "CAP REQ :batch server-time"
    )
    ada.say("CAP REQ :-batch", "CAP LIST", "CAP DANCE", "PING :x", "CAP END")
    heard = await ada.until("001")
    assert heard[0].params[2].split() == list(CAPABILITIES)
    assert "draft/multiline=max-bytes=40000,max-lines=1000" in heard[1].params[2].split()
    assert [line.params[1:] for line in heard[2:6]] == [
        ("NAK", "batch sasl"),
        ("ACK", "batch server-time"),
        ("ACK", "-batch"),
        ("LIST", "server-time"),
    ]
    assert [line.command for line in heard[6:]] == ["410", "PONG", "001"]


async def test_nothing_is_done_for_strangers(server: IrcServer, room: ChatRoom) -> None:
    """Before NICK and USER there are no rooms, and each command says what is missing."""
    ada = await IrcPerson.connect(server.port)
    heard = await ada.since("JOIN #lobby", "PRIVMSG #lobby :hi", "USER ada", "NICK", "NICK :a b", "NICK #a", "DANCE")
    assert ["451", "451", "461", "431", "432", "432", "421"] == [line.command for line in heard]
    assert room.here == 0


async def test_a_nick_that_is_taken(server: IrcServer, room: ChatRoom, enter: Enter) -> None:
    """By somebody on IRC, by somebody at the page, or by a name that looks like it: 433, and one may try another."""
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    await page.join("Ian")
    other = await Person.enter(room)
    await other.join("Grace Hopper")
    await enter("Ada", None)
    bob = await IrcPerson.connect(server.port)
    bob.say("USER bob 0 * :Bob")
    for nick, numeric in (("ADA", "433"), ("lan", "433"), ("Grace_Hopper", "433"), ("admin", "432"), ("a" * 40, "432")):
        bob.say(f"NICK {nick}")
        refused = await bob.next()
        assert (refused.command, refused.params[:2]) == (numeric, ("*", nick))
        assert refused.params[2]
    bob.say("NICK Bob")
    assert (await bob.next()).params == ("Bob", "Welcome to pychat, Bob.")


async def test_a_name_is_free_when_the_line_broke(server: IrcServer, room: ChatRoom, enter: Enter) -> None:
    """Without a password nobody could be known again, so nobody waits for the grace time."""
    ada, bob = await enter("Ada"), await enter("Bob")
    ada.writer.transport.abort()
    await bob.line("PART")
    again = await enter("Ada")
    assert "Ada" in again.heard[-2].params[-1].split()


async def test_a_password_makes_the_same_member(enter: Enter, room: ChatRoom) -> None:
    """Who comes back with it has the name that was held, also beside the old connection; it opens nothing to others."""
    ada = await enter("Ada", password="kept secret")
    (first,) = room.members
    beside = await enter("Ada", password="kept secret")
    beside.say("PRIVMSG #lobby :from the phone")
    assert (await ada.line("PRIVMSG")).params == ("#lobby", "from the phone")
    for person in (ada, beside):
        person.writer.transport.abort()
    bob = await enter("Bob")
    while len(room.members) > 1:
        await bob.next()
    with pytest.raises(AssertionError, match="433"):
        raise AssertionError((await _refused(enter, "Ada", "another")).command)
    await enter("Ada", password="kept secret")
    assert {first.id} == {member.id for member in room.members if member.name == "Ada"}


async def _refused(enter: Enter, nick: str, password: str) -> Line:
    person = await enter("Somebody", None, password=password)
    person.say(f"NICK {nick}")
    return await person.next()


async def test_it_answers_who_and_what(enter: Enter, room: ChatRoom) -> None:
    """WHO, WHOIS, ISON, USERHOST, LUSERS, VERSION, TIME, MOTD, AWAY, MODE, and 421 for the rest."""
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    ada = await enter("Ada")
    heard = await ada.since("WHO #lobby", "WHOIS grace_hopper", "WHOIS nobody", "ISON Ada nobody Grace_Hopper")
    assert [(line.command, line.params[1:]) for line in heard] == [
        ("352", ("#lobby", "~chat", "pychat", "irc.pychat", "Grace_Hopper", "H", "0 Grace Hopper")),
        ("352", ("#lobby", "~chat", "pychat", "irc.pychat", "Ada", "H", "0 Ada")),
        ("315", ("#lobby", "End of the list.")),
        ("311", ("grace_hopper", "~chat", "pychat", "*", "Grace Hopper")),
        ("319", ("grace_hopper", "#lobby")),
        ("312", ("grace_hopper", "irc.pychat", "On the page, on IRC or on another client: the server does not tell.")),
        ("318", ("grace_hopper", "End of the list.")),
        ("401", ("nobody", "Nobody here has this nick.")),
        ("318", ("nobody", "End of the list.")),
        ("303", ("Ada Grace_Hopper",)),
    ]
    asked = ("USERHOST Ada", "VERSION", "TIME", "AWAY :tea", "AWAY", "MODE #lobby", "MODE #lobby b", "MODE Ada +i")
    heard = await ada.since(*asked, "MODE #lobby +o Ada", "KICK #lobby Ada", "LUSERS", "MOTD", "DANCE now")
    assert [
        "302",
        "351",
        "391",
        "306",
        "305",
        "324",
        "368",
        "221",
        "482",
        "482",
        "251",
        "254",
        "255",
        "375",
        "372",
        "376",
        "421",
    ] == [line.command for line in heard]
    assert heard[-1].params[1] == "DANCE"


async def test_everything_has_an_answer_with_a_label(enter: Enter) -> None:
    """One line carries the label, several are a batch, none is acknowledged."""
    ada = await enter("Ada", caps=CAPS)
    one, several, none, quiet = [
        await ada.since(f"@label={line}")
        for line in ("l1 VERSION", "l2 NAMES #lobby", "l3 PONG :x", "l4 TAGMSG #lobby")
    ]
    assert [(line.command, line.tags.get("label")) for line in one] == [("351", "l1")]
    opening = several[0]
    assert (opening.command, opening.params[1], opening.tags) == ("BATCH", "labeled-response", {"label": "l2"})
    assert [line.command for line in several[1:-1]] == ["353", "366"]
    assert {line.tags["batch"] for line in several[1:-1]} == {opening.params[0][1:]}
    for answer, label in ((none, "l3"), (quiet, "l4")):
        assert [(line.command, line.tags) for line in answer] == [("ACK", {"label": label})]


async def test_the_app_says_who_somebody_is(opened: Open) -> None:
    """As on every wire: a password is a token, a user is known by the app's id, and some rooms may be closed to some."""
    lobby, staff = ChatRoom("lobby"), ChatRoom("staff")

    async def authenticate(request: Request) -> User | Refused | None:
        if request.bearer == "t-ada":
            return User("1", "Ada Lovelace", roles=("moderator",))
        if request.bearer is not None:
            return Refused("login_required", "This token is not known.")
        return Refused("login_required", "Only for staff.") if request.room == "staff" else None

    server = await opened(lobby, staff, authenticate=authenticate)
    ada = await IrcPerson.enter(server.port, "whoever", caps=CAPS, password="t-ada")
    assert ("whoever!~chat@pychat", ("Ada_Lovelace",)) in [
        (line.source, line.params) for line in ada.heard if line.command == "NICK"
    ]
    assert [("user:1", "Ada Lovelace", ("moderator",))] == [(each.id, each.name, each.roles) for each in lobby.members]
    phone = await IrcPerson.enter(server.port, "Ada_Lovelace", "#staff", password="t-ada")
    assert [line.params[1] for line in await phone.since("NICK countess")] == ["countess"]
    assert ["user:1"] == [each.id for each in staff.members]
    bob = await IrcPerson.enter(server.port, "bob")
    assert [(line.command, line.params[-1]) for line in await bob.since("JOIN #staff")][-1] == (
        "437",
        "Only for staff.",
    )
    bob.say("PRIVMSG #lobby :spam")
    spam = await ada.line("PRIVMSG")
    ada.say(f"REDACT #lobby {spam.tags['msgid']}")
    assert (await ada.line("REDACT")).params[1] == spam.tags["msgid"]
    eve = await IrcPerson.connect(server.port)
    eve.say("PASS wrong", "NICK eve", "USER eve 0 * :Eve")
    assert [(line.command, line.params[-1]) for line in await eve.ended()] == [
        ("464", "This token is not known."),
        ("ERROR", "Closing link: This token is not known."),
    ]
