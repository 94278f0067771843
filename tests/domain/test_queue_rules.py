"""The rules of the queue and of invitations: what waits is bounded, and is decided once."""

from __future__ import annotations

from typing import Any

import pytest

from pychat.domain import moderation_rules, queue_rules
from pychat.domain.decision import Actor, Decision, Subject
from pychat.domain.errors import Refused
from pychat.domain.model import Member, Message, Quote
from pychat.domain.moderation import Moderated, Record, Removed
from pychat.domain.moderation_state import ModerationState
from pychat.domain.notices import QueueChanged
from pychat.domain.queue import (
    MAX_ASKING,
    MAX_HELD,
    MAX_HELD_BY_ONE,
    MAX_REJECTED,
    MAX_REPORTS,
    MAX_REPORTS_BY_ONE,
    Report,
    approved_record,
    asking_key,
    asking_record,
    held_key,
    held_message,
    held_record,
    invitation_id,
    queue_of,
    report_key,
    report_record,
)
from pychat.domain.roles import PROGRAM_RANK, Role

NOW = 1_700_000_000.0
GRACE = Member("g", "Grace")
MODERATOR = Actor(Member("m", "Mona"), Role.MODERATOR)
OWNER = Actor(Member("o", "Olga"), Role.OWNER)
PROGRAM = Actor(Member("post:app", "app"), PROGRAM_RANK)


def message(seq: int = 0, author: Member = GRACE, id: str = "one", text: str = "hi") -> Message:  # noqa: A002
    """A message."""
    return Message(id, author, text, NOW, seq)


def report(seq: int = 7, by: Member = GRACE) -> Report:
    """A report of message number `seq`."""
    return Report(report_key(by.id, seq), message(seq, Member("e", "Eve"), text="x" * 2000), by, "rude", NOW)


def state(*records: Record | None) -> ModerationState:
    """The state of a room with these records."""
    return ModerationState([record for record in records if record is not None], 1)


def apply(to: ModerationState, decision: Decision | None) -> None:
    """Apply a decision."""
    assert decision is not None
    to.apply(Moderated(decision.changes, to.version + 1, decision.entry))


def decide(to: ModerationState, action: str, actor: Actor = MODERATOR, **fields: Any) -> Decision | None:
    """What an action changes."""
    decision: Decision | None = getattr(queue_rules, action)(to, action, fields, actor, None, NOW)
    return decision


def test_each_member_reports_a_message_once() -> None:
    """The second report of a message by the same member is no new one; another member's is."""
    first = report_record({}, report())
    assert first is not None
    known = {first.key: first}
    assert report_record(known, report()) is None
    assert report_record(known, report(by=MODERATOR.member)) is not None
    assert report_record(known, report(8)) is not None
    assert len(first.data["text"]) == 500


def test_reports_are_bounded() -> None:
    """One member has a bounded number of reports in the queue, and the queue has a bound."""
    mine = {str(each): Record("report", str(each), {"by": GRACE.id}) for each in range(MAX_REPORTS_BY_ONE)}
    with pytest.raises(Refused, match="enough") as refused:
        report_record(mine, report())
    assert refused.value.code == "too_many"
    assert report_record(mine, report(by=MODERATOR.member)) is not None
    full = {str(each): Record("report", str(each), {"by": str(each)}) for each in range(MAX_REPORTS)}
    with pytest.raises(Refused, match="Too many reports"):
        report_record(full, report())


def test_a_message_is_held_once_under_its_id() -> None:
    """Its author finds it again by sending it again; the same id of another author is another message."""
    first = held_record({}, message(), "a link")
    assert first is not None
    assert first.key == held_key("g", "one")
    assert held_record({first.key: first}, message(), "a link") is None
    assert held_record({first.key: first}, message(author=MODERATOR.member), "a link") is not None


def test_held_messages_are_bounded() -> None:
    """One author has a bounded number of messages in the queue, and the queue has a bound."""
    mine = {str(each): Record("held", str(each), {"member": GRACE.id}) for each in range(MAX_HELD_BY_ONE)}
    with pytest.raises(Refused, match="of your messages"):
        held_record(mine, message(), "")
    full = {str(each): Record("held", str(each), {"member": str(each)}) for each in range(MAX_HELD)}
    with pytest.raises(Refused, match="Too many messages"):
        held_record(full, message(), "")


