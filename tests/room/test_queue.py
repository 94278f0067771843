"""Reports and held messages: they wait for moderators, are bounded, and a message is sent once, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import pychat
from pychat import ChatRoom, Held, Member, Message, Refused, Report, User
from pychat.domain.moderation import AuditEntry
from pychat.domain.queue import MAX_HELD, MAX_HELD_BY_ONE, MAX_REPORTS, held_key, invitation_id
from pychat.stores import open_store
from pychat.testing import FakeClock, Person, RecordingConnection


def hold_links(room: ChatRoom) -> None:
    """Let messages with a link wait for a moderator."""

    @room.on("message")
    async def links(message: Message) -> None:
        if "://" in message.text:
            raise Held("a link")


@pytest.fixture
async def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
async def room(clock: FakeClock) -> AsyncIterator[ChatRoom]:
    """An open room that holds links."""
    async with ChatRoom("lobby", clock=clock) as room:
        hold_links(room)
        yield room


async def enter(room: ChatRoom, name: str, role: str = "") -> Person:
    """Somebody with a name, and perhaps with a role."""
    person = await Person.enter(room)
    member = (await person.join(name))["member"]
    if role:
        await room.moderation.role(member["id"], role)
    return person


async def waiting(room: ChatRoom, kind: str = "held") -> list[dict[str, Any]]:
    """What waits."""
    found: list[dict[str, Any]] = (await room.moderation.state())[kind]
    return found


async def undecided(room: ChatRoom) -> list[dict[str, Any]]:
    """The held messages that nobody has decided on."""
    return [each for each in await waiting(room) if not each.get("rejected")]


async def texts(room: ChatRoom) -> list[str]:
    """What was said."""
    return [message.text for message in await room.history()]


# Held messages.


async def test_a_held_message_waits_and_is_approved(room: ChatRoom) -> None:
    """Its author sees it waiting, nobody else gets it; when it is approved, everybody gets it once, under its id."""
    ada, bob = await enter(room, "Ada"), await enter(room, "Bob")
    answer = await ada.command("say", {"text": "see https://example.com", "id": "one"})
    assert answer == {"ok": True, "held": True, "id": "one"}
    (item,) = await waiting(room)
    assert (item["name"], item["text"], item["reason"]) == ("Ada", "see https://example.com", "a link")
    assert await texts(room) == []
    await room.moderation.approve(item["key"])
    for person in (ada, bob):
        told = await person.event("message")
        assert (told["id"], told["text"], told["author"]["name"]) == ("one", "see https://example.com", "Ada")
    assert await ada.event("held") == {"id": "one", "state": "approved", "reason": ""}
    assert all(name != "held" for name, _ in bob.connection.events)
    assert await undecided(room) == []
    assert await texts(room) == ["see https://example.com"]


async def test_a_held_message_is_rejected(room: ChatRoom) -> None:
    """Its author is told why; nobody ever gets it."""
    ada = await enter(room, "Ada")
    await ada.command("say", {"text": "see https://example.com", "id": "one"})
    (item,) = await waiting(room)
    await room.moderation.reject(item["key"], reason="No links, please")
    assert await ada.event("held") == {"id": "one", "state": "rejected", "reason": "No links, please"}
    assert await undecided(room) == []
    assert await texts(room) == []


async def test_an_author_who_was_away_is_told_of_the_rejection(room: ChatRoom, clock: FakeClock) -> None:
    """When they come back within a day; and the same message, sent again, is refused with the reason."""
    user = User("1", "Ada")
    ada = await room.connect(RecordingConnection(), user=user)
    await ada.say("see https://example.com", "one")
    await ada.close()
    (item,) = await waiting(room)
    await room.moderation.reject(item["key"], reason="No links")
    back = RecordingConnection()
    session = await room.connect(back, user=user)
    assert await back.told.next("held") == {"id": "one", "state": "rejected", "reason": "No links"}
    with pytest.raises(Refused, match="rejected this message: No links"):
        await session.say("see https://example.com", "one")
    assert (await session.say("see https://example.com", "two")).seq == 0
    clock.move(24 * 60 * 60)
    later = RecordingConnection()
    await room.connect(later, user=user)
    assert all(name != "held" for name, _ in later.events)


async def test_all_connections_of_the_author_are_told(room: ChatRoom) -> None:
    """Also those that did not send the message."""
    tabs = [RecordingConnection(), RecordingConnection()]
    sessions = [await room.connect(tab, user=User("1", "Ada")) for tab in tabs]
    said = await sessions[0].say("see https://example.com", "one")
    assert said.seq == 0
    await room.moderation.approve(held_key("user:1", "one"))
    for tab in tabs:
        assert (await tab.told.next("held"))["state"] == "approved"
        assert (await tab.told.next("message"))["id"] == "one"


async def test_a_message_that_is_sent_again_waits_once(room: ChatRoom) -> None:
    """The author's client repeats it because it got no answer: it finds the held one. After the approval, it finds the sent one."""
    ada = await enter(room, "Ada")
    for _ in range(3):
        assert (await ada.command("say", {"text": "see https://example.com", "id": "one"}))["held"]
    (item,) = await waiting(room)
    await room.moderation.approve(item["key"])
    assert (await ada.command("say", {"text": "see https://example.com", "id": "one"}))["seq"] == 1
    assert await texts(room) == ["see https://example.com"]


