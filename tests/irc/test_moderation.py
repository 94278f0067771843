"""Keeping order on IRC: prefixes, modes, bans, topics, kicks and keys."""

from __future__ import annotations

import pytest

from pychat import ChatRoom, IrcServer, Request, User
from pychat.testing import Person
from pychat.transports.irc.line import Line
from tests.irc.conftest import Open
from tests.irc.person import CAPS, IrcPerson

ROLES = {"olga": ("owner",), "mo": ("moderator",)}


def who(asking: Request) -> User | None:
    """The user whose id is the server password."""
    return User(asking.bearer, asking.bearer.title(), roles=ROLES.get(asking.bearer, ())) if asking.bearer else None


@pytest.fixture
async def server(opened: Open, room: ChatRoom) -> IrcServer:
    """A server with the lobby, where people have roles by their server password."""
    return await opened(room, authenticate=who)


class Four:
    """An owner, a moderator and two guests in the lobby."""

    def __init__(self, olga: IrcPerson, mo: IrcPerson, ada: IrcPerson, eve: IrcPerson) -> None:
        self.olga, self.mo, self.ada, self.eve = olga, mo, ada, eve


@pytest.fixture
async def four(server: IrcServer) -> Four:
    """All have seen the others come."""
    people = [
        await IrcPerson.enter(server.port, nick, password=nick.lower() if nick.lower() in ROLES else "")
        for nick in ("Olga", "Mo", "Ada", "Eve")
    ]
    for person in people[:3]:
        await person.line("JOIN", lambda line: (line.source or "").startswith("Eve!"))
        await person.since()
    return Four(*people)


def told(lines: list[Line]) -> list[tuple[str, ...]]:
    """Who, what, and the parameters."""
    return [((line.source or "").partition("!")[0], line.command, *line.params) for line in lines]


def codes(lines: list[Line]) -> list[str]:
    """The commands and numerics."""
    return [line.command for line in lines]


def names(lines: list[Line]) -> list[str]:
    """Who is there, with the prefixes."""
    return [nick for line in lines if line.command == "353" for nick in line.params[-1].split()]


async def test_prefixes_show_who_moderates(room: ChatRoom, server: IrcServer, four: Four) -> None:
    """`@` is for moderators and owners, `+` for those whom the room made members; in NAMES, WHO and WHOIS."""
    ada = room.backend.first_members()[2]
    await room.moderation.role(ada, "member")
    assert told(await four.eve.since()) == [("irc.pychat", "MODE", "#lobby", "+v", "Ada")]
    assert names(await four.eve.since("NAMES #lobby")) == ["@Olga", "@Mo", "+Ada", "Eve"]
    outside = await IrcPerson.enter(server.port, "Out", None)
    assert names(await outside.since("NAMES #lobby")) == ["@Olga", "@Mo", "+Ada", "Eve"]
    flags = {line.params[5]: line.params[6] for line in await four.eve.since("WHO #lobby") if line.command == "352"}
    assert flags == {"Olga": "H@", "Mo": "H@", "Ada": "H+", "Eve": "H"}
    assert ("irc.pychat", "319", "Eve", "Mo", "@#lobby") in told(await four.eve.since("WHOIS Mo"))


async def test_who_comes_with_a_role_is_marked(server: IrcServer) -> None:
    """After the JOIN comes a MODE, with one line."""
    ada = await IrcPerson.enter(server.port, "Ada")
    mo = await IrcPerson.enter(server.port, "Mo", password="mo")
    assert (await ada.line("JOIN")).source == "Mo!~chat@pychat"
    assert told([await ada.next()]) == [("irc.pychat", "MODE", "#lobby", "+o", "Mo")]
    assert names(mo.heard) == ["Ada", "@Mo"]
    mo.say("PART #lobby")
    await ada.line("PART")
    mo.say("JOIN #lobby")
    assert codes([await ada.next() for _ in range(2)]) == ["JOIN", "MODE"]


