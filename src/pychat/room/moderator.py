"""`ChatRoom.moderation`: moderators' actions from the app's code."""

from __future__ import annotations

from typing import Any

from pychat.domain.decision import Actor
from pychat.domain.errors import UsageError
from pychat.domain.model import Member, User, id_of
from pychat.domain.moderation import AuditEntry
from pychat.domain.queue import invitation_id
from pychat.domain.roles import PROGRAM_RANK, Role
from pychat.room.backend import RoomBackend

__all__ = ["Moderation"]

_Who = str | Member | User


class Moderation:
    """Keeps order in a room, with a rank above that of owners. All actions stand in the audit log, by name of `by`.

    A member is given by the id, as a `Member` or as a `User`. Times are in seconds. Each method raises `Refused` if the
    room does not allow it, for example if the last owner would lose the role.
    """

    def __init__(self, room: RoomBackend) -> None:
        self._room = room

    async def kick(
        self, member: _Who, *, seconds: int = 60, reason: str = "", address: bool | None = None, by: str = "app"
    ) -> None:
        """Remove a member, who cannot come back for `seconds`. `reason` is told."""
        await self._perform("kick", by, member=member, seconds=seconds, reason=reason, address=address)

    async def ban(
        self,
        member: _Who | None = None,
        *,
        network: str | None = None,
        seconds: int | None = None,
        reason: str = "",
        address: bool | None = None,
        delete: int | None = None,
        by: str = "app",
    ) -> None:
        """Ban a member, or an address or network such as `"203.0.113.0/24"`; for ever, or for `seconds`.

        Open connections end at once, on all servers. With `address`, the addresses of a guest are banned too; by
        default, if nobody else in the room has them. `delete` also deletes the member's messages of so many seconds.
        """
        await self._perform(
            "ban", by, member=member, network=network, seconds=seconds, reason=reason, address=address, delete=delete
        )

    async def unban(self, member: _Who | None = None, *, network: str | None = None, by: str = "app") -> None:
        """End the ban of a member, and of the addresses that were banned with the member; or of a network."""
        await self._perform("unban", by, member=member, network=network)

    async def mute(
        self,
        member: _Who | None = None,
        *,
        network: str | None = None,
        seconds: int | None = None,
        reason: str = "",
        address: bool | None = None,
        by: str = "app",
    ) -> None:
        """Let a member or a network only read. The arguments are those of `ban`."""
        await self._perform("mute", by, member=member, network=network, seconds=seconds, reason=reason, address=address)

    async def unmute(self, member: _Who | None = None, *, network: str | None = None, by: str = "app") -> None:
        """End a mute: see `unban`."""
        await self._perform("unmute", by, member=member, network=network)

    async def role(self, member: _Who, role: str | Role, *, by: str = "app") -> None:
        """Give a member the role `owner`, `moderator`, `member`, `guest` or `reader` in this room."""
        await self._perform("role", by, member=member, role=_label(role))

    async def clear(self, member: _Who, seconds: int, *, by: str = "app") -> int:
        """Delete the messages of a member from the last `seconds`, at most 1,000. Return how many were deleted."""
        told = await self._perform("clear", by, member=member, seconds=seconds)
        return int(told["deleted"])

    async def sweep(self, seconds: int, *, by: str = "app") -> int:
        """Delete the messages of guests from the last `seconds`, at most 1,000. Return how many were deleted."""
        told = await self._perform("sweep", by, seconds=seconds)
        return int(told["deleted"])

    async def pin(self, seq: int, *, by: str = "app") -> None:
        """Pin message number `seq`."""
        await self._perform("pin", by, target=seq)

    async def unpin(self, seq: int, *, by: str = "app") -> None:
        """Unpin message number `seq`."""
        await self._perform("unpin", by, target=seq)

    async def set(
        self,
        *,
        slow: int | None = None,
        writing: str | None = None,
        entry: str | None = None,
        challenge: bool | None = None,
        password: str | None = None,
        title: str | None = None,
        topic: str | None = None,
        by: str = "app",
    ) -> None:
        """Change the settings that are given.

        `slow` is the number of seconds between two messages of one person. `writing` says who may write: `all`,
        `members`, `moderators`. `entry` says who may come in: `open`, `ask` (a moderator lets people in), `members`,
        `closed` (only moderators; the others are put out). An empty `password`, `title` or `topic` removes it.
        """
        await self._perform(
            "set", by, slow=slow, writing=writing, entry=entry, challenge=challenge, password=password, title=title,
            topic=topic,
        )  # fmt: skip

    async def invite(
        self, *, uses: int | None = None, seconds: int | None = None, role: str | Role = Role.MEMBER, by: str = "app"
    ) -> str:
        """Make an invitation, and return its token, which is told once: `/rooms/lobby#invite=TOKEN` is the link.

        It can be used `uses` times, for `seconds`; without them there is no limit. Whoever uses it gets the `role`.
        """
        told = await self._perform("invite", by, uses=uses, seconds=seconds, role=_label(role))
        return str(told["token"])

    async def revoke(self, invite: str, *, by: str = "app") -> None:
        """Revoke an invitation, which is given by its key in `state` or by its token."""
        found = (await self._room.ready()).moderation.state.get("invite", invite)
        await self._perform("revoke", by, invite=invite if found else invitation_id(invite))

    async def approve(self, item: str, *, by: str = "app") -> None:
        """Publish a held message, or let somebody in who asks. `item` is the key in `state`."""
        await self._perform("approve", by, item=item)

    async def reject(self, item: str, *, reason: str = "", by: str = "app") -> None:
        """Reject a held message, or somebody who asks to come in. `reason` is told."""
        await self._perform("reject", by, item=item, reason=reason)

    async def resolve(self, item: str, *, by: str = "app") -> None:
        """Take a report out of the queue."""
        await self._perform("resolve", by, item=item)

    async def report(self, seq: int, reason: str = "", *, by: Member | User) -> None:
        """Report message number `seq` to the moderators, by name of `by`."""
        core = await self._room.ready()
        member = by if isinstance(by, Member) else Member(by.member_id, by.name or "")
        await core.queue.report(await core.commands.message(seq), member, reason)

    def role_of(self, member: _Who) -> Role:
        """The role of a member in this room at this moment, for example in a hook."""
        return self._room.core.moderation.role_of(id_of(member))

    async def perform(self, action: str, *, by: str = "app", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- below
        """Perform [an action of moderators](wire.md#moderate) by its name, with the fields of the protocol.

        Return what is told in the protocol's answer.
        """
        return await self._perform(action, by, **fields)

    async def state(self) -> dict[str, Any]:
        """Return what moderators see, as JSON: the settings, roles, bans, mutes, pins, invitations and the queue."""
        return (await self._room.ready()).moderation.overview()

    async def audit(self, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """The newest `limit` entries of the audit log with numbers below `before`, the newest first."""
        return await (await self._room.ready()).moderation.audit(before, limit)

    async def _perform(self, action: str, by: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- as each action has
        member = fields.get("member")
        if member is None and "network" in fields and fields["network"] is None:
            raise UsageError(f"{action}() needs a member or a network.")
        if member is not None:
            fields["member"] = id_of(member)
        core = await self._room.ready()
        name = core.state.names.accept(by, reserved=True)
        return await core.moderation.perform(action, fields, lambda: Actor(Member(f"post:{by}", name), PROGRAM_RANK))


def _label(role: str | Role) -> str:
    return role.label if isinstance(role, Role) else role
