"""The Redis store: puts link, feeds, reader and heart together to what a room asks of a store."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.exceptions import ResponseError

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import Away, Joined, Left, LogEvent, Member, Message, Position, Renamed, Signal
from pychat.domain.names import Names
from pychat.domain.ratelog import RateLimitedLogger
from pychat.domain.revision import KINDS_OF_REACTION, deleted, too_many_kinds
from pychat.stores.redis.codec import decode_log, decode_message, encode
from pychat.stores.redis.connection import RedisConnection, unavailable
from pychat.stores.redis.failures import Failure
from pychat.stores.redis.feed import RoomFeed, SyncState
from pychat.stores.redis.guests import RedisGuests
from pychat.stores.redis.heartbeat import Heartbeat
from pychat.stores.redis.reader import Reader
from pychat.stores.redis.scripts import STEPS
from pychat.stores.store import Page, Receiver, Retention, Subscription
from pychat.stores.urls import redact

__all__ = ["RedisStore"]

_log = logging.getLogger(__name__)

_KEPT = Retention(count=100_000)
_REVISIONS_MOST = 64  # of one message, before they are made one
_TROUBLES = 20  # causes of one outage that are said
_CHUNK = 500  # messages that a search looks at without letting others in between


class RedisStore:
    """Keeps the rooms of all servers that open the same `url`: `redis://`, `rediss://` (TLS) or `unix://`.

    The URL is redis-py's; `?prefix=` (`pychat`) begins the names of all keys. Redis 6.2 or newer, one server (with
    replicas or not) that evicts nothing; how much it may lose in a crash is set there (`appendonly`). What it has
    lost shows: the room gets a new epoch.

    A server that was not heard for `heartbeat` seconds is taken for dead: its members are away, and another server
    lets them go `grace` seconds after they were last known here. Redis has `patience` seconds to answer.
    """

    def __init__(
        self,
        url: str,
        retention: Retention = _KEPT,
        *,
        grace: float = 30.0,
        heartbeat: float = 10.0,
        patience: float = 2.0,
        date: Callable[[], float] = time.time,
    ) -> None:
        self._url = redact(url)
        try:
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query))
            self._prefix = query.pop("prefix", "pychat")
            url = urlunsplit(parts._replace(query=urlencode(query)))
            self._writer = RedisConnection(url, patience=patience, broken=self._broken)
            self._looker = RedisConnection(url, patience=patience, broken=self._broken)
            follower = RedisConnection(url, patience=patience + 1.0, broken=self._broken)
        except (TypeError, ValueError) as error:
            # What the error says may hold a piece of a password.
            option = re.search(r"unexpected keyword argument '(\w+)'", str(error))
            raise UsageError(
                f"Redis cannot be found by the address {self._url}: "
                + (f"there is no option {option[1]}. " if option else "")
                + "Write redis://USER:PASSWORD@HOST:PORT/NUMBER, with / @ ? # : and % in a password percent-encoded."
            ) from None
        self._follower = follower
        self._retention = retention
        self._grace = grace
        self._lasts = heartbeat
        self._patience = patience
        self._date = date
        self._id = secrets.token_urlsafe(9)
        self._feeds: dict[str, RoomFeed] = {}
        self._wake_key = f"{self._prefix}:wake:{self._id}"
        self._reader = Reader(follower, self._wake_key, self._feeds, self._reopen, self._look_after)
        self.guests = RedisGuests(self._feeds, lambda feed: self._spawn(self._tell_guests(feed)))
        self._heart = Heartbeat(self._feeds, self._beat, self._wake, heartbeat, self._beaten)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started = False
        self._limited = RateLimitedLogger(_log, time.monotonic)
        self._troubles: set[str] = set()  # said since Redis was well
        self._looked = False

    @property
    def available(self) -> bool:
        """Whether Redis answers, takes what is written, and tells what happens."""
        return self._reader.following and self._heart.well

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        if not self._started:
            self._started = True
            self._spawn(self._reader.run())
            self._spawn(self._heart.run())
        if room in self._feeds:
            # A room that opens anew, for its log was lost. What is told once more on the way here changes nothing.
            feed = self._feeds[room]
            feed.receive = receive
            return (await self._open(feed))[0]
        feed = RoomFeed(room, self._key(room), receive, "", secrets.token_bytes(32), 0, server=self._id)
        opening, feed.tick = await self._open(feed)
        feed.epoch, feed.seq, feed.secret = opening.position.epoch, opening.position.seq, opening.secret
        self._feeds[room] = feed
        self._nudge()
        if not self._looked:
            self._looked = True
            self._spawn(self._look_at_eviction())
        return opening

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        feed = self._feed(room)
        target = "" if isinstance(event, Message) else event.target
        status, tick, *stored = await self._step(
            feed,
            "append",
            f"{event.author.id}\0{event.id}",
            target,
            event.date,
            encode(event),
            *self._kept(),
            KINDS_OF_REACTION,
        )
        await feed.told(tick, self._patience)
        if status in (b"deleted", b"full"):
            raise deleted() if status == b"deleted" else too_many_kinds()
        seq, last = stored
        if status == b"before":
            return decode_log(last, seq)
        if last and last % _REVISIONS_MOST == 0:
            self._spawn(self._compact(feed, int(target)))
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
                # What has happened is made up for when Redis is back. A joining has not happened, whatever Redis knows.
                feed.owed[member.id] = Away(member) if isinstance(event, Joined) else event
            raise
        feed.owed.pop(member.id, None)
        joins = isinstance(event, Joined) and member.id not in feed.here
        if isinstance(event, Joined | Renamed):
            feed.here[member.id] = (member, tick)
        try:
            await feed.told(tick, self._patience)
        except Refused:
            if joins:  # Redis has done it, but who asked is told that it has not happened
                feed.here.pop(member.id, None)
                feed.owed[member.id] = Away(member)
            raise

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        self._check()
        return await self._events(self._looker, self._key(room), after, limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        self._check()
        if matching is None:
            messages, seq = await self._messages(room, before, limit)
            return Page(tuple(reversed(messages)), seq)
        words = matching.casefold().split()
        found: list[Message] = []
        messages, newest = await self._messages(room, before, _CHUNK)
        while words and messages:
            found += [each for each in messages if all(word in each.text.casefold() for word in words)]
            if len(found) >= limit or len(messages) < _CHUNK:
                break
            messages, _ = await self._messages(room, messages[-1].seq, _CHUNK)
        return Page(tuple(reversed(found[:limit])), newest)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Refused):
            for feed in self._feeds.values():
                while (await self._writer.step(STEPS["close"], feed.key, self._id))[1]:
                    pass
            await self._writer.ask("DEL", self._wake_key)
        await self._writer.aclose()
        await self._looker.aclose()
        await self._follower.aclose(wait=False)

    # What Redis is asked.

    async def _step(self, feed: RoomFeed, name: str, *arguments: str | float) -> list[Any]:
        """Take a step that must not be taken where Redis has lost what this server knows."""
        self._check()
        return await self._guarded(feed, name, *arguments)

    async def _guarded(self, feed: RoomFeed, name: str, *arguments: str | float) -> list[Any]:
        answer: list[Any] = await self._writer.step(STEPS[name], feed.key, feed.epoch, feed.tick, *arguments)
        if answer[0] == b"lost":
            feed.doubt = SyncState.LOST
            self._nudge()
            raise unavailable()
        return answer

    async def _open(self, feed: RoomFeed, *, lost: bool = False) -> tuple[Subscription, int]:
        here = [
            (member.id, member.name, sorted(Names.keys(member.name)), encode(Joined(member)))
            for member, _ in feed.here.values()
        ]
        _, tick, epoch, seq, secret, members, away, known, counts = await self._writer.step(
            STEPS["open"],
            feed.key,
            self._id,
            self._lasts,
            secrets.token_urlsafe(6),
            feed.secret.hex(),
            feed.epoch if lost else "",
            feed.guests_here,
            json.dumps(here, ensure_ascii=False),
        )
        guests = {server.decode(): count for server, count in zip(counts[::2], counts[1::2], strict=True)}
        feed.guests = {server: count for server, count in guests.items() if server != self._id}
        opening = Subscription(
            Position(epoch.decode(), seq),
            bytes.fromhex(secret.decode()),
            members=_members(members),
            away=_members(away),
            known=tuple(Member(id_.decode(), name.decode()) for id_, name in zip(known[::2], known[1::2], strict=True)),
        )
        return opening, tick

    async def _reopen(self, feed: RoomFeed) -> None:
        opening, tick = await self._open(feed, lost=feed.doubt is SyncState.LOST)
        if opening.position.epoch == feed.epoch:
            # Only the stream was trimmed: the log may still hold what was missed.
            while feed.seq < opening.position.seq:
                events = await self._events(self._looker, feed.key, feed.seq, _CHUNK)
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
        answer = await self._step(
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
            await feed.told(answer[1], self._patience)  # of who has it: whoever asks again finds it taken
            raise Refused(
                "name_taken",
                f"Somebody here is called “{member.name}”, or looks as if. Please take another name.",
            )
        tick: int = answer[1]
        return tick

    async def _beat(self, feed: RoomFeed, since: str) -> tuple[str, bool] | None:
        try:
            _, now, more = await self._guarded(
                feed, "beat", self._id, self._lasts, since, self._grace, feed.guests_here, *self._kept()
            )
        except Refused:
            if feed.doubt is SyncState.LOST:
                return None
            raise
        if feed.owed:
            self._look_after(feed)
        return now.decode(), bool(more)

    async def _events(self, link: RedisConnection, key: str, after: int, limit: int) -> list[LogEvent]:
        entries = await link.ask("XRANGE", key + "log", f"{max(0, after) + 1}-0", "+", "COUNT", limit)
        return [decode_log(fields[5], int(id_[:-2])) for id_, fields in entries]

    async def _messages(self, room: str, before: int | None, limit: int) -> tuple[list[Message], int]:
        """Messages as they stand, newest first, and the number of the newest event."""
        end = "+inf" if before is None else f"({before}"
        _, seq, messages = await self._looker.step(STEPS["history"], self._key(room), end, limit)
        return [decode_message(text, number, fate) for number, text, fate in messages], seq

    async def _compact(self, feed: RoomFeed, target: int) -> None:
        """Make the revisions of a message one; those that come meanwhile stay behind it."""
        _, _, found = await self._looker.step(STEPS["history"], feed.key, f"({target + 1}", 1)
        if found and found[0][0] == target:
            _, text, fate = found[0]
            whole = encode(decode_message(text, target, fate))
            await self._writer.step(STEPS["compact"], feed.key, target, fate, whole)

    # Beside what is asked.

    def _look_after(self, feed: RoomFeed) -> None:
        """Claim again whom another server gave up, and make up for what Redis was not told."""
        reclaim, feed.reclaim = feed.reclaim, {}
        for member in reclaim.values():
            if member.id in feed.here:
                self._spawn(self.signal(feed.room, Joined(member)))
        if feed.owed and self.available:
            owed, feed.owed = feed.owed, {}
            for event in owed.values():
                if event.member.id not in feed.here:
                    self._spawn(self._pay(feed, event))

    async def _tell_guests(self, feed: RoomFeed) -> None:
        await self._step(feed, "guests", self._id, feed.guests_here)

    async def _pay(self, feed: RoomFeed, event: Away | Left) -> None:
        try:
            await self._signal(feed, event, adopted=True)
        except Refused:
            feed.owed.setdefault(event.member.id, event)

    async def _wake(self) -> None:
        await self._writer.ask("XADD", self._wake_key, "MAXLEN", 1, "*", "look", "")
        await self._writer.ask("EXPIRE", self._wake_key, 3600)

    def _nudge(self) -> None:
        self._spawn(self._wake())

    def _broken(self, why: Failure) -> None:
        """Say each cause once until it is over."""
        if why.why not in self._troubles and len(self._troubles) < _TROUBLES:
            self._troubles.add(why.why)
            told = "Redis at %s cannot be used, and messages are refused until it can: %s."
            (self._limited.error if why.lasting else self._limited.warning)(told, self._url, why)
        self._heart.hurry()

    def _beaten(self) -> None:
        if self._troubles and self.available:
            self._troubles.clear()
            self._limited.warning("Redis at %s can be used again.", self._url)

    async def _look_at_eviction(self) -> None:
        """Warn of a Redis that removes keys when its memory is full: a room would lose its log, or who is in it."""
        said = b""
        for command in (("INFO", "memory"), ("CONFIG", "GET", "maxmemory-policy")):
            with contextlib.suppress(Refused, ResponseError):  # a user may be allowed neither
                answer = await self._looker.ask(*command)
                said += b" ".join(answer) if isinstance(answer, list) else answer
        if found := re.search(rb"allkeys-[a-z]+", said):
            _log.warning(
                "Redis at %s removes whatever it likes when its memory is full (maxmemory-policy %s): rooms lose what "
                "was said. Set maxmemory-policy noeviction there; messages are refused then until there is room.",
                self._url,
                found[0].decode(),
            )

    def _check(self) -> None:
        if not self.available:
            raise unavailable()

    def _key(self, room: str) -> str:
        return f"{self._prefix}:{{{room}}}:"

    def _feed(self, room: str) -> RoomFeed:
        try:
            return self._feeds[room]
        except KeyError:
            raise UsageError(f"Subscribe to the room “{room}” before you add to it.") from None

    def _kept(self) -> tuple[str, str]:
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


def _members(found: list[Any]) -> tuple[Member, ...]:
    return tuple(
        Member(id_.decode(), name.decode(), tuple(json.loads(roles)))
        for id_, name, _, roles in sorted(found, key=lambda each: each[2])
    )