def test_a_held_message_comes_back_as_it_was_written() -> None:
    """The stored message has its id, author and text; its date is that of the approval, and its quote is made anew."""
    written = Message("one", GRACE, "hi", NOW, reply=Quote(3, "Eve", "hello"))
    record = held_record({}, written, "")
    assert record is not None
    assert record.data["reply"] == 3
    assert "hello" not in repr(record)  # Eve may erase that
    quoted = Quote(3, "Eve", "hello!")
    assert held_message(record, NOW + 60, quoted) == Message("one", GRACE, "hi", NOW + 60, reply=quoted)


def test_people_ask_once_and_their_number_is_bounded() -> None:
    """Ten thousand requests of one person are one record; those of ten thousand people end at the bound."""
    records: dict[str, Record] = {}
    refused = 0
    for number in range(10_000):
        for _ in range(2):
            try:
                record = asking_record(records, str(number), "Ada", "x" * 1000, NOW)
            except Refused as refusal:
                assert refusal.code == "too_many"
                refused += 1
            else:
                if record is not None:
                    records[record.key] = record
                    assert len(record.data["text"]) == 300
    assert len(records) == MAX_ASKING
    assert refused == 2 * (10_000 - MAX_ASKING)


def test_a_held_message_is_approved_once() -> None:
    """The second approval changes nothing, and nobody can reject what is approved."""
    room = state(held_record({}, message(), "a link"))
    key = held_key("g", "one")
    assert queue_of(room) == QueueChanged(0, 1, 0)
    apply(room, decide(room, "approve", item=key))
    assert queue_of(room) == QueueChanged()
    assert decide(room, "approve", OWNER, item=key) is None
    with pytest.raises(Refused, match="no longer"):
        decide(room, "reject", item=key)


def test_a_held_message_is_rejected_once() -> None:
    """It leaves the queue with an entry that has the reason; after that there is nothing to approve, and no text."""
    room = state(held_record({}, message(), "a link"))
    decision = decide(room, "reject", item=held_key("g", "one"), reason=" no \n links ")
    assert decision is not None
    (record,) = decision.changes
    assert isinstance(record, Record)
    assert (record.data["text"], record.until) == ("", NOW + 86_400)
    assert decision.entry is not None
    assert (decision.entry.reason, decision.entry.target, decision.entry.name) == ("no links", "g", "Grace")
    apply(room, decision)
    for action in ("approve", "reject"):
        with pytest.raises(Refused) as refused:
            decide(room, action, item=held_key("g", "one"))
        assert refused.value.code == "not_found"
    assert queue_of(room) == QueueChanged()
    with pytest.raises(Refused, match="rejected this message: no links"):
        held_record(room.of("held"), message(), "a link")


def test_rejected_messages_take_no_place_in_the_queue_and_are_bounded() -> None:
    """As many as ever can wait; above a bound, a rejection leaves nothing."""
    rejected = [
        Record("held", str(each), {"member": "e", "rejected": True, "reason": ""}) for each in range(MAX_REJECTED)
    ]
    full = [Record("held", f"w{each}", {"member": str(each)}) for each in range(MAX_HELD - 1)]
    room = state(*rejected, *full)
    last = held_record(room.of("held"), message(), "")
    room = state(*rejected, *full, last)
    decision = decide(room, "reject", item=held_key("g", "one"))
    assert decision is not None
    assert decision.changes == (Removed("held", held_key("g", "one")),)


def test_whoever_is_let_in_is_a_member() -> None:
    """The request leaves the queue, and the role is stored with it; a role that is there already stays."""
    room = state(asking_record({}, "a", "Ada", "", NOW))
    apply(room, decide(room, "approve", item=asking_key("a")))
    assert room.stored_role("a") is Role.MEMBER
    assert not room.of("asking")
    room = state(asking_record({}, "a", "Ada", "", NOW), Record("role", "a", {"role": "reader", "name": "Ada"}))
    apply(room, decide(room, "approve", item=asking_key("a")))
    assert room.stored_role("a") is Role.READER


