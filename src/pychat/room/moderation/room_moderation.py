"""The moderation of one room: its records, what follows from them for visitors, and the actions of moderators."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from pychat.domain.access import Access
from pychat.domain.actions import ACTIONS, accept_action
from pychat.domain.dates import iso
from pychat.domain.decision import Actor, Decision, Subject
from pychat.domain.errors import Refused
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import Deleted, Edited, Erased, Member, Message, Reacted, Say, User
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.moderation_rules import decide
from pychat.domain.moderation_state import ADDRESS, DEFAULTS, MEMBER, ModerationState
from pychat.domain.networks import Networks, network_of, parse_network
from pychat.domain.notices import AccessChanged, QueueChanged, RoomChanged
from pychat.domain.queue import invitation_id, queue_of
from pychat.domain.roles import Role, role_of
from pychat.domain.rules import RoomState, quote
from pychat.room.clock import Clock
from pychat.room.connections import ConnectionRegistry, Visitor
from pychat.room.fanout import Fanout
from pychat.room.grant import Grant
from pychat.room.hooks import Hooks
from pychat.room.moderation import standing
from pychat.room.moderation.pace import Pace
from pychat.room.moderation.pins import Pins
from pychat.room.moderation.queue import WAITING, ModerationQueue
from pychat.room.moderation.record_log import RecordLog
from pychat.room.passwords import PasswordHasher
from pychat.room.tasks import Tasks
from pychat.room.tokens import Tokens
from pychat.stores import Store

__all__ = ["ModerationFollower", "RoomModeration", "RoomPeople"]

_log = logging.getLogger("pychat.room")
_limited = RateLimitedLogger(_log, time.monotonic)
_KINDS = ("role", "ban", "mute", "setting", "pin", "invite", "report", "held", "asking")
_NO_GUESTS = ("user:", "post:")  # how the ids of users, and of the authors of the app's messages, begin
_AT_ONCE = 100  # visitors who are rechecked in one turn of the event loop
_MAX_GONE = 1_000  # guests who have gone, and whose addresses are known
_BADGES = frozenset({Role.MODERATOR.label, Role.OWNER.label})
_hasher = PasswordHasher()

_INVITATION_BYTES = 24  # of the token of an invitation


class RoomPeople(Protocol):
    """What moderation needs of the other parts of a room."""

    def name_of(self, member_id: str) -> str | None:
        """The name of somebody who is in the room, or was there lately."""

    async def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands. Raise `Refused` with `not_found` if there is none."""

    @property
    def hooks(self) -> Hooks:
        """The hooks of the room."""

    async def publish(self, record: Record) -> None:
        """Store the message of an approved record, for everybody and its author."""

    async def clear(self, author: Member, whose: Callable[[str], bool], seconds: float) -> int:
        """Delete the messages of some members from the last `seconds`, by name of `author`. Return how many.

        `whose` is called with the id of a message's author.
        """

    def role_changed(self, member_id: str) -> None:
        """The role of a member may have changed: show it to everybody."""

    def list_again(self, member_id: str) -> None:
        """A member was banned, or a ban has ended: they see another list of rooms."""

    async def free(self, member_id: str) -> None:
        """Free the name of a member who is away."""


class ModerationFollower(Protocol):
    """Is told what moderators do in a room, after everything that happened before it, before what follows."""

    def moderated(self, entry: AuditEntry | None, roles: Collection[str]) -> None:
        """A moderator acted, on any server. `roles` are the ids of the members whose recorded roles have changed."""