async def test_modes_show_the_settings_and_not_the_password(room: ChatRoom, four: Four) -> None:
    """+i, +k and +m come from what moderators have set; the password is not in them. Several are one line."""
    assert told(await four.ada.since("MODE #lobby")) == [("irc.pychat", "324", "Ada", "#lobby", "+nt")]
    await room.moderation.set(entry="members", writing="moderators", password="sesame")
    assert told(await four.ada.since()) == [("irc.pychat", "MODE", "#lobby", "+i+m+k", "*")]
    assert told(await four.ada.since("MODE #lobby")) == [("irc.pychat", "324", "Ada", "#lobby", "+ntimk", "*")]
    await room.moderation.set(entry="open", slow=5, password="")
    assert told(await four.ada.since()) == [("irc.pychat", "MODE", "#lobby", "-i-k", "*")]
    assert "sesame" not in repr(four.ada.heard)


async def test_moderators_set_modes(room: ChatRoom, four: Four) -> None:
    """Each line is one action, which everybody is told; +t is always set; a stricter setting is not loosened by a +."""
    four.mo.say("MODE #lobby +imk-b+t sesame")
    assert told([await four.eve.line("MODE")]) == [("Mo", "MODE", "#lobby", "+i+m+k", "*")]
    settings = (await room.moderation.state())["settings"]
    assert (settings["entry"], settings["writing"], settings["password"]) == ("ask", "members", True)
    assert (await room.moderation.audit())[0].by.name == "Mo"
    assert told(await four.mo.since("MODE #lobby -imk *"))[-1] == ("Mo", "MODE", "#lobby", "-i-m-k", "*")
    await room.moderation.set(entry="closed", writing="moderators")
    for person in (four.ada, four.eve):
        await person.line("KICK")
    await four.mo.since()
    assert await four.mo.since("MODE #lobby +im") == []
    settings = (await room.moderation.state())["settings"]
    assert (settings["entry"], settings["writing"]) == ("closed", "moderators")
    heard = await four.mo.since(
        "MODE #lobby -t", "MODE #lobby +x", "MODE #lobby +k", "MODE #lobby +k a,b", "MODE #lobby +o"
    )
    assert codes(heard) == ["472", "472", "696", "696", "696"]


async def test_who_does_not_moderate_is_refused(room: ChatRoom, server: IrcServer, four: Four) -> None:
    """With 482, whatever the mode; also from outside of the channel; nothing changes. Who is banned is for moderators."""
    commands = ("MODE #lobby +m", "MODE #lobby +b Mo!*@*", "MODE #lobby mb", "MODE #lobby +v Ada", "MODE #lobby +o Ada")
    more = ("TOPIC #lobby :mine", "KICK #lobby Eve :bye", "INVITE Eve #lobby")
    heard = await four.ada.since(*commands, *more)
    assert codes(heard) == ["482"] * 8
    assert {line.params[1] for line in heard} == {"#lobby"}
    outside = await IrcPerson.enter(server.port, "Out", None, password="mo")
    assert codes(await outside.since(*commands, *more)) == ["482"] * 8
    assert await room.moderation.audit() == []
    await room.moderation.ban(network="203.0.113.7")
    assert told(await four.ada.since("MODE #lobby b")) == [
        ("irc.pychat", "368", "Ada", "#lobby", "Only moderators see the bans.")
    ]
    assert codes(await outside.since("MODE #lobby b")) == ["368"]


async def test_only_owners_make_moderators(four: Four) -> None:
    """+o by a moderator is refused; an owner's is told to everybody; -o leaves a member, and -v makes a guest."""
    assert codes(await four.mo.since("MODE #lobby +o Ada")) == ["482"]
    four.olga.say("MODE #lobby +o ada")
    assert told([await four.eve.next()]) == [("Olga", "MODE", "#lobby", "+o", "Ada")]
    assert told([await four.ada.line("MODE")]) == [("Olga", "MODE", "#lobby", "+o", "Ada")]
    assert told(await four.ada.since("MODE #lobby b"))[-1][-1] == "End of the bans."
    heard = await four.olga.since("MODE #lobby +o Ada", "MODE #lobby +v Ada", "MODE #lobby -v Ada")
    assert told(heard) == [("Olga", "MODE", "#lobby", "+o", "Ada")]
    four.olga.say("MODE #lobby -o Ada")
    assert told([await four.eve.next()]) == [("Olga", "MODE", "#lobby", "-o+v", "Ada", "Ada")]
    four.mo.say("MODE #lobby -v+v Ada Eve")
    assert told([await four.eve.next() for _ in range(2)]) == [
        ("Mo", "MODE", "#lobby", "-v", "Ada"),
        ("Mo", "MODE", "#lobby", "+v", "Eve"),
    ]
    assert told(await four.ada.since("MODE #lobby b"))[-1][-1] == "Only moderators see the bans."
    assert await four.eve.since() == []
    heard = await four.olga.since("MODE #lobby -o Mo", "MODE #lobby +v Nobody")
    assert codes(heard)[-2:] == ["NOTICE", "441"]
    assert heard[-2].params[-1] == "Mo stays a moderator: the app has given this role."