def test_whoever_is_rejected_cannot_ask_again_at_once() -> None:
    """They do not count in the queue, and their record stays for ten minutes; a moderator may change their mind."""
    room = state(asking_record({}, "a", "Ada", "", NOW))
    apply(room, decide(room, "reject", item=asking_key("a"), reason="not now"))
    record = room.get("asking", asking_key("a"))
    assert record is not None
    assert (record.until, record.data["reason"]) == (NOW + 600, "not now")
    assert queue_of(room) == QueueChanged()
    assert asking_record(room.of("asking"), "a", "Ada", "", NOW) is None
    assert decide(room, "reject", item=asking_key("a")) is None
    apply(room, decide(room, "approve", item=asking_key("a")))
    assert room.stored_role("a") is Role.MEMBER


def test_a_report_is_resolved_once() -> None:
    """It leaves the queue with an entry that names the message and its author."""
    room = state(report_record({}, report()))
    decision = decide(room, "resolve", item=report_key("g", 7))
    assert decision is not None
    assert decision.entry is not None
    assert (decision.entry.target, decision.entry.data["target"]) == ("e", 7)
    apply(room, decision)
    with pytest.raises(Refused, match="no longer"):
        decide(room, "resolve", item=report_key("g", 7))


def test_a_report_is_nothing_to_approve() -> None:
    """Each action finds items of its own kind alone."""
    room = state(report_record({}, report()))
    with pytest.raises(Refused, match="no longer"):
        decide(room, "approve", item=report_key("g", 7))


def test_an_invitation_gives_no_more_than_its_author_may_give() -> None:
    """Moderators invite members; owners and programs also moderators and owners. Nobody invites readers."""
    key = invitation_id("secret")
    for actor, role in ((MODERATOR, "moderator"), (MODERATOR, "owner"), (OWNER, "reader"), (OWNER, "guest")):
        with pytest.raises(Refused):
            decide(state(), "invite", actor, invite=key, role=role)
    for actor, role in ((MODERATOR, "member"), (OWNER, "owner"), (PROGRAM, "moderator")):
        decision = decide(state(), "invite", actor, invite=key, role=role, uses=3, seconds=60)
        assert decision is not None
        (record,) = decision.changes
        assert isinstance(record, Record)
        assert (record.data["role"], record.data["uses"], record.until) == (role, 3, NOW + 60)
    with pytest.raises(Refused, match="uses"):
        decide(state(), "invite", invite=key, uses=0)


def test_an_invitation_is_revoked_once() -> None:
    """It is gone; a second time there is nothing to revoke."""
    room = state()
    apply(room, decide(room, "invite", invite=invitation_id("secret")))
    apply(room, decide(room, "revoke", invite=invitation_id("secret")))
    assert not room.of("invite")
    with pytest.raises(Refused, match="no such invitation"):
        decide(room, "revoke", invite=invitation_id("secret"))


@pytest.mark.parametrize(("role", "left"), [("guest", []), ("member", []), ("moderator", ["member"])])
def test_who_loses_a_role_loses_the_invitations_that_it_allowed(role: str, left: list[str]) -> None:
    """Otherwise somebody who was a moderator could let people in, or come back as one; others' invitations stay."""
    owners = (Record("role", key, {"role": "owner", "name": key, "by": "x"}) for key in ("o", "another"))
    room = state(*owners)
    for each in ("member", "moderator", "owner"):
        apply(room, decide(room, "invite", OWNER, invite=invitation_id(each), role=each))
    apply(room, decide(room, "invite", PROGRAM, invite=invitation_id("of the app"), role="owner"))
    subject = Subject("o", "Olga", Role.OWNER)
    apply(room, moderation_rules.decide(room, "role", {"member": "o", "role": role}, PROGRAM, subject, NOW))
    assert [each.data["role"] for each in room.of("invite").values()] == [*left, "owner"]


def test_no_token_is_in_a_record_or_an_entry() -> None:
    """The room stores what the token hashes to."""
    assert "secret" not in invitation_id("secret")
    decision = decide(state(), "invite", invite=invitation_id("secret"))
    assert "secret" not in repr(decision)


def test_an_approved_message_is_no_longer_in_the_queue() -> None:
    """While the room stores it, moderators are not asked again."""
    held = held_record({}, message(), "")
    assert held is not None
    assert queue_of(state(approved_record(held))) == QueueChanged()
