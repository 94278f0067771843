"""The port for push subscriptions: the browsers in which a member wants to be told of messages while away."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pychat.domain.strictjson import dumps, loads

__all__ = ["MAX_SUBSCRIPTIONS", "PushRecords", "PushSubscription"]

#: How many browsers of one member are kept.
MAX_SUBSCRIPTIONS = 10


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """One browser of a member (W3C Push API, section 8)."""

    #: Where the push service takes messages for this browser. Whoever knows it could send some.
    endpoint: str
    #: The public key of the browser, and its secret (RFC 8291), as URL-safe Base64.
    p256dh: str
    auth: str
    #: When it is forgotten, in seconds since 1970.
    until: float
    #: The names of the rooms that are not told.
    muted: tuple[str, ...] = ()

    def encode(self) -> str:
        """The form in which stores keep it."""
        return dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> PushSubscription:
        """What `encode` made."""
        fields: dict[str, Any] = loads(text if isinstance(text, str) else text.decode())
        return cls(**{**fields, "muted": tuple(fields["muted"])})


class PushRecords(Protocol):
    """The push subscriptions of all members of a store. Those that have ended are not returned."""

    async def save(self, member_id: str, subscription: PushSubscription) -> None:
        """Store a subscription, in the place of one with that endpoint, also of another member.

        A member has at most `MAX_SUBSCRIPTIONS`; beyond that, those that end first are removed.
        """

    async def of(self, member_id: str) -> tuple[PushSubscription, ...]:
        """Return the subscriptions of a member, the one that ends first at the front."""

    async def remove(self, member_id: str, endpoint: str) -> None:
        """Remove the subscription of that member with that endpoint. No-op if there is none."""

    async def forget(self, member_id: str) -> None:
        """Remove all subscriptions of a member."""
