"""What is said: both ways, in order, whole, and refused with words to its author alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pychat import ChatRoom, Held, IrcServer, Limits, Message, Refused
from pychat.testing import Person
from pychat.transports.irc.line import LINE_BYTES, Line
from tests.irc.conftest import Enter, Open
from tests.irc.person import CAPS, IrcPerson


def said(lines: list[Line]) -> list[tuple[str, str]]:
    """Who said what."""
    return [((line.source or "").partition("!")[0], line.params[-1]) for line in lines]


async def test_both_ways(room: ChatRoom, enter: Enter) -> None:
    """A browser and an IRC client hear each other; nobody hears themselves unless they asked to."""
    page = await Person.enter(room)
    await page.join("Grace Hopper")
    ada = await enter("Ada")
    ada.say("PRIVMSG #lobby :hi there ☕")
    heard = await page.event("message")
    assert (heard["author"]["name"], heard["text"]) == ("Ada", "hi there ☕")
    await page.say("hello")
    assert said([await ada.next()]) == [("Grace_Hopper", "hello")]
    ada.say("NOTICE #lobby :as a notice", "PRIVMSG #lobby :\x01ACTION waves\x01", "PRIVMSG #lobby :\x0304red\x03 \x02b")
    assert ["as a notice", "/me waves", "red b"] == [(await page.event("message"))["text"] for _ in range(3)]
    await page.say("/me waves back")
    assert said([await ada.next()]) == [("Grace_Hopper", "\x01ACTION waves back\x01")]


async def test_the_order_is_one(opened: Open) -> None:
    """With echo-message each sees the others' messages and the own in the order of the log, whoever is quicker."""
    room = ChatRoom("lobby", limits=Limits(rate=0))
    server = await opened(room)
    people = [await IrcPerson.enter(server.port, f"p{number}", caps=CAPS) for number in range(3)]
    page = await Person.enter(room)
    await page.join("Grace")

    async def talk(person: IrcPerson, number: int) -> None:
        for each in range(30):
            person.say(f"PRIVMSG #lobby :{number}-{each}")
            if each % 5 == 0:
                await asyncio.sleep(0)

    async def write() -> None:
        for each in range(30):
            await page.say(f"page-{each}")

    await asyncio.gather(write(), *(talk(person, number) for number, person in enumerate(people)))
    seen = []
    for person in people:
        lines = [await person.line("PRIVMSG") for _ in range(120)]
        seen.append([(int(line.tags["msgid"].partition(".")[0]), line.params[-1]) for line in lines])
    expected = [(message.seq, message.text) for message in await room.history(limit=200)]
    assert [expected] * 3 == seen


async def test_a_slow_hook_does_not_hold_up_the_others(room: ChatRoom, enter: Enter) -> None:
    """While one's own message is looked at, those of others come; its echo then has its place after them."""
    go = asyncio.Event()

    async def think(message: Message) -> Message:
        if message.text == "slow":
            await go.wait()
        return replace(message, text=message.text.upper())

    room.on("message", think)
    ada, bob = await enter("Ada", caps=CAPS), await enter("Bob")
    ada.say("PRIVMSG #lobby :slow")
    bob.say("PRIVMSG #lobby :quick")
    assert said([await ada.line("PRIVMSG")]) == [("Bob", "QUICK")]
    assert said([await bob.line("NOTICE")]) == [("irc.pychat", "The room changed your message to: QUICK")]
    go.set()
    assert said([await ada.line("PRIVMSG")]) == [("Ada", "SLOW")]


async def test_long_texts_are_split(room: ChatRoom, enter: Enter) -> None:
    """No line is longer than 512 bytes, no character is cut, nothing is lost; one who reads multiline gets it whole."""
    page = await Person.enter(room)
    await page.join("李 四")
    plain, modern = await enter("Ada"), await enter("Bob", caps=CAPS)
    text = "☕" * 300 + "\n\nsecond " + "word " * 150
    await page.say(text)
    lines = []
    while "".join(said_ for _, said_ in said(lines)).count("word") < 150:
        lines.append(await plain.line("PRIVMSG"))
    assert [line for line in lines if len(line.encode()) > LINE_BYTES] == []
    assert text.replace("\n\n", " ").rstrip() == "".join(said_ for _, said_ in said(lines)).rstrip()
    batch = await _whole(modern)
    assert text.rstrip() == batch


async def _whole(person: IrcPerson) -> str:
    opening = await person.line("BATCH")
    assert opening.params[1:] == ("draft/multiline", "#lobby")
    text = ""
    while (line := await person.next()).command == "PRIVMSG":
        assert line.tags["batch"] == opening.params[0][1:]
        text += ("" if "draft/multiline-concat" in line.tags or not text else "\n") + line.params[-1]
    return text