async def test_a_ban_by_nick(room: ChatRoom, four: Four) -> None:
    """It puts the person out, who hears why; the others see one KICK and no PART. The list has it; -b ends it."""
    four.mo.say("MODE #lobby +b eve!*@*")
    assert told([await four.ada.next()])[0][:4] == ("Mo", "KICK", "#lobby", "Eve")
    assert told([await four.eve.line("KICK")]) == [("Mo", "KICK", "#lobby", "Eve", "You are banned from this room.")]
    assert codes(await four.eve.since("JOIN #lobby")) == ["474"]
    heard = told(await four.mo.since("MODE #lobby +b *!*@203.0.113.9/24", "MODE #lobby +b"))
    assert await four.ada.since() == []
    assert heard[-3:-1] == [
        ("irc.pychat", "367", "Mo", "#lobby", "Eve!*@*"),
        ("irc.pychat", "367", "Mo", "#lobby", "*!*@203.0.113.0/24"),
    ]
    assert ("Mo", "MODE", "#lobby", "+b", "*!*@203.0.113.0/24") in heard
    assert codes(await four.mo.since("MODE #lobby bbb+bb")) == ["367", "367", "368"]
    heard = told(await four.mo.since("MODE #lobby -bb Eve!*@* *!*@203.0.113.0/24", "MODE #lobby b"))
    assert [line[1:4] for line in heard] == [("MODE", "#lobby", "-b")] * 2 + [("368", "Mo", "#lobby")]
    four.eve.say("JOIN #lobby")
    await four.eve.line("366")


async def test_somebody_who_has_left_can_be_banned(four: Four) -> None:
    """By the nick that they had; moderators are told, the others are not."""
    four.eve.say("PART #lobby")
    assert codes([await four.mo.line("PART"), await four.ada.line("PART")]) == ["PART", "PART"]
    assert told(await four.mo.since("MODE #lobby +b Eve")) == [("Mo", "MODE", "#lobby", "+b", "Eve!*@*")]
    assert await four.ada.since() == []


@pytest.mark.parametrize(
    "mask",
    [
        *("*!*@*", "*!*@pychat", "*!*chat@*", "Ad*!*@*", "Ada!x@*", "*!*@203.0.113.*", "*!*@127.0.0.1"),
        *("*!*@1.0.0.0/2", "Nobody!*@*", "*!*@300.1.1.1", "$a:Ada", "*"),
    ],
)
async def test_other_masks_are_refused(room: ChatRoom, four: Four, mask: str) -> None:
    """With 696 and a text that says what to do; nobody is banned."""
    (refused,) = await four.mo.since(f"MODE #lobby +b {mask}")
    assert (refused.command, refused.params[1:4]) == ("696", ("#lobby", "b", mask))
    assert len(refused.params[4]) > 20
    assert (await room.moderation.state())["ban"] == []


async def test_a_kick(room: ChatRoom, four: Four) -> None:
    """The reason is told to all; it ends in a minute; nobody kicks themselves, or who has a higher role."""
    four.mo.say("KICK #lobby Eve,Nobody :Too \x02loud")
    assert told([await four.ada.next()]) == [("Mo", "KICK", "#lobby", "Eve", "Too loud")]
    kicked = await four.eve.line("KICK")
    assert "(Too loud)" in kicked.params[2]
    assert codes(await four.eve.since("JOIN #lobby", "PRIVMSG #lobby :hi")) == ["474", "442"]
    assert codes(await four.mo.since("KICK #lobby Mo", "KICK #lobby Olga", "KICK #lobby"))[-4:] == [
        "441",
        "482",
        "482",
        "461",
    ]
    assert await four.ada.since() == []
    assert [ban["reason"] for ban in (await room.moderation.state())["ban"]] == ["Too loud"]


