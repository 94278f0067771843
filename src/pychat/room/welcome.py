"""Lets a visitor into a room: takes the name, and sends the welcome and the missed events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypedDict

from pychat.domain.model import Position, User
from pychat.domain.notices import Welcome, You
from pychat.room.connection import Connection
from pychat.room.core import RoomCore
from pychat.room.grant import Grant, unknown_room
from pychat.room.session import Session

__all__ = ["EntryOptions", "welcome_visitor"]


class EntryOptions(TypedDict, total=False):
    """How a visitor enters a room. The first four options are those of `ChatRoom.connect`."""

    since: Position | None
    member_id: str | None
    user: User | None
    own: bool
    #: A guest takes the last name of `member_id` before the welcome.
    resume: bool
    #: What the visitor may do; by default, what any member may.
    grant: Grant | None
    #: Is awaited last before the welcome.
    before_welcome: Callable[[], Awaitable[object]] | None


async def welcome_visitor(
    room: RoomCore,
    connection: Connection,
    *,
    since: Position | None = None,
    member_id: str | None = None,
    user: User | None = None,
    own: bool = True,
    resume: bool = False,
    grant: Grant | None = None,
    before_welcome: Callable[[], Awaitable[object]] | None = None,
) -> Session:
    """Let a visitor into the open room and send the welcome: see `ChatRoom.connect`."""
    delivery, membership = room.delivery, room.membership
    if since is not None:
        await delivery.catch_up(since)
    session = Session(room, connection, user, grant)
    named = user is not None or resume
    try:
        session.begin_entry(member_id)
        if user is not None:
            member_id = user.member_id
        room.moderation.check_entry(session.grant, user, member_id)  # before everybody sees them join
        if named:
            membership.connections.add(session, member_id, counted=False)
            await (session.resume() if user is None else session.take_login_name())
        if before_welcome is not None:
            await before_welcome()
        await delivery.start()
        while session.grant.stale:
            await session.grant.renew()
            await delivery.start()
        if "read" not in session.grant.access:
            raise unknown_room()
        room.moderation.check_entry(session.grant, user, member_id)
    except BaseException:
        await session.close()
        raise
    missed = None if since is None else delivery.missed(since)
    # Nothing may await from here to the end: first the missed events are sent, and all later ones by the fan-out.
    delivery.fanout.flush()
    membership.bind(session, session.member_id if named else member_id)
    session.recheck()
    try:
        if missed is None:
            session.send_welcome(_welcome(room, session, None, identified=resume))
        else:
            session.send_welcome(
                _welcome(room, session, since, identified=resume),
                missed if own else [each for each in missed if each.author.id != member_id],
            )
    except BaseException:
        await session.close()
        raise
    delivery.fanout.add(connection)
    session.follow()
    membership.presence.note(newcomer=True)
    session.show_whispers()
    return session


def _welcome(room: RoomCore, session: Session, since: Position | None, *, identified: bool) -> Welcome:
    you = session.you
    if you is None and identified and session.member_id is not None:
        member = session.member
        you = You(session.member_id, None if member is None else member.name, (), name_fixed=False)
    delivery, membership = room.delivery, room.membership
    listed = membership.presence.listed and membership.named() <= room.limits.listed
    messages, more = delivery.recent.page()
    return Welcome(
        room=room.name,
        title=room.moderation.title,
        position=since or delivery.position,
        recovered=since is not None,
        here=membership.count(),
        members=membership.members() if listed else (),
        listed=listed,
        messages=() if since else messages,
        more=more,
        longest_name=room.limits.name,
        longest_text=room.limits.text,
        you=you,
        access=session.access,
        role=session.standing.role,
        muted=session.standing.muted,
        settings=room.moderation.told,
        queue=room.moderation.waiting(session.standing.role),
    )