async def test_two_moderators_approve_at_the_same_moment(room: ChatRoom) -> None:
    """The message is sent once, and both are told that it is."""
    ada = await enter(room, "Ada")
    moderators = [await enter(room, f"M{each}", "moderator") for each in range(5)]
    await ada.command("say", {"text": "see https://example.com", "id": "one"})
    (item,) = await waiting(room)
    fields = {"action": "approve", "item": item["key"]}
    answers = await asyncio.gather(*(each.command("moderate", fields) for each in moderators))
    assert any(answer["ok"] for answer in answers)
    assert {answer.get("error", {}).get("code", "") for answer in answers} <= {"", "not_found"}
    assert await texts(room) == ["see https://example.com"]
    assert sum(each.action == "approve" for each in await room.moderation.audit()) == 1


async def test_one_approves_and_another_rejects_at_the_same_moment(room: ChatRoom) -> None:
    """One of them wins: either everybody gets the message and its author is told so, or nobody does."""
    ada = await enter(room, "Ada")
    await ada.command("say", {"text": "see https://example.com", "id": "one"})
    (item,) = await waiting(room)
    results = await asyncio.gather(
        room.moderation.approve(item["key"]), room.moderation.reject(item["key"]), return_exceptions=True
    )
    assert [type(each) for each in results].count(Refused) == 1
    assert (await ada.event("held"))["state"] == ("approved" if await texts(room) else "rejected")
    assert sum(name == "held" for name, _ in ada.connection.events) == 1