async def test_actions_on_the_page_are_one_line_each(room: ChatRoom, four: Four) -> None:
    """Also where an action changes several records; what IRC has no word for is not told. A line fits IRC's limit."""
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    await four.ada.line("JOIN")
    _, _, _, eve, grace = room.backend.first_members()
    await room.moderation.mute(grace)
    await room.moderation.unmute(grace)
    await room.moderation.set(slow=3)
    await room.moderation.kick(grace, reason="🎺" * 300, address=True)
    await room.moderation.ban(eve, network="198.51.100.7", reason="Spam")
    await room.moderation.invite()
    kicked, banned = await four.ada.since()
    assert told([kicked])[0][:4] == ("irc.pychat", "KICK", "#lobby", "Grace_Hopper")
    assert len(kicked.encode()) <= 512
    assert kicked.params[2].startswith("🎺🎺")
    assert told([banned]) == [("irc.pychat", "KICK", "#lobby", "Eve", "Spam")]
    assert len((await four.eve.line("KICK", lambda line: line.params[1] == "Eve")).encode()) <= 512


async def test_topics(room: ChatRoom, four: Four) -> None:
    """A moderator sets it, everybody hears of it, and who has set it is told, but not to the banned; without one, there is the title."""
    four.mo.say("TOPIC #lobby :Tea \x0304at five")
    assert told([await four.ada.next()]) == [("Mo", "TOPIC", "#lobby", "Tea at five")]
    topic, by = await four.ada.since("TOPIC #lobby")
    assert (topic.command, topic.params) == ("332", ("Ada", "#lobby", "Tea at five"))
    assert (by.command, by.params[1:3]) == ("333", ("#lobby", "Mo"))
    assert by.params[3].isdigit()
    await room.moderation.set(title="The Tea Room")
    assert await four.ada.since() == []
    assert codes(await four.mo.since("MODE #lobby +b Eve"))[-1] == "KICK"
    await four.eve.line("KICK")
    assert [line.params[-1] for line in await four.eve.since("TOPIC #lobby")] == ["The Tea Room"]
    await four.ada.line("KICK")
    await room.moderation.set(topic="")
    assert told(await four.ada.since("TOPIC #lobby")) == [
        ("irc.pychat", "TOPIC", "#lobby", "The Tea Room"),
        ("irc.pychat", "332", "Ada", "#lobby", "The Tea Room"),
    ]
    await room.moderation.set(topic="ü" * 300)
    (line,) = await four.ada.since()
    assert len(line.encode()) <= 512
    assert codes(await four.mo.since(f"TOPIC #lobby :{'x' * 301}"))[-1] == "696"


async def test_a_room_without_title_has_no_topic(opened: Open) -> None:
    """Numeric 331 says so."""
    server = await opened(ChatRoom("lobby", title=""))
    ada = await IrcPerson.enter(server.port, "Ada")
    assert codes(await ada.since("TOPIC #lobby")) == ["331"]


async def test_the_key_is_the_password(room: ChatRoom, server: IrcServer) -> None:
    """Without it, and with a wrong one, 475; who has come in comes again without it. It is in no line."""
    await room.moderation.set(password="sesame")
    ada = await IrcPerson.enter(server.port, "Ada", None)
    heard = await ada.since("JOIN #lobby", "JOIN #lobby wrong", "JOIN #lobby ,x")
    assert codes(heard) == ["475"] * 3
    assert "/join #lobby PASSWORD" in heard[0].params[-1]
    ada.say("JOIN #lobby sesame")
    await ada.line("366")
    ada.say("PART #lobby", "JOIN #lobby")
    await ada.line("366")
    assert names(ada.heard)[-1] == "+Ada"
    assert "sesame" not in repr(ada.heard)


async def test_attempts_at_the_key_are_limited(room: ChatRoom, server: IrcServer) -> None:
    """Then the right one is refused too, for a while; the connection stays."""
    await room.moderation.set(password="sesame")
    ada = await IrcPerson.enter(server.port, "Ada", None)
    texts: list[str] = []
    while not any("Too many wrong attempts" in text for text in texts):
        assert len(texts) < 100
        texts += [line.params[-1] for line in await ada.since("JOIN #lobby wrong") if line.command == "475"]
    assert codes(await ada.since("JOIN #lobby sesame")) == ["475"]
    assert room.members == ()