async def test_several_lines_are_one_message(room: ChatRoom, enter: Enter) -> None:
    """A multiline batch is one message, with one echo that has its label; what breaks it is refused."""
    page = await Person.enter(room)
    ada = await enter("Ada", caps=CAPS)
    ada.say(
        "@label=m BATCH +1 draft/multiline #lobby",
        "@batch=1 PRIVMSG #lobby :one ",
        "@batch=1;draft/multiline-concat PRIVMSG #lobby :line",
        "@batch=1 PRIVMSG #lobby :",
        "@batch=1 PRIVMSG #lobby :three",
        "BATCH -1",
    )
    assert (await page.event("message"))["text"] == "one line\n\nthree"
    answer = await ada.line("BATCH")
    assert answer.tags == {"label": "m"}
    assert await _whole(ada) == "one line\n\nthree"
    heard = await ada.since("@label=n BATCH +2 draft/multiline #lobby", "@batch=2 PRIVMSG #other :x", "BATCH -2")
    fails = [(line.params[:2], line.tags.get("label")) for line in heard if line.command == "FAIL"]
    assert fails == [(("BATCH", "MULTILINE_INVALID"), "n"), (("BATCH", "MULTILINE_INVALID"), None)]
    ada.say("BATCH +3 draft/multiline #lobby", *["@batch=3 PRIVMSG #lobby :" + "x" * 400] * 101)
    assert (await ada.line("FAIL")).params[1] == "MULTILINE_MAX_BYTES"


async def test_what_becomes_of_messages(room: ChatRoom, enter: Enter) -> None:
    """Edits, deletions, reactions and replies are lines that one can read, and tags for clients that know them."""
    page = await Person.enter(room)
    await page.join("Grace")
    plain, modern = await enter("Ada"), await enter("Bob", caps=CAPS)
    await page.say("tea?")
    await page.command("edit", {"target": 1, "text": "coffee?"})
    await page.command("say", {"text": "yes, please", "reply_to": 1})
    await page.command("react", {"target": 1, "emoji": "👍"})
    await page.command("react", {"target": 1, "emoji": "👍", "on": False})
    await page.command("delete", {"target": 1})
    seen = [line for line in [await plain.next() for _ in range(7)] if line.command != "JOIN"]  # Bob's
    assert [(line.command, line.params[1]) for line in seen] == [
        ("PRIVMSG", "tea?"),
        ("NOTICE", "* edited: coffee?"),
        ("PRIVMSG", "Grace: yes, please"),
        ("NOTICE", "* reacted 👍 to “coffee?”"),
        ("NOTICE", "* took 👍 back"),
        ("NOTICE", "* deleted a message"),
    ]
    msgid = (await modern.line("PRIVMSG")).tags["msgid"]
    lines = [await modern.next() for _ in range(5)]
    assert ["NOTICE", "PRIVMSG", "NOTICE", "NOTICE", "REDACT"] == [line.command for line in lines]
    assert [msgid] * 4 == [line.tags["+draft/reply"] for line in lines[:4]]
    assert lines[2].tags["+draft/react"] == lines[3].tags["+draft/unreact"] == "👍"
    assert lines[4].params == ("#lobby", msgid)


async def test_replies_reactions_and_deletions_from_irc(room: ChatRoom, enter: Enter) -> None:
    """A client with tags can do what a page can, but for editing."""
    page = await Person.enter(room)
    await page.join("Grace")
    ada = await enter("Ada", caps=CAPS)
    await page.say("tea?")
    msgid = (await ada.line("PRIVMSG")).tags["msgid"]
    ada.say(f"@+draft/reply={msgid} PRIVMSG #lobby :yes", f"@+draft/reply={msgid};+draft/react=👍 TAGMSG #lobby")
    heard = await page.event("message")
    assert heard["reply"] == {"seq": 1, "author": "Grace", "text": "tea?"}
    assert (await page.event("reacted"))["emoji"] == "👍"
    own = (await ada.line("PRIVMSG")).tags["msgid"]
    ada.say(f"REDACT #lobby {own}", f"@+draft/reply={msgid};+draft/unreact=👍 TAGMSG #lobby")
    assert (await page.event("deleted"))["target"] == 2
    assert (await page.event("reacted"))["on"] is False
    lines = await ada.since(f"REDACT #lobby {msgid}", "REDACT #lobby 99.x", "@+draft/react=👍 TAGMSG #lobby")
    codes = [line.params[:2] for line in lines if line.command == "FAIL"]
    assert codes == [("REDACT", "NOT_YOURS"), ("REDACT", "NOT_FOUND"), ("TAGMSG", "BAD_REQUEST")]


async def test_writing_is_shown(room: ChatRoom, enter: Enter) -> None:
    """Both ways, with the tag +typing."""
    page = await Person.enter(room)
    await page.join("Grace")
    ada = await enter("Ada", caps=CAPS)
    await page.command("typing", {"on": True})
    told = await ada.line("TAGMSG")
    assert (said([told])[0][0], told.tags) == ("Grace", {"+typing": "active"})
    ada.say("@+typing=active TAGMSG #lobby", "@+typing=done TAGMSG #lobby")
    assert [True, False] == [
        each["on"] for each in [await page.event("typing") for _ in range(3)] if each["member"]["name"] == "Ada"
    ]