async def test_an_approval_that_is_interrupted_is_finished(room: ChatRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails between the decision and the message: the next approval of the same message sends it."""
    ada = await enter(room, "Ada")
    await ada.command("say", {"text": "see https://example.com", "id": "one"})
    (item,) = await waiting(room)
    queue = room.backend.core.queue
    real = queue.publish

    async def fail(record: object) -> None:
        raise Refused("unavailable", "Later.", 1.0)

    monkeypatch.setattr(queue, "publish", fail)
    with pytest.raises(Refused, match="Later"):
        await room.moderation.approve(item["key"])
    assert await texts(room) == []
    with pytest.raises(Refused, match="no longer"):
        await room.moderation.reject(item["key"])
    monkeypatch.setattr(queue, "publish", real)
    await room.moderation.approve(item["key"])
    assert await texts(room) == ["see https://example.com"]
    assert await undecided(room) == []


async def test_held_messages_survive_a_restart(tmp_path: Any) -> None:
    """The next server has them in its queue, and finishes an approval that the last one began."""
    url = f"sqlite:{tmp_path / 'chat.db'}"
    async with ChatRoom("lobby", store=url) as room:
        hold_links(room)
        ada = await enter(room, "Ada")
        for each in ("one", "two"):
            await ada.command("say", {"text": f"see https://example.com/{each}", "id": each})
        first, _ = await waiting(room)

        async def die(record: object) -> None:
            raise Refused("unavailable", "The server ends here.")

        room.backend.core.queue.publish = die
        with pytest.raises(Refused):
            await room.moderation.approve(first["key"])
    async with ChatRoom("lobby", store=url) as room:
        async with asyncio.timeout(10):
            while not await texts(room) or len(await waiting(room)) > 1:
                await asyncio.sleep(0.01)
        assert await texts(room) == ["see https://example.com/one"]
        (second,) = await waiting(room)
        await room.moderation.approve(second["key"])
        assert await texts(room) == ["see https://example.com/one", "see https://example.com/two"]


async def test_what_earlier_hooks_have_changed_stays_changed(room: ChatRoom) -> None:
    """A held message is what the hooks before made of it, and hooks are not asked again when it is approved."""
    async with ChatRoom("kitchen") as kitchen:

        @kitchen.on("message")
        async def tidy(message: Message) -> Message:
            return pychat.Message(message.id, message.author, message.text.replace("darn", "****"), message.date)

        hold_links(kitchen)
        ada = await enter(kitchen, "Ada")
        await ada.say("darn https://example.com")
        (item,) = await waiting(kitchen)
        assert item["text"] == "**** https://example.com"
        await kitchen.moderation.approve(item["key"])
        assert await texts(kitchen) == ["**** https://example.com"]


async def test_a_held_reply_quotes_what_stands_there_now(room: ChatRoom) -> None:
    """The quote is made when it is approved; if the message was deleted meanwhile, it is no reply any more."""
    ada = await enter(room, "Ada")
    await ada.say("first")
    await ada.say("second")
    for seq in (1, 2):
        await ada.command("say", {"text": f"https://example.com/{seq}", "id": f"r{seq}", "reply_to": seq})
    await room.edit(1, "changed")
    await room.delete(2)
    for item in await waiting(room):
        await room.moderation.approve(item["key"])
    *_, first, second = await room.history()
    assert first.reply is not None
    assert first.reply.text == "changed"
    assert second.reply is None


async def test_an_edit_cannot_wait(room: ChatRoom) -> None:
    """Otherwise somebody could write something harmless, and change it: it is refused."""
    ada = await enter(room, "Ada")
    seq = (await ada.say("harmless"))["seq"]
    answer = await ada.command("edit", {"target": seq, "text": "https://example.com"})
    assert answer["error"]["code"] == "held"
    assert await undecided(room) == []
    assert await texts(room) == ["harmless"]


async def test_messages_of_code_wait_too(room: ChatRoom) -> None:
    """A post that a hook holds comes back with the number 0, and is sent when it is approved."""
    posted = await room.post("https://example.com", author="bot")
    assert posted.seq == 0
    (item,) = await waiting(room)
    await room.moderation.approve(item["key"])
    assert await texts(room) == ["https://example.com"]


async def test_a_flood_of_held_messages_is_bounded(room: ChatRoom) -> None:
    """One author has a bounded number in the queue; all authors together have one too, and are told to wait."""
    ada = await enter(room, "Ada")
    codes = []
    for number in range(MAX_HELD_BY_ONE + 5):
        answer = await ada.say(f"https://example.com/{number}")
        codes.append(answer.get("error", {}).get("code", "held"))
    assert codes == ["held"] * MAX_HELD_BY_ONE + ["too_many"] * 5
    records = room.backend.core.moderation
    fates: list[str] = []
    for number in range(MAX_HELD):
        author = Member(f"id{number}", f"Eve {number}")
        try:
            await records.queue.hold(Message("one", author, "https://example.com", 0.0), "")
        except Refused as refused:
            fates.append(refused.code)
    assert fates == ["too_many"] * MAX_HELD_BY_ONE
    assert len(await waiting(room)) == MAX_HELD
    assert (await ada.say("no link"))["seq"] == 1


async def test_a_ban_empties_the_queue_of_what_the_person_wrote_and_reported(room: ChatRoom) -> None:
    """Moderators need not decide one by one on what a banned person left; it cannot be approved by mistake either."""
    ada, troll = await enter(room, "Ada"), await enter(room, "Troll")
    said = await ada.say("hi")
    for person in (ada, troll):
        await person.say("https://example.com")
        assert (await person.command("report", {"target": said["seq"]}))["ok"]
    *_, item = await waiting(room)
    await room.moderation.ban(item["member"])
    assert [each["name"] for each in await waiting(room)] == ["Ada"]
    assert [each["reporter"]["name"] for each in await waiting(room, "report")] == ["Ada"]
    with pytest.raises(Refused):
        await room.moderation.approve(item["key"])


async def test_a_ban_revokes_the_invitations_of_the_person(room: ChatRoom) -> None:
    """A moderator who is banned cannot come back as a member by an invitation that they made before."""
    mo = await enter(room, "Mo", "moderator")
    token = (await mo.command("moderate", {"action": "invite"}))["token"]
    await room.moderation.invite()
    (mine,) = [each for each in await waiting(room, "invite") if each["key"] == invitation_id(token)]
    await room.moderation.ban(mine["by"])
    assert [each["by"] for each in await waiting(room, "invite")] == ["post:app"]


async def test_somebody_who_is_muted_while_a_hook_runs_gets_nothing_held(clock: FakeClock) -> None:
    """Between the hook and the queue, a moderator mutes the author: the message is refused."""
    async with ChatRoom("lobby", clock=clock) as room:

        @room.on("message")
        async def mute(message: Message) -> None:
            await room.moderation.mute(message.author)
            raise Held("a link")

        ada = await enter(room, "Ada")
        assert (await ada.say("hello"))["error"]["code"] == "muted"
        assert await waiting(room) == []


async def test_mentions_of_an_approved_message_count(room: ChatRoom) -> None:
    """Whoever it mentions is told when it is approved, not before."""
    mentioned: list[str] = []
    room.on("mention", lambda message, member: mentioned.append(member.name))
    ada, _bob = await enter(room, "Ada"), await enter(room, "Bob")
    await ada.say("@Bob https://example.com")
    (item,) = await waiting(room)
    await room.moderation.approve(item["key"])
    await room.backend.core.hooks.aclose()
    assert mentioned == ["Bob"]


# Reports.


async def test_a_report_reaches_moderators_and_the_app(room: ChatRoom) -> None:
    """It has the message as it stood, and the hook is told once for each new report."""
    told: list[Report] = []
    room.on("report", told.append)
    ada, eve = await enter(room, "Ada"), await enter(room, "Eve")
    seq = (await eve.say("rude"))["seq"]
    for _ in range(3):
        assert (await ada.command("report", {"target": seq, "reason": "It is \n rude."}))["ok"]
    (item,) = await waiting(room, "report")
    assert (item["target"], item["name"], item["text"], item["reason"]) == (seq, "Eve", "rude", "It is rude.")
    assert item["reporter"]["name"] == "Ada"
    await room.backend.core.hooks.aclose()
    assert [(each.message.seq, each.by.name, each.reason) for each in told] == [(seq, "Ada", "It is rude.")]
    await room.moderation.resolve(item["key"])
    assert await waiting(room, "report") == []


async def test_reports_are_refused_where_there_is_nothing_to_report(room: ChatRoom) -> None:
    """No message, a deleted one, or a reason that is too long."""
    ada = await enter(room, "Ada")
    seq = (await ada.say("oops"))["seq"]
    assert (await ada.command("report", {"target": 99}))["error"]["code"] == "not_found"
    assert (await ada.command("report", {"target": seq, "reason": "x" * 301}))["error"]["code"] == "text_too_long"
    await ada.command("delete", {"target": seq})
    assert (await ada.command("report", {"target": seq}))["error"]["code"] == "not_found"
    assert await waiting(room, "report") == []


async def test_a_flood_of_reports_is_bounded(room: ChatRoom) -> None:
    """One person has ten at once, over all connections; all people together fill the queue to its bound."""
    for number in range(20):
        await room.post(f"rude {number}", author="bot")
    tabs = [await room.connect(RecordingConnection(), user=User("1", "Eve")) for _ in range(2)]
    codes = []
    for seq in range(1, 21):
        try:
            await tabs[seq % 2].report(seq)
        except Refused as refused:
            codes.append(refused.code)
    assert codes == ["rate_limited"] * 10
    assert len(await waiting(room, "report")) == 10
    fates: list[str] = []
    for number in range(MAX_REPORTS):
        try:
            await room.moderation.report(1, by=Member(f"id{number}", "Eve"))
        except Refused as refused:
            fates.append(refused.code)
    assert fates == ["too_many"] * 10
    assert len(await waiting(room, "report")) == MAX_REPORTS


# What moderators are told.


async def test_moderators_are_told_how_much_waits_at_most_once_a_second(room: ChatRoom, clock: FakeClock) -> None:
    """The first change at once, all others of that second together; nobody else is told. A newcomer is told in the welcome."""
    ada, mona = await enter(room, "Ada"), await enter(room, "Mona", "moderator")
    await ada.say("https://example.com/0")
    assert await mona.event("queue") == {"reports": 0, "held": 1, "asking": 0}
    for number in range(1, 10):
        await ada.say(f"https://example.com/{number}")
    assert sum(name == "queue" for name, _ in mona.connection.events) == 1
    clock.move(1)
    assert await mona.event("queue") == {"reports": 0, "held": 10, "asking": 0}
    clock.move(10)
    assert sum(name == "queue" for name, _ in mona.connection.events) == 2
    assert all(name != "queue" for name, _ in ada.connection.events)
    late = RecordingConnection()
    await room.connect(late, user=User("1", "Olga", roles=("owner",)))
    assert (await late.told.next("welcome"))["queue"] == {"reports": 0, "held": 10, "asking": 0}


async def test_a_program_hears_what_moderators_do(room: ChatRoom) -> None:
    """The hook `moderate` gets each entry of the audit log once, those of the app too."""
    told: list[AuditEntry] = []
    room.on("moderate", told.append)
    mona = await enter(room, "Mona", "moderator")
    await mona.command("moderate", {"action": "set", "slow": 5})
    await room.backend.core.hooks.aclose()
    assert [(each.by.name, each.action) for each in told] == [("app", "role"), ("Mona", "set")]


async def test_two_servers_share_the_queue(tmp_path: Any) -> None:
    """What is held on one is approved on the other, and the author hears of it where they are."""
    store = open_store(f"sqlite:{tmp_path / 'chat.db'}")
    first, second = ChatRoom("lobby", store=store), ChatRoom("lobby", store=store)
    async with first, second:
        hold_links(first)
        ada = await enter(first, "Ada")
        await ada.command("say", {"text": "https://example.com", "id": "one"})
        (item,) = await waiting(second)
        await asyncio.gather(
            first.moderation.approve(item["key"]), second.moderation.approve(item["key"]), return_exceptions=True
        )
        assert (await ada.event("held"))["state"] == "approved"
        assert [each.text for each in await second.history()] == ["https://example.com"]
    await store.aclose()
