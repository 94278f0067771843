"""The Redis store: implements the store port with connections, feeds, reader and heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pychat.domain.erasure import Choice, requoted
from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import (
    Away,
    Deleted,
    Edited,
    Joined,
    Left,
    LogEvent,
    Member,
    Message,
    Position,
    Renamed,
    Signal,
)
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.domain.names import Names
from pychat.domain.revision import MAX_REACTIONS, deleted, too_many_kinds
from pychat.domain.search import Search
from pychat.stores.redis import queries
from pychat.stores.redis.codec import decode_log, encode
from pychat.stores.redis.connection import RedisConnection, unavailable
from pychat.stores.redis.erasing import Eraser
from pychat.stores.redis.failures import Failure
from pychat.stores.redis.feed import RoomFeed, SyncState
from pychat.stores.redis.guests import RedisGuests
from pychat.stores.redis.heartbeat import Heartbeat
from pychat.stores.redis.moderation_records import RedisModeration
from pychat.stores.redis.outages import OutageLog
from pychat.stores.redis.push_records import RedisPush
from pychat.stores.redis.reader import Reader
from pychat.stores.redis.reader_records import RedisReaders
from pychat.stores.redis.room_records import RedisRooms
from pychat.stores.redis.scripts import SCRIPTS, Script
from pychat.stores.search_turns import SearchTurns
from pychat.stores.store import Page, Receiver, Retention, Store, Subscription
from pychat.stores.urls import redact

__all__ = ["RedisStore"]

_log = logging.getLogger(__name__)

_DEFAULT_RETENTION = Retention(count=100_000)
_MAX_REVISIONS = 64  # of one message, before they are compacted into one
_MAX_DELETED = 10_000  # names of deleted rooms that are remembered: an append to one of them may be on its way
_CHUNK = 500  # missed events that are read at a time


class RedisStore(Store):
    """Keeps the rooms of all servers that open the same `url`: `redis://`, `rediss://` (TLS) or `unix://`.

    The URL has the form of redis-py; all keys begin with `?prefix=` (`pychat`). It needs Redis 6.2 or newer, one
    server (with or without replicas) that evicts nothing. Redis' own settings (`appendonly`) decide how much it may
    lose in a crash. After such a loss the room gets a new epoch.

    A server without a heartbeat for `heartbeat` seconds counts as dead. Its members are away then, and another server
    removes them `grace` seconds after they were last known to be here. Redis must answer within `timeout` seconds.
    """

    def __init__(
        self,
        url: str,
        retention: Retention = _DEFAULT_RETENTION,
        *,
        grace: float = 30.0,
        heartbeat: float = 10.0,
        timeout: float = 2.0,
        date: Callable[[], float] = time.time,
    ) -> None:
        self._url = redact(url)
        try:
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query))
            self._prefix = query.pop("prefix", "pychat")
            url = urlunsplit(parts._replace(query=urlencode(query)))
            self._write_connection = RedisConnection(url, timeout=timeout, on_failure=self._connection_failed)
            self._searches = SearchTurns()
            self._read_connection = RedisConnection(url, timeout=timeout, on_failure=self._connection_failed)
            feed_connection = RedisConnection(url, timeout=timeout + 1.0, on_failure=self._connection_failed)
        except (TypeError, ValueError) as error:
            # What the error says may hold a piece of a password.
            option = re.search(r"unexpected keyword argument '(\w+)'", str(error))
            raise UsageError(
                f"The address {self._url} of Redis is not valid: "
                + (f"there is no option {option[1]}. " if option else "")
                + "Write redis://USER:PASSWORD@HOST:PORT/NUMBER, with / @ ? # : and % in a password percent-encoded."
            ) from None
        self._feed_connection = feed_connection
        self._retention = retention
        self._grace = grace
        self._ttl = heartbeat
        self._timeout = timeout
        self._date = date
        self._id = secrets.token_urlsafe(9)
        self._feeds: dict[str, RoomFeed] = {}
        self._wake_key = f"{self._prefix}:wake:{self._id}"
        self._reader = Reader(feed_connection, self._wake_key, self._feeds, self._reopen, self._reconcile)
        self._guests = RedisGuests(self._feeds, lambda feed: self._spawn(self._publish_guests(feed)))
        self._heartbeat = Heartbeat(self._feeds, self._beat, self._send_wake, heartbeat, self._after_beat)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started = False
        self._outages = OutageLog(self._url)
        self._looked = False
        self._closing: dict[str, asyncio.Task[None]] = {}
        self._deleted: dict[str, None] = {}  # rooms that were deleted, and not opened again
        everywhere = f"{self._prefix}:"
        self._rooms = RedisRooms(everywhere, self._run_anywhere, self._execute, self._wait_deleted)
        self._readers = RedisReaders(everywhere, self._run_anywhere, self._execute)
        self._push = RedisPush(everywhere, self._execute, date)
        self._moderation = RedisModeration(self._run_anywhere, self._run_subscribed, self._wait_delivered, date)

    @property
    def available(self) -> bool:
        """Whether Redis answers, accepts writes, and delivers events."""
        return self._reader.following and self._heartbeat.healthy

    @property
    def guests(self) -> RedisGuests:
        return self._guests

    @property
    def rooms(self) -> RedisRooms:
        return self._rooms

    @property
    def readers(self) -> RedisReaders:
        return self._readers

    @property
    def moderation(self) -> RedisModeration:
        return self._moderation

    @property
    def push(self) -> RedisPush:
        return self._push

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        if not self._started:
            self._started = True
            self._spawn(self._reader.run())
            self._spawn(self._heartbeat.run())
        if room in self._feeds:
            # The room reopens because its log was lost. Events that are delivered twice on the way change nothing.
            feed = self._feeds[room]
            feed.receive = receive
            return (await self._open(feed))[0]
        if (closing := self._closing.get(room)) is not None:
            await asyncio.wait([closing])
        feed = RoomFeed(room, self._key(room), receive, "", secrets.token_bytes(32), 0, server=self._id)
        feed.on_deleted = self._room_deleted
        opening, feed.tick = await self._open(feed)
        self._deleted.pop(room, None)
        feed.epoch, feed.seq, feed.secret = opening.position.epoch, opening.position.seq, opening.secret
        self._feeds[room] = feed
        self._wake()
        if not self._looked:
            self._looked = True
            self._spawn(self._outages.check_eviction(self._read_connection))
        return opening

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        feed = self._feeds.get(room)
        if feed is None or feed.receive != receive:
            return
        feed.ended = True
        del self._feeds[room]
        with contextlib.suppress(RuntimeError):  # the event loop has ended, and this server's connections with it
            self._closing[room] = asyncio.get_running_loop().create_task(self._close(feed))

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        feed = self._feed(room)
        status, tick, *stored = await self._run(feed, "append", *self._event_arguments(event))
        await feed.wait_delivered(tick, self._timeout)
        if status == b"requote" and isinstance(event, Message):  # the message that it answers was deleted meanwhile
            return await self.append(room, requoted(event))
        if status in (b"deleted", b"full"):
            raise deleted() if status == b"deleted" else too_many_kinds()
        seq, last = stored
        if status == b"before":
            return decode_log(last, seq)
        if last and last % _MAX_REVISIONS == 0:
            assert not isinstance(event, Message)  # noqa: S101 -- a message has no revisions yet
            self._spawn(self._compact(feed, event.target))
        return replace(event, seq=seq)

    async def signal(self, room: str, event: Signal) -> None:
        feed = self._feed(room)
        member = event.member
        if isinstance(event, Away | Left):
            feed.here.pop(member.id, None)
        try:
            tick = await self._signal(feed, event)
        except Refused as refused:
            if refused.code == "unavailable" and isinstance(event, Joined | Away | Left):
                # Send it when Redis is back. A join has failed, even if Redis has stored it: so undo it.
                feed.pending[member.id] = Away(member) if isinstance(event, Joined) else event
            raise
        feed.pending.pop(member.id, None)
        joins = isinstance(event, Joined) and member.id not in feed.here
        if isinstance(event, Joined | Renamed):
            feed.here[member.id] = (member, tick)
        try:
            await feed.wait_delivered(tick, self._timeout)
        except Refused:
            if joins:  # Redis has stored the join, but the caller is told that it failed: undo it
                feed.here.pop(member.id, None)
                feed.pending[member.id] = Away(member)
            raise

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        self._require_available()
        return await queries.events(self._read_connection, self._key(room), after, limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        self._require_available()
        key = self._key(room)
        if matching is None:
            return await queries.history(self._read_connection, key, before, limit)
        wanted = Search.parse(matching)
        return await queries.search(self._read_connection, key, before, limit, wanted, self._searches)

    async def erase(
        self,
        room: str,
        *,
        author: str | None = None,
        before: float | None = None,
        seqs: Collection[int] | None = None,
    ) -> list[int]:
        choice = Choice.of(author, before, seqs)
        self._require_available()
        eraser = Eraser(self._write_connection, self._key(room), choice, self._date, self._append_anywhere)
        erased, tick = await eraser.run()
        moderated = await self._moderation.erase(room, ModerationErasure(choice.everything_of, frozenset(erased)))
        await self._wait_delivered(room, max(tick, moderated))
        return erased

    async def rooms_of(self, author: str) -> list[str]:
        self._require_available()
        start, found = f"{self._prefix}:{{", set[str]()
        for end in ("}:ids", "}:known", "}:members"):
            for key in await queries.scan(self._read_connection, f"{queries.escaped(start)}*{end}"):
                if end == "}:ids":
                    has = await queries.has_events(self._read_connection, key, author)
                else:
                    has = await self._read_connection.execute("HEXISTS", key, author)
                if has:
                    found.add(key[len(start) : -len(end)])
        for end in ("}:moderation", "}:audit"):
            for key in await queries.scan(self._read_connection, f"{queries.escaped(start)}*{end}"):
                room = key[len(start) : -len(end)]
                if room not in found and await self._moderation.names(room, author):
                    found.add(room)
        return sorted(found)

    async def aclose(self) -> None:
        if self._closing:
            await asyncio.wait(self._closing.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Refused):
            for feed in self._feeds.values():
                while (await self._write_connection.run(SCRIPTS["close"], feed.key, self._id))[1]:
                    pass
            await self._write_connection.execute("DEL", self._wake_key)
        await self._write_connection.aclose()
        await self._read_connection.aclose()
        await self._feed_connection.aclose(wait=False)

    # Calls to Redis.

    async def _run(self, feed: RoomFeed, name: str, *arguments: str | float) -> list[Any]:
        """Run a script, unless Redis is unavailable or has lost data that this server knows."""
        self._require_available()
        return await self._run_guarded(feed, name, *arguments)

    async def _run_subscribed(self, room: str, name: str, *arguments: str | float) -> list[Any]:
        return await self._run(self._feed(room), name, *arguments)

    async def _run_guarded(self, feed: RoomFeed, name: str, *arguments: str | float) -> list[Any]:
        answer: list[Any] = await self._write_connection.run(SCRIPTS[name], feed.key, feed.epoch, feed.tick, *arguments)
        if answer[0] in (b"lost", b"room_deleted"):
            feed.sync_state = SyncState.LOST
            self._wake()
            raise unavailable() if answer[0] == b"lost" else Refused.standard("unknown_room")
        return answer

    def _event_arguments(self, event: LogEvent) -> tuple[str | float, ...]:
        target: str | int = "" if isinstance(event, Message) else event.target
        reply: str | int = ""
        mentions = ""
        if isinstance(event, Message) and event.reply is not None and event.reply.text:
            reply = event.reply.seq
        if isinstance(event, Message | Edited) and event.mentions:
            mentions = json.dumps(event.mentions)
        elif isinstance(event, Edited | Deleted):
            mentions = "[]"
        return (
            f"{event.author.id}\0{event.id}",
            target,
            reply,
            mentions,
            event.date,
            encode(event),
            *self._retention_arguments(),
            MAX_REACTIONS,
        )

    async def _append_anywhere(self, key: str, epoch: str, event: LogEvent) -> list[Any]:
        arguments = self._event_arguments(event)
        answer: list[Any] = await self._write_connection.run(SCRIPTS["append"], key, epoch, 0, *arguments)
        return answer

    async def _run_anywhere(self, script: Script, room: str, *arguments: str | int) -> list[Any]:
        """Run a script for a room that need not be subscribed; an empty name means all rooms."""
        self._require_available()
        key = self._key(room) if room else f"{self._prefix}:"
        answer: list[Any] = await self._write_connection.run(script, key, *arguments)
        return answer

    async def _execute(self, *command: str | int) -> Any:  # noqa: ANN401 -- whatever Redis answers
        self._require_available()
        return await self._write_connection.execute(*command)

    async def _close(self, feed: RoomFeed) -> None:
        """Mark the members on this server as away, as when a server stops."""
        try:
            while (await self._write_connection.run(SCRIPTS["close"], feed.key, self._id))[1]:
                pass
        except Refused:
            pass  # without a heartbeat this server counts as dead there
        finally:
            del self._closing[feed.room]

    def _room_deleted(self, feed: RoomFeed) -> None:
        if self._feeds.get(feed.room) is feed:
            del self._feeds[feed.room]
        self._deleted[feed.room] = None
        if len(self._deleted) > _MAX_DELETED:
            del self._deleted[next(iter(self._deleted))]

    async def _wait_deleted(self, room: str, tick: int) -> None:
        with contextlib.suppress(Refused):
            await self._wait_delivered(room, tick)

    async def _wait_delivered(self, room: str, tick: int) -> None:
        feed = self._feeds.get(room)
        if feed is not None:
            await feed.wait_delivered(tick, self._timeout)

    async def _open(self, feed: RoomFeed, *, lost: bool = False) -> tuple[Subscription, int]:
        """Open a room, which may have been deleted."""
        opening = await self._reopening(feed, lost=lost, again=False)
        assert opening is not None  # noqa: S101 -- only then
        return opening

    async def _reopening(self, feed: RoomFeed, *, lost: bool, again: bool) -> tuple[Subscription, int] | None:
        """Open a room. With `again`, return `None` if it was deleted."""
        here = [
            (member.id, member.name, sorted(Names.keys(member.name)), encode(Joined(member)))
            for member, _ in feed.here.values()
        ]
        status, *answer = await self._write_connection.run(
            SCRIPTS["open"],
            feed.key,
            self._id,
            self._ttl,
            secrets.token_urlsafe(6),
            feed.secret.hex(),
            feed.epoch if lost else "",
            feed.guests_here,
            json.dumps(here, ensure_ascii=False),
            "1" if again else "",
        )
        if status == b"room_deleted":
            return None
        tick, epoch, seq, secret, members, away, known, counts = answer
        guests = {server.decode(): count for server, count in zip(counts[::2], counts[1::2], strict=True)}
        feed.guests = {server: count for server, count in guests.items() if server != self._id}
        opening = Subscription(
            Position(epoch.decode(), seq),
            bytes.fromhex(secret.decode()),
            members=_decode_members(members),
            away=_decode_members(away),
            known=tuple(Member(id_.decode(), name.decode()) for id_, name in zip(known[::2], known[1::2], strict=True)),
        )
        return opening, tick

    async def _reopen(self, feed: RoomFeed) -> None:
        opened = await self._reopening(feed, lost=feed.sync_state is SyncState.LOST, again=True)
        if opened is None:
            feed.end()
            return
        opening, tick = opened
        if opening.position.epoch == feed.epoch:
            # Only the stream was trimmed: the log may still have the missed events.
            while feed.seq < opening.position.seq:
                events = await queries.events(self._read_connection, feed.key, feed.seq, _CHUNK)
                if not events or events[0].seq != feed.seq + 1:
                    break
                for event in events:
                    if event.seq <= opening.position.seq:
                        feed.deliver(event)
        feed.reopen(opening, tick)

    async def _signal(self, feed: RoomFeed, event: Signal, *, adopted: bool = False) -> int:
        member = event.member
        keys = json.dumps(sorted(Names.keys(member.name)), ensure_ascii=False)
        kind = type(event).__name__.lower()
        answer = await self._run(
            feed,
            "signal",
            self._id,
            kind,
            member.id,
            member.name,
            keys,
            encode(event),
            "1" if adopted else "",
            feed.guests_here,
        )
        if answer[0] == b"taken":
            await feed.wait_delivered(
                answer[1], self._timeout
            )  # until the join of the owner arrives: a retry then finds the name taken
            raise Refused(
                "name_taken",
                f"Somebody here has the name “{member.name}”, or one that looks like it. Please take another name.",
            )
        tick: int = answer[1]
        return tick

    async def _beat(self, feed: RoomFeed, since: str) -> tuple[str, bool] | None:
        try:
            _, now, more = await self._run_guarded(
                feed, "beat", self._id, self._ttl, since, self._grace, feed.guests_here, *self._retention_arguments()
            )
        except Refused:
            if feed.sync_state is SyncState.LOST:
                return None
            raise
        if feed.pending:
            self._reconcile(feed)
        return now.decode(), bool(more)

    async def _compact(self, feed: RoomFeed, target: int) -> None:
        """Merge the revisions of a message into one line; revisions that come meanwhile stay after it."""
        found = await queries.revised(self._read_connection, feed.key, target)
        if found is not None:
            message, revisions = found
            await self._write_connection.run(SCRIPTS["compact"], feed.key, target, revisions, encode(message))

    # Background work.

    def _reconcile(self, feed: RoomFeed) -> None:
        """Rejoin members that another server gave up, and send pending events."""
        reclaim, feed.reclaim = feed.reclaim, {}
        for member in reclaim.values():
            if member.id in feed.here:
                self._spawn(self.signal(feed.room, Joined(member)))
        if feed.pending and self.available:
            pending, feed.pending = feed.pending, {}
            for event in pending.values():
                if event.member.id not in feed.here:
                    self._spawn(self._send_pending(feed, event))

    async def _publish_guests(self, feed: RoomFeed) -> None:
        await self._run(feed, "guests", self._id, feed.guests_here)

    async def _send_pending(self, feed: RoomFeed, event: Away | Left) -> None:
        try:
            await self._signal(feed, event, adopted=True)
        except Refused:
            feed.pending.setdefault(event.member.id, event)

    async def _send_wake(self) -> None:
        await self._write_connection.execute("XADD", self._wake_key, "MAXLEN", 1, "*", "look", "")
        await self._write_connection.execute("EXPIRE", self._wake_key, 3600)

    def _wake(self) -> None:
        self._spawn(self._send_wake())

    def _connection_failed(self, why: Failure) -> None:
        self._outages.failed(why)
        self._heartbeat.beat_now()

    def _after_beat(self) -> None:
        if self.available:
            self._outages.works()

    def _require_available(self) -> None:
        if not self.available:
            raise unavailable()

    def _key(self, room: str) -> str:
        return f"{self._prefix}:{{{room}}}:"

    def _feed(self, room: str) -> RoomFeed:
        try:
            return self._feeds[room]
        except KeyError:
            if room in self._deleted:
                raise Refused.standard("unknown_room") from None
            raise UsageError(f"Subscribe to the room “{room}” before you add to it.") from None

    def _retention_arguments(self) -> tuple[str, str]:
        count, age = self._retention.count, self._retention.age
        return "" if count is None else str(count), "" if age is None else str(self._date() - age)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Refused):
            _log.error("Work for Redis failed.", exc_info=error)


def _decode_members(found: list[Any]) -> tuple[Member, ...]:
    return tuple(
        Member(id_.decode(), name.decode(), tuple(json.loads(roles)))
        for id_, name, _, roles in sorted(found, key=lambda each: each[2])
    )