async def test_refusals_reach_their_cause_alone(opened: Open) -> None:
    """Too much, too long, or not liked by a hook: 404 with the words, or FAIL with a code; nobody else hears of it."""
    room = ChatRoom("lobby", limits=Limits(text=10, rate=0.001, burst=5))

    @room.on("message")
    def polite(message: Message) -> None:
        if message.text.isupper():
            raise Refused("shouting", "Please lower your voice.")

    server = await opened(room)
    plain, modern = await IrcPerson.enter(server.port, "ada"), await IrcPerson.enter(server.port, "bob", caps=CAPS)
    asked = ("PRIVMSG #lobby :HELLO", "PRIVMSG #lobby :" + "x" * 11, "PRIVMSG #lobby :  ", "PRIVMSG #lobby :fine")
    heard = await plain.since(*asked, "PRIVMSG #lobby :more", "PRIVMSG #lobby", "PRIVMSG", "PRIVMSG bob :psst")
    numerics = [line for line in heard if line.command.isdigit()]
    assert ["404", "404", "404", "404", "412", "411", "401"] == [line.command for line in numerics]
    assert numerics[0].params == ("ada", "#lobby", "Please lower your voice.")
    heard = await modern.since(*asked, "PRIVMSG #lobby :more", "PRIVMSG #lobby :\x01VERSION\x01")
    fails = [line.params for line in heard if line.command == "FAIL"]
    expected = ["SHOUTING", "TEXT_TOO_LONG", "TEXT_EMPTY", "RATE_LIMITED", "BAD_REQUEST"]
    assert expected == [params[1] for params in fails]
    assert float(fails[3][3]) > 0
    assert ["fine", "fine"] == [message.text for message in await room.history()]
    assert [("ada", "fine"), ("bob", "fine")] == said([line for line in modern.heard if line.command == "PRIVMSG"])


async def test_a_message_sent_again_stands_once(enter: Enter, room: ChatRoom) -> None:
    """With an id of the client's own, as the tag +pychat/id."""
    ada = await enter("Ada", caps=CAPS)
    ada.say("@+pychat/id=m-1 PRIVMSG #lobby :once", "@+pychat/id=m-1 PRIVMSG #lobby :once")
    assert len({(await ada.line("PRIVMSG")).tags["msgid"] for _ in range(2)}) == 1
    assert ["once"] == [message.text for message in await room.history()]


async def test_servers_may_be_several_rooms_wide(server: IrcServer, room: ChatRoom, enter: Enter) -> None:
    """A person with two clients and one password hears on each what was said on the other, once."""
    one, two = [await enter("Ada", password="kept secret", caps=CAPS) for _ in range(2)]
    one.say("PRIVMSG #lobby :from one")
    assert said([await two.line("PRIVMSG")]) == said([await one.line("PRIVMSG")]) == [("Ada", "from one")]
    two.say("NICK Countess")
    assert (await one.line("NICK")).params == ("Countess",)
    one.say("PRIVMSG #lobby :as the countess")
    assert said([await two.line("PRIVMSG")]) == [("Countess", "as the countess")]
    assert [member.name for member in room.members] == ["Countess"]


async def test_a_whisper_is_a_notice_to_one_nick(room: ChatRoom, enter: Enter) -> None:
    """It comes from the bot, to the nick and not to the channel, in as many lines as it needs; nobody else sees it."""
    ada, bob = await enter("Ada"), await enter("Bob")
    await ada.line("JOIN")
    member = next(each for each in room.members if each.name == "Ada")
    await room.whisper(member, "only\r\nyou\x01 " + "☕" * 200, author="the bot")
    lines = [await ada.line("NOTICE") for _ in range(3)]
    assert {(line.source or "").partition("!")[0] for line in lines} == {"the_bot"}
    assert {line.params[0] for line in lines} == {"Ada"}
    assert lines[0].params[1] == "only"
    assert "".join(line.params[1] for line in lines).endswith("☕" * 200)
    assert all(len(line.encode()) <= LINE_BYTES for line in lines)
    assert [line.command for line in await bob.since("VERSION") if line.command not in {"JOIN", "351"}] == []


async def test_a_held_message_is_told(room: ChatRoom, enter: Enter) -> None:
    """A notice says that it waits, and another one that a moderator has rejected it; when it is approved, others get it."""

    @room.on("message")
    async def hold(message: Message) -> None:
        if "://" in message.text:
            raise Held("a link")

    page = await Person.enter(room)
    ada = await enter("Ada")
    ada.say("PRIVMSG #lobby :see https://example.com/1", "PRIVMSG #lobby :see https://example.com/2")
    for _ in range(2):
        assert "moderator reads it" in (await ada.line("NOTICE")).params[-1]
    first, second = (await room.moderation.state())["held"]
    await room.moderation.reject(first["key"], reason="No\x02 ads")
    assert (await ada.line("NOTICE")).params[-1] == "A moderator has rejected your message: No ads"
    await room.moderation.approve(second["key"])
    assert (await page.event("message"))["text"] == "see https://example.com/2"
