"""How somebody becomes known to a room: by a password, an invitation, the owner's token, a challenge, or by asking."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pychat.domain.decision import Decision
from pychat.domain.entry import ways_in
from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Member, User
from pychat.domain.moderation import AuditEntry, Record, Removed
from pychat.domain.queue import asking_key, asking_record, invitation_id, is_rejected
from pychat.domain.roles import Role
from pychat.domain.texts import accept_text
from pychat.room.backend import RoomBackend
from pychat.room.core import RoomCore
from pychat.room.entry.attempts import Attempts
from pychat.room.entry.challenges import Challenges
from pychat.room.grant import Grant
from pychat.room.passwords import PasswordHasher
from pychat.room.rate_limiter import RateLimiter, too_much
from pychat.room.tokens import Tokens

__all__ = ["LONGEST_FIELD", "WAYS", "Applicant", "EntryDesk", "EntryResult"]

#: The fields of a request to come in. One of them is given; without any, the result of an earlier request is asked for.
WAYS = ("password", "invite", "owner", "solution", "ask")
_MAX_ROLES = 9_000  # that people get by themselves; moderators can give up to 10,000
_SHORTEST_OWNER_TOKEN = 16
_LONGEST_TOKEN, _LONGEST_TEXT = 200, 300
LONGEST_FIELD = 600  # characters of any text in a request


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who asks to come in. `member_id` is `None` for a guest without a token."""

    member_id: str | None
    user: User | None
    grant: Grant


@dataclass(frozen=True, slots=True)
class EntryResult:
    """The member that somebody is from now on. `waiting` is true for somebody who waits for a moderator."""

    member_id: str
    role: Role
    waiting: bool = False


