"""Coming into a room by a password, an invitation, the owner's token, a challenge or a moderator's yes; and by force."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import altcha
import pytest

from pychat import ChatRoom, Refused, UsageError, User
from pychat.domain.access import Access
from pychat.domain.entry import is_checked
from pychat.domain.queue import MAX_ASKING, asking_key
from pychat.domain.roles import Role
from pychat.room.entry import Applicant, EntryDesk, EntryResult, challenges
from pychat.room.grant import Grant
from pychat.room.rate_limiter import RateLimiter
from pychat.room.tokens import Tokens
from pychat.testing import FakeClock

OWNER = "an-owner-token-of-32-characters!"
ADDRESS = "203.0.113.7"


@pytest.fixture
async def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
async def room(clock: FakeClock) -> Any:
    """An open room."""
    async with ChatRoom("lobby", clock=clock) as room:
        yield room


@pytest.fixture
async def desk(clock: FakeClock) -> EntryDesk:
    """What lets people into the room."""
    desk = EntryDesk(RateLimiter(clock))
    desk.use_owner_token(OWNER)
    return desk


def guest(member_id: str | None = None, address: str = ADDRESS) -> Applicant:
    """A guest."""
    return Applicant(member_id, None, Grant(Access.WRITE, address=address))


async def enter(desk: EntryDesk, room: ChatRoom, who: Applicant | None = None, **fields: object) -> EntryResult:
    """Ask to come in."""
    return await desk.enter(room.backend, who or guest(), fields)


async def code(desk: EntryDesk, room: ChatRoom, who: Applicant | None = None, **fields: object) -> str:
    """The code of the refusal; empty if there is none."""
    try:
        await enter(desk, room, who, **fields)
    except Refused as refused:
        return refused.code
    return ""


def may_enter(room: ChatRoom, who: Applicant, member_id: str) -> bool:
    """Whether that member would be let into the room now."""
    try:
        room.backend.check_entry(who.grant, who.user, member_id)
    except Refused:
        return False
    return True


# Passwords.


async def test_the_password_makes_a_member(room: ChatRoom, desk: EntryDesk) -> None:
    """Whoever knows it may enter as a member from then on, also after it has changed."""
    await room.moderation.set(password="open sesame")
    assert not may_enter(room, guest(), "somebody")
    done = await enter(desk, room, password="open sesame")
    assert (done.role, done.waiting) == (Role.MEMBER, False)
    assert may_enter(room, guest(), done.member_id)
    await room.moderation.set(password="something else")
    assert may_enter(room, guest(), done.member_id)
    again = await enter(desk, room, guest(done.member_id), password="whatever")
    assert again == done


async def test_a_wrong_password_opens_nothing(room: ChatRoom, desk: EntryDesk) -> None:
    """The refusal is the same for each wrong one, and neither stores nor logs anything."""
    await room.moderation.set(password="open sesame")
    version = room.backend.core.moderation.state.version
    for wrong in ("", "Open sesame", "x" * 600, "open sesame\0", "$" * 50):
        assert await code(desk, room, password=wrong) == "entry_required"
    assert version == room.backend.core.moderation.state.version


async def test_a_password_is_never_logged_or_kept(
    room: ChatRoom, desk: EntryDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the password nor a guess stands in the log, in what moderators see, or in the audit log."""
    caplog.set_level(logging.DEBUG)
    await room.moderation.set(password="open sesame")
    await code(desk, room, password="a wrong guess")
    await enter(desk, room, password="open sesame")
    told = f"{caplog.text}{await room.moderation.state()}{await room.moderation.audit()}"
    assert "sesame" not in told
    assert "guess" not in told
    assert "scrypt" not in told


async def test_guessing_is_slow(room: ChatRoom, desk: EntryDesk) -> None:
    """A thousand guesses from one address at the same moment are ten; with the right one later, they wait too."""
    await room.moderation.set(password="open sesame")
    codes = await asyncio.gather(*(code(desk, room, password=f"guess {each}") for each in range(1000)))
    assert codes.count("entry_required") == 10
    assert set(codes) == {"entry_required", "rate_limited"}
    assert await code(desk, room, password="open sesame") == "rate_limited"
    assert await code(desk, room, guest(address="198.51.100.1"), password="open sesame") == ""