class RoomModeration:
    """The moderation of one room: `RoomCore.moderation`."""

    __slots__ = (
        "_clock",
        "_connections",
        "_fanout",
        "_gone",
        "_log",
        "_pace",
        "_pins",
        "_queue",
        "_state",
        "_store",
        "_tasks",
        "followers",
        "people",
        "protected",
        "revision",
        "room_title",
        "slow",
    )

    #: The other parts of the room. Set before anybody enters.
    people: RoomPeople

    def __init__(
        self,
        room: str,
        title: str,
        state: RoomState,
        store: Store,
        *,
        connections: ConnectionRegistry,
        fanout: Fanout,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._state = state
        self._store = store
        self._connections = connections
        self._fanout = fanout
        self._tasks = tasks
        self._clock = clock
        self._log = RecordLog(room, store, self, tasks=tasks, clock=clock)
        self._pins: Pins | None = None  # of a room that has none
        self._queue: ModerationQueue | None = None  # of a room where nothing waits
        self._pace: Pace | None = None  # without slow mode
        #: Are told what moderators do.
        self.followers: Iterable[ModerationFollower] = ()
        self._gone: dict[str, str] | None = None  # member id -> network, of guests who have gone
        #: The title that the room was given.
        self.room_title = title
        #: Networks that cannot be banned: those of the trusted proxies.
        self.protected: tuple[IPv4Network | IPv6Network, ...] = ()
        #: Seconds between two messages of one person; 0 without slow mode.
        self.slow = 0
        #: The number of changes that concerned everybody. A visitor who was not rechecked since then is, before acting.
        self.revision = 0

    # The records come from the store.

    async def read(self) -> tuple[tuple[Record, ...], int]:
        """Read the records and their version from the store. Raise `Refused`."""
        return await self._log.records.load(self._log.room)

    def load(self, records: Iterable[Record], version: int) -> None:
        """Begin, or begin anew, with what was read."""
        self._pins = None
        self._log.load(records, version)
        self._set_up()
        if self._log.state.of("held"):
            self.queue.store_all_approved()

    def received(self, moderated: Moderated) -> None:
        """The store delivered a change of the records."""
        self._log.received(moderated)

    def reopened(self) -> None:
        """The store was away: changes may have been missed."""
        self._log.reload()

    def stop(self) -> None:
        """The room closes."""
        self._log.stop()
        if self._queue is not None:
            self._queue.stop()

    # The port `RecordFollower`.

    def changed(self, changes: Sequence[Record | Removed], entry: AuditEntry | None) -> None:
        """Records were changed by an action with that entry, or have ended: apply that to everybody here."""
        members = set[str]()
        networks = Networks[None]()
        named = {kind: {each.key for each in changes if each.kind == kind} for kind in _KINDS}
        for key in named["ban"] | named["mute"]:
            if key.startswith(MEMBER):
                members.add(key.removeprefix(MEMBER))
            else:
                networks.add(key.removeprefix(ADDRESS), None)
        members |= named["role"]
        if entry is not None or named["role"]:
            self._tell_followers(entry, named["role"])
        self._ban_addresses(changes)
        self._recheck(visitor for each in members for visitor in self._connections.of(each))
        if networks or named["setting"] & {"writing", "entry"}:
            self._recheck_everybody()
        for each in named["role"]:
            self.people.role_changed(each)
        for each in named["ban"]:
            if each.startswith(MEMBER):
                self.people.list_again(each.removeprefix(MEMBER))
        if named["setting"] - {"challenge", "password"}:
            self._set_up()
            self._fanout.send(self.settings)
        if named["pin"]:
            self._tasks.spawn(self._show_pins())
        if entry is not None or any(each.kind in WAITING for each in changes):
            self.queue.changed(changes, entry)

    def _tell_followers(self, entry: AuditEntry | None, roles: Collection[str]) -> None:
        followers = tuple(self.followers)
        if followers:
            self._fanout.flush()
        for follower in followers:
            try:
                follower.moderated(entry, roles)
            except Exception:
                _log.exception("%r could not be told what a moderator did", follower)

    def reloaded(self) -> None:
        """Any record may have changed."""
        self._set_up()
        self._recheck_everybody()
        for member_id in {each.member_id for each in self._connections}:
            if member_id is not None:
                self.people.role_changed(member_id)
        self._tasks.spawn(self._show_pins())
        if self._log.state:
            self.queue.reloaded()

    @staticmethod
    def _recheck(visitors: Iterable[Visitor]) -> None:
        for visitor in tuple(visitors):
            visitor.recheck()

    def _recheck_everybody(self) -> None:
        """Recheck all visitors, some in each turn of the event loop. Whoever does something is rechecked before."""
        self.revision += 1
        visitors = tuple(self._connections)
        self._recheck(visitors[:_AT_ONCE])
        if len(visitors) > _AT_ONCE:
            self._tasks.spawn(self._recheck_later(visitors[_AT_ONCE:], self.revision))

    async def _recheck_later(self, visitors: Sequence[Visitor], revision: int) -> None:
        for begin in range(0, len(visitors), _AT_ONCE):
            await asyncio.sleep(0)
            if self.revision != revision:
                return  # everybody is being rechecked again
            self._recheck(visitors[begin : begin + _AT_ONCE])

    def _set_up(self) -> None:
        """Take over the settings that are asked for often."""
        state = self._log.state
        self.slow = state.setting("slow")
        if not self.slow:
            self._pace = None
        elif self._pace is None:
            self._pace = Pace()

    def _ban_addresses(self, changes: Iterable[Record | Removed]) -> None:
        """Ban the addresses too from which somebody is connected here whom another server has banned."""
        for each in changes:
            if not isinstance(each, Record) or each.kind not in ("ban", "mute") or not each.data.get("address"):
                continue
            member_id = each.key.removeprefix(MEMBER)
            subject = self._subject(member_id) if each.key.startswith(MEMBER) else None
            if subject is None or not self.state.anonymous(member_id, subject.role):
                continue
            if each.data["address"] is not True and not self._with_neighbours(subject).alone:
                continue
            missing = [ADDRESS + network for network in subject.networks]
            missing = [key for key in missing if self.state.get(each.kind, key) is None]
            if missing and self._connections.of(member_id):
                self._tasks.spawn(self._extend(each, missing))

    async def _extend(self, record: Record, keys: list[str]) -> None:
        """Give `record` to other keys too, while it stands."""

        def decide_again() -> Decision | None:
            if self.state.get(record.kind, record.key) != record:
                return None
            missing = [key for key in keys if self.state.get(record.kind, key) is None]
            return Decision(tuple(replace(record, key=key) for key in missing), None) if missing else None

        try:
            await self._log.change(decide_again)
        except Refused as refused:
            _limited.warning("The addresses of %s could not be stored: %s", record.key, refused)

    # What the records say.

    @property
    def queue(self) -> ModerationQueue:
        """What waits for moderators."""
        if self._queue is None:
            self._queue = ModerationQueue(
                self,
                publish=self.people.publish,
                hooks=self.people.hooks,
                connections=self._connections,
                fanout=self._fanout,
                tasks=self._tasks,
                clock=self._clock,
            )
        return self._queue

    def waiting(self, role: Role) -> QueueChanged | None:
        """How much waits, for somebody of that role who comes in; `None` if nothing does, or they may not know."""
        counts = queue_of(self.state) if role >= Role.MODERATOR else None
        return None if counts == QueueChanged() else counts

    @property
    def state(self) -> ModerationState:
        """The records."""
        return self._log.state

    def standing(self, grant: Grant, user: User | None, member_id: str | None) -> AccessChanged:
        """What a visitor may do in the room at this moment."""
        return standing.standing_of(self._log.state, grant, user, member_id, self._clock.date())

    def check_entry(self, grant: Grant, user: User | None, member_id: str | None) -> None:
        """Raise `Refused` if this visitor may not come into the room, for example because of a ban."""
        member_id = member_id if user is None else user.member_id
        standing.check_entry(self._log.state, grant, user, member_id, self._clock.date())

    def check_stay(self, grant: Grant, user: User | None, member_id: str | None) -> None:
        """Raise `Refused` if this visitor may not be in the room any more."""
        standing.check_stay(self._log.state, grant, user, member_id, self._clock.date())

    def refusal(self, grant: Grant, of: AccessChanged, permission: str) -> Refused:
        """Why a visitor of that standing lacks a permission."""
        return standing.refusal(self._log.state, grant, of, permission)

    def badges(self, member_id: str, roles: tuple[str, ...]) -> tuple[str, ...]:
        """The roles that everybody sees of a member: the app's `roles`, and the one that the room has recorded."""
        stored = self._log.state.stored_role(member_id)
        if stored is None or stored.label not in _BADGES or stored.label in roles:
            return roles
        return (*roles, stored.label)

    def shows(self, member: Member, roles: tuple[str, ...]) -> bool:
        """True if a member has the badges that `badges` gives, for the app's `roles`."""
        return _BADGES.intersection(member.roles) == _BADGES.intersection(self.badges(member.id, roles))

    # Pinned messages.

    @property
    def incomplete(self) -> bool:
        """True if pinned messages have to be looked up before anybody is welcomed."""
        pins = self._log.state.of("pin")
        return bool(pins) and self._pins is None

    async def complete(self) -> None:
        """Look up the pinned messages. Raise `Refused`."""
        pins = Pins(self._find)
        await pins.load(self._pinned_seqs())
        self._pins = pins

    def _pinned_seqs(self) -> list[int]:
        """The numbers of the pinned messages, in the order in which they were pinned."""
        pins = self._log.state.of("pin").values()
        return [int(each.key) for each in sorted(pins, key=lambda each: (each.data.get("date", 0.0), int(each.key)))]

    async def _find(self, seq: int) -> Message | None:
        """Message number `seq`, as it stands; `None` if there is none."""
        page = await self._store.history(self._log.room, before=seq + 1, limit=1)
        return next((each for each in page.messages if each.seq == seq), None)

    async def _show_pins(self) -> None:
        """Tell everybody which messages are pinned now."""
        pins = self._pins or Pins(self._find)
        try:
            while not pins.knows(self._pinned_seqs()):  # again if that changes meanwhile
                await pins.load(self._pinned_seqs())
        except Refused as refused:
            _limited.warning("The pinned messages could not be read: %s", refused)
            return
        self._pins = pins if self._log.state.of("pin") else None
        self._fanout.send(self.settings)

    def revised(self, event: Edited | Deleted | Reacted) -> None:
        """A message was changed: if it is pinned, tell everybody."""
        if self._pins is not None and self._pins.revised(event):
            self._fanout.send(self.settings)

    def erased(self, what: Erased) -> None:
        """Texts were erased: if any of them is pinned, tell everybody."""
        if self._pins is not None and self._pins.erased(what.seqs):
            self._fanout.send(self.settings)

    # Slow mode.

    def check_pace(self, say: Say, visitor: Visitor) -> None:
        """Raise `Refused` with `slow_mode` if this visitor may not write yet. If they may, they do so now."""
        if self._pace is None or visitor.standing.role >= Role.MODERATOR:
            return
        network = network_of(visitor.grant.address) if visitor.user is None else None
        now = self._clock.steady()
        wait = self._pace.wait(self.slow, now, say.member_id, say.id, network, self._connections.__contains__)
        if wait:
            text = f"Everybody here waits {self.slow} seconds between two messages. Wait {max(wait, 1):.0f} more."
            raise Refused("slow_mode", text, wait)
        self._pace.note(self.slow, now, say.member_id, say.id, network)

    def said(self, message: Message) -> None:
        """A message was stored, perhaps by another server."""
        if self._pace is not None:
            self._pace.note(self.slow, self._clock.steady(), message.author.id, message.id)

    def not_said(self, say: Say) -> None:
        """A message was refused: its author need not wait for it."""
        if self._pace is not None:
            self._pace.forget(say.member_id, say.id)

    # People come and go.

    def left(self, visitor: Visitor) -> None:
        """A visitor has gone. A moderator may still ban a guest together with the address."""
        network = network_of(visitor.grant.address) if visitor.user is None and visitor.member_id else None
        if network is None or visitor.member_id is None or not self._state.last_name(visitor.member_id):
            return
        self._gone = self._gone or {}
        self._gone.pop(visitor.member_id, None)
        self._gone[visitor.member_id] = network
        if len(self._gone) > _MAX_GONE:
            del self._gone[next(iter(self._gone))]

    @property
    def title(self) -> str:
        """The title of the room."""
        return str(self._log.state.setting("title")) or self.room_title

    @property
    def settings(self) -> RoomChanged:
        """What moderators have set, and the defaults of the rest."""
        setting, pinned = self._log.state.setting, () if self._pins is None else self._pins.shown
        return RoomChanged(self.title, setting("topic"), self.slow, setting("writing"), setting("entry"), pinned)

    @property
    def told(self) -> RoomChanged | None:
        """The settings for a welcome; `None` if they are the defaults."""
        settings = self.settings if self._log.state else None
        return None if settings == RoomChanged(self.title) else settings

    def overview(self, newest: int | None = None) -> dict[str, Any]:
        """What moderators see, as JSON: the settings, and the data of all records without secrets.

        With `newest`, at most so many of each kind, and all moderators and owners.
        """
        state = self._log.state
        settings = {name: state.setting(name) for name in DEFAULTS}
        settings |= {"title": self.title, "password": bool(settings["password"])}
        kinds = ("role", "ban", "mute", "pin", "invite", "report", "held", "asking")
        found = {kind: _newest(list(state.of(kind).values()), newest) for kind in kinds}
        more = newest is not None and any(len(state.of(kind)) > newest for kind in kinds)
        if newest is not None and len(state.of("role")) > newest:
            badges = [each for each in state.of("role").values() if each.data["role"] in _BADGES]
            others = [each for each in found["role"] if each.data["role"] not in _BADGES]
            found["role"] = _newest([*others, *badges], newest)
        return {"settings": settings, **{kind: [*map(_told, found[kind])] for kind in kinds}, "more": more}

    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """At most `limit` entries of the audit log with numbers below `before`, the newest first."""
        return await self._log.audit(before, limit)

    # What moderators do.

    async def perform(self, action: str, given: Mapping[str, Any], actor: Callable[[], Actor]) -> dict[str, Any]:
        """Perform an action of `ACTIONS`, and return what its author is told. Raise `Refused`.

        `actor` is called for each attempt: the role of whoever acts may have changed meanwhile.
        """
        fields = accept_action(action, given)
        if actor().rank < ACTIONS[action].role:
            raise Refused("forbidden", "Only moderators of this room may do this.")
        if "network" in fields:
            fields["network"] = parse_network(fields["network"], self.protected)
        if fields.get("password"):
            fields["password"] = await _hasher.hash(fields["password"])
        if action == "pin":
            quote(await self.people.message(fields["target"]))
        told: dict[str, Any] = {}
        if action == "invite":
            told["token"] = Tokens.new_id(_INVITATION_BYTES)
            fields["invite"] = told["invite"] = invitation_id(told["token"])
        if action == "clear":
            told["deleted"] = fields["deleted"] = await self._clear(fields["member"], fields["seconds"], actor())
        if action == "sweep":
            told["deleted"] = fields["deleted"] = await self.people.clear(
                actor().member, self._is_guest, fields["seconds"]
            )
        await self.change(partial(self._decide, action, fields, actor))
        if "title" in fields:
            await self._store_title()
        if action == "approve":
            await self.queue.store_approved(fields["item"])
        if action in ("ban", "kick") and "member" in fields:
            self._tasks.spawn(self.people.free(fields["member"]))
            if fields.get("delete"):
                told["deleted"] = await self._clear(fields["member"], fields["delete"], actor())
        return told

    def noted(self, action: str, by: Member, message: Message) -> None:
        """Put into the audit log what a moderator did to the message of somebody else."""
        author = message.author
        entry = AuditEntry(self._clock.date(), by.bare, action, author.id, author.name, data={"target": message.seq})
        self._tasks.spawn(self._note(entry))

    async def _note(self, entry: AuditEntry) -> None:
        try:
            await self.change(lambda: Decision((), entry))
        except Refused as refused:
            _limited.warning("An entry of the audit log could not be stored: %s", refused)

    async def _store_title(self) -> None:
        """Let lists show the title while the room is not open."""
        rooms = self._store.rooms
        record = None if rooms is None else await rooms.find(self._log.room)
        if rooms is not None and record is not None:
            await rooms.save(replace(record, title=self.title))

    async def change(self, decide: Callable[[], Decision | None]) -> AuditEntry | None:
        """Store what `decide` returns for the newest records: see `RecordLog.change`."""
        entry = await self._log.change(decide)
        if entry is not None:
            self.people.hooks.notify("moderate", entry)
        return entry

    def _decide(self, action: str, fields: Mapping[str, Any], actor: Callable[[], Actor]) -> Decision | None:
        member_id = fields.get("member")
        subject = None if member_id is None else self._subject(member_id)
        if subject is not None and action in ("kick", "ban", "mute"):
            subject = self._with_neighbours(subject)
        return decide(self._log.state, action, fields, actor(), subject, self._clock.date())

    async def _clear(self, member_id: str, seconds: float, actor: Actor) -> int:
        subject = self._subject(member_id)
        if actor.member.id != subject.id and actor.rank <= subject.role:
            raise Refused("forbidden", f"{subject.name or 'This person'} has a role that is not below yours.")
        return await self.people.clear(actor.member, subject.id.__eq__, seconds)

    def _is_guest(self, member_id: str) -> bool:
        """True for somebody without a login or a role here, whom the app does not post as."""
        return not member_id.startswith(_NO_GUESTS) and self.role_of(member_id) <= Role.GUEST

    def _subject(self, member_id: str) -> Subject:
        """The member whom an action is about."""
        visitors, login = self._connections.of(member_id), member_id.startswith("user:")
        networks = set() if login else {network_of(each.grant.address) for each in visitors}
        if not visitors and self._gone is not None and not login:
            networks = {self._gone.get(member_id)}
        known = tuple(each for each in networks if each is not None and self._may_exclude(each))
        name = self.people.name_of(member_id) or ""
        return Subject(member_id, name, self.role_of(member_id), known)

    def role_of(self, member_id: str) -> Role:
        """The role of a member at this moment."""
        visitors = self._connections.of(member_id)
        users = [each.user for each in visitors if each.user is not None]
        login, roles = member_id.startswith("user:"), users[0].roles if users else ()
        if login and not users:
            member = self._state.members.get(member_id) or self._state.away.get(member_id)
            roles = () if member is None else member.roles
        return role_of(self.state.stored_role(member_id), roles, _access(visitors), login=login)

    def is_banned(self, member_id: str) -> bool:
        """True if that member may not come into the room because of a ban, wherever they are."""
        role, login = self.role_of(member_id), member_id.startswith("user:")
        return self.state.held_against("ban", member_id, "", role, self._clock.date(), login=login) is not None

    def _may_exclude(self, network: str) -> bool:
        try:
            parse_network(network, self.protected)
        except Refused:
            return False
        return True

    def _with_neighbours(self, subject: Subject) -> Subject:
        """The same member, and whether others with a name share their networks. This looks at everybody here."""
        named = (each for each in self._connections if subject.networks and each.member_id in self._state.members)
        others = (each for each in named if each.member_id != subject.id)
        shared = any(network_of(each.grant.address) in subject.networks for each in others)
        return replace(subject, alone=bool(subject.networks) and not shared)


def _access(visitors: Iterable[Visitor]) -> Access:
    """What the app allows a member: the most of what it allows their connections."""
    return Access.MODERATE if any("moderate" in each.grant.access for each in visitors) else Access.WRITE


def _newest(records: list[Record], newest: int | None) -> list[Record]:
    """The last `newest` records; all for `None`."""
    return records if newest is None else records[-newest:]


def _told(record: Record) -> dict[str, Any]:
    """A record as moderators see it."""
    data = {name: value for name, value in record.data.items() if name not in ("hash", "address", "rank")}
    return {"key": record.key, **data, **({} if record.until is None else {"until": iso(record.until)})}
