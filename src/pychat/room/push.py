"""Web push: tells people who are away of mentions and direct messages, in the browsers where they asked for it.

What goes over the network is a `PushSender`, which the mount brings.
"""

from __future__ import annotations

import hashlib
import logging
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from pychat.domain.errors import Refused
from pychat.domain.model import Member, Message
from pychat.domain.strictjson import dumps
from pychat.room.clock import Clock
from pychat.room.direct import is_direct
from pychat.room.tasks import Tasks
from pychat.stores import PushSubscription, Store
from pychat.stores.push_records import PushRecords

__all__ = ["Push", "PushSender"]

_log = logging.getLogger("pychat.push")

_SECONDS = 60 * 86400.0  # that a subscription is kept; each visit of the page renews it
_MAX_WAITING = 5_000  # pairs of a member and a room; the newest message of a pair replaces the one before
_AT_ONCE = 4  # messages that are being sent
_MAX_TEXT, _MAX_TITLE = 300, 100  # characters; a push service takes 4 KiB
_MAX_MUTED = 200
_LONGEST_ROOM = 100
_LONGEST_KEY = 100  # of 65 bytes, as Base64


class PushSender(Protocol):
    """Encrypts and sends push messages."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The public key of this chat, for browsers (RFC 8292). `use` comes first."""

    @abstractmethod
    def use(self, secret: bytes) -> None:
        """Derive the key pair of this chat from `secret`. The same secret gives the same keys."""

    @abstractmethod
    def check(self, subscription: PushSubscription) -> None:
        """Raise `Refused` if nothing may be sent there, or if its keys are malformed."""

    @abstractmethod
    async def send(self, subscription: PushSubscription, payload: bytes, topic: str) -> bool:
        """Send a message; it replaces one with the same `topic` that was not delivered yet.

        Return False if the browser has ended the subscription. Other failures are logged.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections."""


class Push:
    """The push subscriptions of a chat, and a bounded queue of messages. Nobody who writes waits for it."""

    def __init__(
        self,
        store: Callable[[], Store | None],
        secret: Callable[[], Awaitable[bytes]],
        shown: Callable[[str, Message], Awaitable[tuple[str, Message] | None]],
        clock: Clock,
    ) -> None:
        """`secret` returns the key of all tokens of the chat.

        `shown` returns what a member sees: the title of the room, and a message as it stands; `None` if they are not
        away, or may not read it.
        """
        self._store = store
        self._secret = secret
        self._shown = shown
        self._clock = clock
        #: Sends the messages; `None` while push is off.
        self.sender: PushSender | None = None
        self._waiting: OrderedDict[tuple[str, str], Message] = OrderedDict()
        self._full = False
        self._tasks = Tasks()

    # What people ask for.

    async def key(self) -> str:
        """The public key of this chat, with which a browser subscribes. Raise `Refused` if push is off."""
        sender, _ = await self._ready()
        return sender.key

    async def subscribe(self, member_id: str, fields: Mapping[str, object]) -> None:
        """Tell a member in one more browser, or change what is told there. Raise `Refused`.

        `fields` are those of the browser's `PushSubscription.toJSON()`, and `muted`: the rooms that are not told.
        """
        sender, records = await self._ready()
        keys, muted = fields.get("keys"), fields.get("muted", [])
        if not isinstance(keys, Mapping) or not isinstance(muted, list):
            raise _malformed()
        texts = [fields.get("endpoint"), keys.get("p256dh"), keys.get("auth"), *muted]
        if not all(isinstance(each, str) and each.isascii() for each in texts) or len(muted) > _MAX_MUTED:
            raise _malformed()
        endpoint, p256dh, auth, *rooms = map(str, texts)
        if len(p256dh) > _LONGEST_KEY or len(auth) > _LONGEST_KEY or any(len(room) > _LONGEST_ROOM for room in rooms):
            raise _malformed()
        subscription = PushSubscription(endpoint, p256dh, auth, self._clock.date() + _SECONDS, tuple(rooms))
        sender.check(subscription)
        await records.save(member_id, subscription)

    async def unsubscribe(self, member_id: str, endpoint: str) -> None:
        """Tell a member nothing more in one browser. Raise `Refused`."""
        _, records = await self._ready()
        await records.remove(member_id, endpoint)

    async def forget(self, member_id: str) -> None:
        """Tell a member nothing more. Raise `Refused` while the store is unavailable."""
        for key in [key for key in self._waiting if key[0] == member_id]:
            del self._waiting[key]
        store = self._store()
        if store is not None and store.push is not None:
            await store.push.forget(member_id)

    def login_ended(self, member_id: str) -> None:
        """Forget a member in the background: their login has ended."""
        if self.sender is not None:
            self._tasks.spawn(self._forget(member_id))

    async def _forget(self, member_id: str) -> None:
        try:
            await self.forget(member_id)
        except Refused as refused:
            _log.warning("The push subscriptions of %s could not be removed: %s", member_id, refused)

    async def _ready(self) -> tuple[PushSender, PushRecords]:
        store = self._store()
        if self.sender is None or store is None or store.push is None:
            raise Refused("not_found", "This chat sends no push messages.")
        self.sender.use(await self._secret())
        return self.sender, store.push

    # What is told.

    async def mentioned(self, message: Message, member: Member) -> None:
        """A hook for `mention`. Direct messages are told by `said`."""
        if not is_direct(message.room):
            self.said(message, [member.id])

    def said(self, message: Message, member_ids: Iterable[str]) -> None:
        """Tell those members of a message who are away. It is queued; if the queue is full, the oldest one goes."""
        if self.sender is None:
            return
        for member_id in member_ids:
            if member_id != message.author.id:
                self._waiting.pop((member_id, message.room), None)
                self._waiting[member_id, message.room] = message
        while len(self._waiting) > _MAX_WAITING:
            self._waiting.popitem(last=False)
            if not self._full:
                self._full = True
                _log.error("Push messages are sent too slowly: some are left out.")
        for _ in range(min(len(self._waiting), _AT_ONCE - len(self._tasks))):
            self._tasks.spawn(self._work())

    async def _work(self) -> None:
        while self._waiting and self.sender is not None:
            (member_id, room), message = self._waiting.popitem(last=False)
            try:
                await self._tell(member_id, room, message)
            except Refused as refused:
                _log.info("A push message was not sent: %s", refused)
            except Exception:
                _log.exception("A push message could not be sent")
        self._full = False

    async def _tell(self, member_id: str, room: str, message: Message) -> None:
        sender, records = await self._ready()
        subscriptions = [each for each in await records.of(member_id) if room not in each.muted]
        shown = await self._shown(member_id, message) if subscriptions else None
        if shown is None:
            return
        title, message = shown
        payload = dumps(
            {
                "room": room,
                "title": title[:_MAX_TITLE],
                "author": message.author.name[:_MAX_TITLE],
                "text": message.text[:_MAX_TEXT],
                "seq": message.seq,
                "direct": is_direct(room),
            }
        ).encode()
        # A push service sees this, and must not learn the names of rooms.
        topic = hashlib.blake2b(f"{member_id}\n{room}".encode(), digest_size=12, key=b"topic").hexdigest()
        for each in subscriptions:
            if not await sender.send(each, payload, topic):
                await records.remove(member_id, each.endpoint)

    async def aclose(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
        sender, self.sender = self.sender, None
        if sender is not None:
            await sender.aclose()


def _malformed() -> Refused:
    return Refused(
        "bad_request", "Send a push subscription: {“endpoint”: “https://…”, “keys”: {“p256dh”: “…”, “auth”: “…”}}."
    )