async def test_a_room_without_a_password_says_so(room: ChatRoom, desk: EntryDesk) -> None:
    """A password for a room that asks for something else is a mistake, and costs no attempt."""
    await room.moderation.set(entry="ask")
    for _ in range(20):
        assert await code(desk, room, password="open sesame") == "not_found"


async def test_a_password_that_changes_meanwhile_counts_no_more(
    room: ChatRoom, desk: EntryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the comparison and the role, a moderator changes the password: the old one opens nothing."""
    await room.moderation.set(password="open sesame")

    async def matches(password: str, stored: str) -> bool:
        await room.moderation.set(password="something else")
        return True

    monkeypatch.setattr(desk._passwords, "matches", matches)
    assert await code(desk, room, password="open sesame") == "entry_required"
    assert not room.backend.core.moderation.state.of("role")


async def test_somebody_who_is_banned_meanwhile_stays_out(
    room: ChatRoom, desk: EntryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the comparison and the role, a moderator bans the address: the right password opens nothing."""
    await room.moderation.set(password="open sesame")

    async def matches(password: str, stored: str) -> bool:
        await room.moderation.ban(network=ADDRESS)
        return True

    monkeypatch.setattr(desk._passwords, "matches", matches)
    assert await code(desk, room, password="open sesame") == "banned"
    assert not room.backend.core.moderation.state.of("role")


async def test_a_login_needs_the_password_too(room: ChatRoom, desk: EntryDesk) -> None:
    """A user of the app is a member everywhere, but known to this room only with the password."""
    await room.moderation.set(password="open sesame")
    ada = Applicant("user:1", User("1", "Ada"), Grant(Access.WRITE, address=ADDRESS))
    assert not may_enter(room, ada, "user:1")
    assert (await enter(desk, room, ada, password="open sesame")).member_id == "user:1"
    assert may_enter(room, ada, "user:1")
    (record,) = (await room.moderation.state())["role"]
    assert record["name"] == "Ada"


async def test_a_reader_stays_a_reader(room: ChatRoom, desk: EntryDesk) -> None:
    """Neither a password nor an invitation gives back what a moderator has taken."""
    await room.moderation.role("eve", "reader")
    await room.moderation.set(password="open sesame")
    token = await room.moderation.invite()
    assert (await enter(desk, room, guest("eve"), password="open sesame")).role is Role.READER
    assert (await enter(desk, room, guest("eve"), invite=token)).role is Role.READER


# Invitations.


async def test_an_invitation_is_used_up(room: ChatRoom, desk: EntryDesk) -> None:
    """Each use makes somebody a member. Whoever comes again uses nothing; after the last use it is gone."""
    await room.moderation.set(entry="members")
    token = await room.moderation.invite(uses=2)
    first = await enter(desk, room, invite=token)
    assert (await enter(desk, room, guest(first.member_id), invite=token)) == first
    second = await enter(desk, room, invite=token)
    assert second.member_id != first.member_id
    assert may_enter(room, guest(), first.member_id)
    assert may_enter(room, guest(), second.member_id)
    assert await code(desk, room, invite=token) == "entry_required"
    assert not (await room.moderation.state())["invite"]


async def test_a_hundred_people_cannot_share_one_use(room: ChatRoom, desk: EntryDesk) -> None:
    """They all use it at the same moment: one gets in."""
    token = await room.moderation.invite(uses=1)
    people = [guest(address=f"203.0.113.{each}") for each in range(100)]
    codes = await asyncio.gather(*(code(desk, room, each, invite=token) for each in people))
    assert codes.count("") == 1
    assert len((await room.moderation.state())["role"]) == 1


async def test_an_invitation_can_be_revoked(room: ChatRoom, desk: EntryDesk) -> None:
    """After that the token opens nothing. Whoever has used it stays a member."""
    token = await room.moderation.invite()
    done = await enter(desk, room, invite=token)
    (invitation,) = (await room.moderation.state())["invite"]
    await room.moderation.revoke(invitation["key"])
    assert await code(desk, room, invite=token) == "entry_required"
    assert room.backend.core.moderation.state.stored_role(done.member_id) is Role.MEMBER


async def test_an_invitation_runs_out(room: ChatRoom, desk: EntryDesk, clock: FakeClock) -> None:
    """After its time the token opens nothing."""
    token = await room.moderation.invite(seconds=60)
    clock.move(59)
    assert await code(desk, room, invite=token) == ""
    clock.move(1)
    assert await code(desk, room, invite=token) == "entry_required"


async def test_an_invitation_can_give_a_role(room: ChatRoom, desk: EntryDesk) -> None:
    """It never takes a higher one away."""
    token = await room.moderation.invite(role="moderator")
    assert (await enter(desk, room, invite=token)).role is Role.MODERATOR
    await room.moderation.role("olga", "owner")
    assert (await enter(desk, room, guest("olga"), invite=token)).role is Role.OWNER


async def test_the_token_of_an_invitation_is_told_once(
    room: ChatRoom, desk: EntryDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands in no record, no entry and no log."""
    caplog.set_level(logging.DEBUG)
    token = await room.moderation.invite(uses=5)
    await enter(desk, room, invite=token)
    records, _ = await room.backend.core.moderation.read()
    assert token not in f"{records}{await room.moderation.state()}{await room.moderation.audit()}{caplog.text}"
    assert len(token) >= 22


async def test_guessing_invitations_is_slow(room: ChatRoom, desk: EntryDesk) -> None:
    """Wrong tokens count as wrong passwords do."""
    codes = await asyncio.gather(*(code(desk, room, invite=f"guess {each}") for each in range(100)))
    assert (codes.count("entry_required"), codes.count("rate_limited")) == (10, 90)


# The owner's token.


async def test_the_owners_token_makes_an_owner(room: ChatRoom, desk: EntryDesk) -> None:
    """Also of a closed room, and of one that has banned the address; the audit log says so."""
    await room.moderation.set(entry="closed")
    await room.moderation.ban(network=ADDRESS)
    done = await enter(desk, room, owner=OWNER)
    assert done.role is Role.OWNER
    assert may_enter(room, guest(), done.member_id)
    assert (await room.moderation.audit(limit=1))[0].action == "owner"
    assert await enter(desk, room, guest(done.member_id), owner=OWNER) == done


async def test_guessing_the_owners_token_is_slow(room: ChatRoom, desk: EntryDesk) -> None:
    """Of many guesses at once few are compared, whether the server has such a token or not."""
    without = EntryDesk(RateLimiter(FakeClock()))
    for each in (desk, without):
        codes = await asyncio.gather(*(code(each, room, owner=OWNER[:-1]) for _ in range(100)))
        assert (codes.count("forbidden"), codes.count("rate_limited")) == (10, 90)


@pytest.mark.parametrize("token", ["", "short", "x" * 201])
def test_an_owners_token_is_long(token: str) -> None:
    """One that could be guessed, or that no request could hold, is a mistake of the program."""
    with pytest.raises(UsageError, match="owner_token"):
        EntryDesk(RateLimiter(FakeClock())).use_owner_token(token)


# Asking.


async def test_somebody_asks_and_is_let_in(room: ChatRoom, desk: EntryDesk) -> None:
    """They wait, ask what came of it, and are members when a moderator has let them in."""
    await room.moderation.set(entry="ask")
    asked = await enter(desk, room, ask={"name": "Ada", "text": "I am\nfrom your school."})
    assert asked.waiting
    assert not may_enter(room, guest(), asked.member_id)
    (item,) = (await room.moderation.state())["asking"]
    assert (item["name"], item["text"]) == ("Ada", "I am from your school.")
    assert await enter(desk, room, guest(asked.member_id)) == asked
    await room.moderation.approve(item["key"])
    done = await enter(desk, room, guest(asked.member_id))
    assert (done.member_id, done.role, done.waiting) == (asked.member_id, Role.MEMBER, False)
    assert may_enter(room, guest(), done.member_id)


async def test_somebody_asks_and_is_rejected(room: ChatRoom, desk: EntryDesk, clock: FakeClock) -> None:
    """They are told why and until when, and cannot ask again before."""
    await room.moderation.set(entry="ask")
    asked = await enter(desk, room, ask={"name": "Eve"})
    await room.moderation.reject(asking_key(asked.member_id), reason="Not now")
    for fields in ({}, {"ask": {"name": "Eve"}}):
        with pytest.raises(Refused, match="did not let you in: Not now") as refused:
            await enter(desk, room, guest(asked.member_id), **fields)
        assert refused.value.until == clock.date() + 600
    clock.move(600)
    assert await code(desk, room, guest(asked.member_id)) == "entry_required"
    assert (await enter(desk, room, guest(asked.member_id), ask={"name": "Eve"})).waiting


async def test_ten_thousand_requests_are_bounded(room: ChatRoom, desk: EntryDesk) -> None:
    """One address gets twenty people into the queue at once; all addresses together fill it to its bound."""
    await room.moderation.set(entry="ask")
    codes = [await code(desk, room, ask={"name": "Eve"}) for _ in range(10_000)]
    assert (codes.count(""), codes.count("rate_limited")) == (20, 9_980)
    many = [guest(address=f"10.{each >> 8}.{each & 255}.1") for each in range(1000)]
    codes = [await code(desk, room, each, ask={"name": "Eve"}) for each in many]
    assert codes.count("") == MAX_ASKING - 20
    assert set(codes) == {"", "too_many"}


async def test_the_same_person_asks_once(room: ChatRoom, desk: EntryDesk) -> None:
    """However often they send the request, also at the same moment."""
    await room.moderation.set(entry="ask")
    await asyncio.gather(*(code(desk, room, guest("ada"), ask={"name": "Ada"}) for _ in range(100)))
    assert len((await room.moderation.state())["asking"]) == 1


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ("Ada", "bad_request"),
        ({}, "bad_request"),
        ({"name": 5}, "bad_request"),
        ({"name": ""}, "name_invalid"),
        ({"name": "admin"}, "name_reserved"),
        ({"name": "x" * 500}, "name_invalid"),
        ({"name": "Ada", "text": "x" * 301}, "text_too_long"),
        ({"name": "Ada", "text": "a\0b"}, "text_invalid"),
        ({"name": "Ada", "text": ["x"]}, "bad_request"),
        ({"name": "Ada", "text": "   "}, ""),
    ],
    ids=str,
)
async def test_what_people_ask_with_is_checked(room: ChatRoom, desk: EntryDesk, ask: object, expected: str) -> None:
    """Moderators are shown names and texts that a room would take."""
    await room.moderation.set(entry="ask")
    assert await code(desk, room, ask=ask) == expected


async def test_nobody_asks_in_a_room_that_asks_nobody(room: ChatRoom, desk: EntryDesk) -> None:
    """In an open room they are in already; with a password they need that."""
    assert (await enter(desk, room, ask={"name": "Ada"})).waiting is False
    await room.moderation.set(password="open sesame")
    assert await code(desk, room, ask={"name": "Ada"}) == "entry_required"


# Challenges.


async def test_a_solved_challenge_lets_a_guest_in(
    room: ChatRoom, desk: EntryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guest is somebody new, whom the room knows to be checked. Nothing is stored."""
    monkeypatch.setattr(challenges, "_MIN_STEPS", 1)
    monkeypatch.setattr(challenges, "_MAX_STEPS", 3)
    await room.moderation.set(challenge=True)
    version = room.backend.core.moderation.state.version
    assert not may_enter(room, guest(), Tokens.new_id())
    assert await code(desk, room) == "challenge_required"
    given = altcha.Challenge.from_dict(await desk.challenge(room.backend))
    solution = altcha.solve_challenge(given)
    assert solution is not None
    payload = altcha.Payload(given, solution).to_dict()
    done = await enter(desk, room, solution=payload)
    assert is_checked(done.member_id)
    assert done.role is Role.GUEST
    assert may_enter(room, guest(), done.member_id)
    assert await code(desk, room, solution=payload) == "challenge_required"
    assert version == room.backend.core.moderation.state.version


async def test_a_challenge_protects_what_costs_more(room: ChatRoom, desk: EntryDesk) -> None:
    """While it is on, guests who have not solved one cannot guess passwords, or ask moderators."""
    await room.moderation.set(challenge=True, password="open sesame", entry="ask")
    assert await code(desk, room, password="open sesame") == "challenge_required"
    assert await code(desk, room, ask={"name": "Eve"}) == "challenge_required"
    assert await code(desk, room, guest("checked-abc"), password="open sesame") == ""


async def test_a_room_without_a_challenge_has_none(room: ChatRoom, desk: EntryDesk) -> None:
    """Nothing is computed for it, and a solution is worth nothing."""
    with pytest.raises(Refused) as refused:
        await desk.challenge(room.backend)
    assert refused.value.code == "not_found"
    assert await code(desk, room, solution={}) == "not_found"


# All of them.


async def test_a_ban_holds_against_all_ways(room: ChatRoom, desk: EntryDesk) -> None:
    """Somebody who is banned gets in by none of them, not even by being somebody new at the same address."""
    await room.moderation.set(password="open sesame", entry="ask", challenge=True)
    token = await room.moderation.invite()
    await room.moderation.ban("eve", address=False, reason="spam")
    await room.moderation.ban(network="198.51.100.0/24")
    for who in (guest("eve"), guest(address="198.51.100.9"), guest("checked-x", address="198.51.100.9")):
        for fields in ({"password": "open sesame"}, {"invite": token}, {"ask": {"name": "Eve"}}, {"solution": {}}, {}):
            assert await code(desk, room, who, **fields) == "banned"


async def test_a_closed_room_lets_nobody_in(room: ChatRoom, desk: EntryDesk) -> None:
    """Whatever they know."""
    token = await room.moderation.invite()
    await room.moderation.set(password="open sesame", entry="closed")
    assert await code(desk, room, password="open sesame") == "room_closed"
    assert await code(desk, room, invite=token) == "room_closed"


async def test_one_way_at_a_time(room: ChatRoom, desk: EntryDesk) -> None:
    """A request with two ways is refused, and so is a way of the wrong type."""
    assert await code(desk, room, password="x", invite="y") == "bad_request"
    await room.moderation.set(password="open sesame")
    for wrong in (5, ["x"], {"x": 1}, True):
        assert await code(desk, room, password=wrong) == "bad_request"
        assert await code(desk, room, invite=wrong) == "bad_request"
        assert await code(desk, room, owner=wrong) == "bad_request"


async def test_the_roles_that_people_get_by_themselves_are_bounded(
    room: ChatRoom, desk: EntryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who knows the password cannot fill the room with roles, so moderators can always give some."""
    from pychat.room.entry import desk as module

    monkeypatch.setattr(module, "_MAX_ROLES", 5)
    await room.moderation.set(password="open sesame")
    people = [guest(address=f"203.0.113.{each}") for each in range(8)]
    codes = [await code(desk, room, each, password="open sesame") for each in people]
    assert codes == [""] * 5 + ["too_many"] * 3
    await room.moderation.role("olga", "owner")


async def test_one_address_stores_a_bounded_number_of_roles(room: ChatRoom, desk: EntryDesk) -> None:
    """A school comes in; a program that comes in ten thousand times does not."""
    token = await room.moderation.invite()
    codes = [await code(desk, room, invite=token) for _ in range(1000)]
    assert codes.count("") == 600
    assert set(codes) == {"", "rate_limited"}


async def test_what_a_room_asks_for_is_told(room: ChatRoom, desk: EntryDesk) -> None:
    """A page shows the forms that the room needs."""
    assert await desk.ways(room.backend) == {"entry": "open", "challenge": False, "ways": []}
    await room.moderation.set(entry="ask", password="open sesame", challenge=True)
    told = await desk.ways(room.backend)
    assert told == {"entry": "ask", "challenge": True, "ways": ["password", "ask", "invite"]}


async def test_a_banned_network_holds_against_members_by_a_password(room: ChatRoom, desk: EntryDesk) -> None:
    """Whoever has the password can become a member as often as they like; those whom a moderator made stay."""
    await room.moderation.set(password="open sesame")
    token = await room.moderation.invite()
    by_password = await enter(desk, room, password="open sesame")
    by_invitation = await enter(desk, room, invite=token)
    await room.moderation.role("friend", "member")
    await room.moderation.ban(network=ADDRESS)
    assert not may_enter(room, guest(), by_password.member_id)
    assert not may_enter(room, guest(), by_invitation.member_id)
    assert may_enter(room, guest(), "friend")