async def test_an_invitation_is_a_key(room: ChatRoom, server: IrcServer) -> None:
    """It lets in one who is not known, and counts as used."""
    await room.moderation.set(entry="members")
    token = await room.moderation.invite(uses=1)
    ada, eve = [await IrcPerson.enter(server.port, nick, None) for nick in ("Ada", "Eve")]
    ada.say(f"JOIN #lobby {token}")
    await ada.line("366")
    assert codes(await eve.since(f"JOIN #lobby {token}")) == ["473"]


async def test_a_moderator_lets_in_who_asks(room: ChatRoom, server: IrcServer, four: Four) -> None:
    """JOIN is refused with 473; KNOCK asks, and INVITE is the yes. Nobody else gets in by it."""
    await room.moderation.set(entry="ask")
    bob, other = [await IrcPerson.enter(server.port, nick, None) for nick in ("Bob", "Other")]
    assert codes(await bob.since("JOIN #lobby")) == ["473"]
    assert codes(await four.mo.since("INVITE Bob #lobby"))[-1] == "401"
    (answer,) = await bob.since("KNOCK #lobby :I am from your school")
    assert "moderators see" in answer.params[-1]
    assert [each["name"] for each in (await room.moderation.state())["asking"]] == ["Bob"]
    assert codes(await bob.since("JOIN #lobby")) == ["473"]
    assert told(await four.mo.since("INVITE bob #lobby")) == [("irc.pychat", "341", "Mo", "bob", "#lobby")]
    bob.say("JOIN #lobby")
    await bob.line("366")
    assert codes(await other.since("JOIN #lobby")) == ["473"]
    assert codes(await other.since("KNOCK #nowhere")) == ["403"]


async def test_who_is_muted_hears_why(room: ChatRoom, four: Four) -> None:
    """At once, by a notice; and with 404 at each message, as where only members or moderators may write."""
    eve = room.backend.first_members()[3]
    await room.moderation.mute(eve, reason="Flooding")
    (notice,) = await four.eve.since()
    assert (notice.command, notice.params) == ("NOTICE", ("#lobby", "You are muted in this room (Flooding)."))
    (refused,) = await four.eve.since("PRIVMSG #lobby :hi")
    assert (refused.command, refused.params[1:]) == ("404", ("#lobby", "You are muted in this room (Flooding)."))
    await room.moderation.unmute(eve)
    four.mo.say("MODE #lobby +m")
    await four.ada.line("MODE")
    heard = await four.ada.since("PRIVMSG #lobby :hi")
    assert (heard[-1].command, heard[-1].params[-1]) == ("404", "Only members may write in this room at the moment.")
    four.mo.say("MODE #lobby +v Ada", "PRIVMSG #lobby :welcome")
    await four.ada.line("PRIVMSG")
    assert await four.ada.since("PRIVMSG #lobby :thanks") == []


async def test_answers_have_labels_and_standard_replies(server: IrcServer, room: ChatRoom) -> None:
    """A refusal is FAIL with the code; what everybody is told comes before the end of the answer."""
    mo = await IrcPerson.enter(server.port, "Mo", password="mo", caps=CAPS)
    heard = await mo.since("@label=a TOPIC #lobby :Tea", "@label=b MODE #lobby +b *!*@*", "@label=c KICK #lobby Mo")
    assert [(line.command, line.tags.get("label")) for line in heard] == [
        ("TOPIC", None),
        ("ACK", "a"),
        ("FAIL", "b"),
        ("FAIL", "c"),
    ]
    assert heard[2].params[:3] == ("MODE", "BAD_REQUEST", "#lobby")
    assert heard[3].params[:3] == ("KICK", "FORBIDDEN", "#lobby")


async def test_a_room_that_is_opened_again_tells_its_channels(room: ChatRoom, server: IrcServer) -> None:
    """Its parts are new, and what moderators do is told as before."""
    await (await IrcPerson.enter(server.port, "Ada")).close()
    await room.aclose()
    await room.start()
    bob = await IrcPerson.enter(server.port, "Bob")
    await room.moderation.set(topic="Again")
    assert told(await bob.since()) == [("irc.pychat", "TOPIC", "#lobby", "Again")]