class EntryDesk:
    """Lets people become known to rooms. One for each directory of rooms. What it counts, it counts on this server."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._clock = limiter.clock
        self._owner: str | None = None
        self._attempts = Attempts(limiter)
        self._passwords = PasswordHasher()
        self._challenges = Challenges(limiter.clock)

    def use_owner_token(self, token: str) -> None:
        """Whoever has this token can become an owner of any room. Raise `UsageError` if it could be guessed."""
        if not _SHORTEST_OWNER_TOKEN <= len(token) <= _LONGEST_TOKEN:
            raise UsageError(f"owner_token: a token has {_SHORTEST_OWNER_TOKEN}-{_LONGEST_TOKEN} characters")
        self._owner = invitation_id(token)

    async def ways(self, room: RoomBackend) -> dict[str, Any]:
        """What the room asks for: `entry`, `challenge`, and the `ways` in."""
        state = (await room.ready()).moderation.state
        return {"entry": state.setting("entry"), "challenge": state.setting("challenge"), "ways": ways_in(state)}

    async def challenge(self, room: RoomBackend) -> dict[str, Any]:
        """A challenge for guests. Raise `Refused` if the room asks for none."""
        self._check_challenge(await room.ready())
        return await self._challenges.create(room.name, room.tokens)

    async def enter(self, room: RoomBackend, who: Applicant, fields: Mapping[str, object]) -> EntryResult:
        """Let somebody become known to the room by one of `WAYS`, and return who they are. Raise `Refused`."""
        core = await room.ready()
        way, given = _accept(fields)
        who = Applicant(who.member_id or Tokens.new_id(), who.user, who.grant)
        if way == "owner":
            return await self._by_owner_token(core, who, str(given))
        core.moderation.check_stay(who.grant, who.user, who.member_id)
        if way == "solution":
            return await self._by_solution(core, room, who, given)
        if way == "invite":
            return await self._by_invitation(core, who, str(given))
        refused = _refusal(core, who)
        if refused is None:
            return _result(core, who)
        if way and refused.code == "challenge_required":
            raise refused  # it protects what follows
        if way == "password":
            return await self._by_password(core, who, str(given))
        if isinstance(given, Mapping):
            await self._ask(core, who, given)
        return _answer_to_asking(core, who)

    # The ways.

    async def _by_password(self, core: RoomCore, who: Applicant, password: str) -> EntryResult:
        stored = core.moderation.state.setting("password")
        if not stored:
            raise Refused("not_found", "This room has no password.")
        async with self._attempts.attempt(core.name, core.limits.table, who.grant.address):
            if not await self._passwords.matches(password, stored):
                raise Refused("entry_required", "This is not the password of the room.")
        self._count(core, who, "address-members")

        def decide() -> Decision | None:
            core.moderation.check_stay(who.grant, who.user, who.member_id)
            if core.moderation.state.setting("password") != stored:
                raise Refused("entry_required", "The password was changed at this moment. Enter the new one.")
            return self._known_as(core, who, Role.MEMBER, "password")

        await core.moderation.change(decide)
        return _result(core, who)

    async def _by_invitation(self, core: RoomCore, who: Applicant, token: str) -> EntryResult:
        key = invitation_id(token)
        async with self._attempts.attempt(core.name, core.limits.table, who.grant.address, at_password=False):
            if core.moderation.state.get("invite", key) is None:
                raise _no_invitation()
        self._count(core, who, "address-members")

        def decide() -> Decision | None:
            core.moderation.check_stay(who.grant, who.user, who.member_id)
            record = core.moderation.state.get("invite", key)
            if record is None or (record.until is not None and record.until <= self._clock.date()):
                raise _no_invitation()  # somebody else has used it up meanwhile, or it was revoked
            decision = self._known_as(core, who, Role.of(record.data["role"]), f"invite:{key}")
            uses = record.data.get("uses")
            if decision is None or uses is None:
                return decision
            left = Record("invite", key, {**record.data, "uses": uses - 1}, record.until)
            return Decision((*decision.changes, left if uses > 1 else Removed("invite", key)), None)

        await core.moderation.change(decide)
        return _result(core, who)

    async def _by_owner_token(self, core: RoomCore, who: Applicant, token: str) -> EntryResult:
        async with self._attempts.attempt(core.name, core.limits.table, who.grant.address, at_password=False):
            if self._owner is None or not hmac.compare_digest(self._owner, invitation_id(token)):
                raise Refused("forbidden", "This server does not know that owner's token.")
        self._count(core, who, "address-members")

        def decide() -> Decision | None:
            decision = self._known_as(core, who, Role.OWNER, "owner")
            if decision is None:
                return None
            assert who.member_id is not None  # noqa: S101 -- `enter` has made one
            by = Member(who.member_id, core.moderation.people.name_of(who.member_id) or "")
            entry = AuditEntry(self._clock.date(), by, "owner", by.id, by.name, "By the owner's link.")
            return Decision(decision.changes, entry)

        await core.moderation.change(decide)
        return _result(core, who)

    async def _by_solution(self, core: RoomCore, room: RoomBackend, who: Applicant, solution: object) -> EntryResult:
        self._check_challenge(core)
        if who.user is not None:
            raise Refused("forbidden", "You are logged in, and need not solve a challenge.")
        async with self._attempts.attempt(core.name, core.limits.table, who.grant.address, at_password=False):
            member_id = self._challenges.accept(room.name, room.tokens, solution)
        return _result(core, Applicant(member_id, None, who.grant))

    async def _ask(self, core: RoomCore, who: Applicant, asked: Mapping[str, str]) -> None:
        """Put somebody into the queue of the moderators."""
        if core.moderation.state.setting("entry") != "ask":
            raise Refused("entry_required", "Nobody can be asked to let people into this room.")
        name = core.state.names.accept(asked["name"], reserved=who.user is not None)
        text = asked.get("text", "")
        text = " ".join(accept_text(text, _LONGEST_TEXT).split()) if text.strip() else ""
        assert who.member_id is not None  # noqa: S101 -- `enter` has made one
        member_id = who.member_id
        if core.moderation.state.get("asking", asking_key(member_id)) is not None:
            return
        self._count(core, who, "address-asking")

        def decide() -> Decision | None:
            core.moderation.check_stay(who.grant, who.user, member_id)
            records = core.moderation.state.of("asking")
            record = asking_record(records, member_id, name, text, self._clock.date())
            return None if record is None else Decision((record,), None)

        await core.moderation.change(decide)

    # Their parts.

    def _known_as(self, core: RoomCore, who: Applicant, role: Role, by: str) -> Decision | None:
        """Store the role of somebody, unless they have it, or a higher one, or a moderator lets them only read."""
        assert who.member_id is not None  # noqa: S101 -- `enter` has made one
        state = core.moderation.state
        stored = state.stored_role(who.member_id)
        if stored is not None and (stored >= role or (stored is Role.READER and role < Role.MODERATOR)):
            return None
        if stored is None and role < Role.MODERATOR and len(state.of("role")) >= _MAX_ROLES:
            raise Refused("too_many", "This room has too many members. Ask a moderator.")
        name = core.moderation.people.name_of(who.member_id) or (who.user.name if who.user else "") or ""
        asking = state.get("asking", asking_key(who.member_id))
        gone = () if asking is None else (Removed("asking", asking.key),)
        data = {"role": role.label, "name": name, "by": by}
        return Decision((Record("role", who.member_id, data), *gone), None)

    def _count(self, core: RoomCore, who: Applicant, rate: str) -> None:
        """Count a request that stores something. Raise `Refused` if that are too many of one address."""
        wait = self._limiter.take(core.limits.table[rate], self._limiter.address(who.grant.address))
        if wait:
            raise too_much(wait, "Too many people come in from your address.")

    @staticmethod
    def _check_challenge(core: RoomCore) -> None:
        if not core.moderation.state.setting("challenge"):
            raise Refused("not_found", "This room asks for no challenge.")


def _refusal(core: RoomCore, who: Applicant) -> Refused | None:
    """Why somebody may not come in; `None` if they may."""
    try:
        core.moderation.check_entry(who.grant, who.user, who.member_id)
    except Refused as refused:
        return refused
    return None


def _result(core: RoomCore, who: Applicant) -> EntryResult:
    assert who.member_id is not None  # noqa: S101 -- `enter` has made one
    return EntryResult(who.member_id, core.moderation.standing(who.grant, who.user, who.member_id).role)


def _answer_to_asking(core: RoomCore, who: Applicant) -> EntryResult:
    """What came of a request to be let in. Raise `Refused` if there is none, or if it was rejected."""
    assert who.member_id is not None  # noqa: S101 -- `enter` has made one
    refused = _refusal(core, who)
    record = core.moderation.state.get("asking", asking_key(who.member_id))
    if refused is None or record is None:
        if refused is not None:
            raise refused
        return _result(core, who)
    if is_rejected(record):
        reason = record.data["reason"]
        because = f": {reason}" if reason else "."
        raise Refused("entry_required", f"A moderator did not let you in{because}", until=record.until)
    return EntryResult(who.member_id, core.moderation.standing(who.grant, who.user, who.member_id).role, waiting=True)


def _accept(fields: Mapping[str, object]) -> tuple[str, object]:
    """The way that a request takes, and what is given for it; two empty texts if there is none. Raise `Refused`."""
    if not fields:
        return "", ""
    (way, given), *more = fields.items()
    if more or way not in WAYS:
        raise Refused("bad_request", f"Send one of these fields: {', '.join(WAYS)}.")
    if way == "ask":
        if not isinstance(given, Mapping) or "name" not in given:
            raise Refused("bad_request", "Say who asks: {“ask”: {“name”: “Ada”, “text”: “I am from your school.”}}.")
        for name in ("name", "text"):
            _check_text(name, given.get(name, ""))
    elif way != "solution":
        _check_text(way, given)
    elif not isinstance(given, Mapping | str):
        raise Refused("bad_request", "“solution” is an object, or a text.")
    return way, given


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) > LONGEST_FIELD:
        raise Refused("bad_request", f"“{name}” must be a text of {LONGEST_FIELD} characters at most.")


def _no_invitation() -> Refused:
    return Refused("entry_required", "This invitation was used up, was revoked, or has run out. Ask for another one.")
