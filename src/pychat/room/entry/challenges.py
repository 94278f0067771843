"""Proof-of-work challenges (ALTCHA, version 2): before a guest enters, their browser computes for about a second."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from pychat.domain.entry import CHECKED
from pychat.domain.errors import Refused
from pychat.room.clock import Clock
from pychat.room.tokens import Tokens
from pychat.room.workers import Workers

__all__ = ["Challenges"]

_SECONDS = 300  # in which a challenge has to be solved
# A browser derives a key in about 0.7 ms, so 400-1,000 keys take 0.3-0.7 s; on a slow phone up to 7 s. Never more.
_ALGORITHM, _ROUNDS = "PBKDF2/SHA-256", 2_000
_MIN_STEPS, _MAX_STEPS = 400, 1_000
_MAX_WAITING = 64
_MAX_USED = 50_000  # solutions within `_SECONDS`
_LONGEST = 2_000  # characters of a solution


class Challenges:
    """Makes challenges and accepts solutions. Any server of the store can check one; each server accepts it once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._workers = Workers(1)
        self._used: dict[str, float] = {}  # the nonce of a solved challenge -> when it expires, the oldest first

    async def create(self, room: str, tokens: Tokens) -> dict[str, Any]:
        """A challenge for the room of that name, as JSON. Raise `Refused` if too many are asked for at once.

        Deriving the key of the solution takes 0.5 ms, in a thread.
        """
        import altcha  # noqa: PLC0415 -- imports an HTTP client, and few servers need it

        if self._workers.busy >= _MAX_WAITING:
            raise Refused("rate_limited", "Too many people ask for a challenge now. Wait 2 seconds.", 2.0)
        make = partial(
            altcha.create_challenge,
            _ALGORITHM,
            _ROUNDS,
            counter=_MIN_STEPS + secrets.randbelow(_MAX_STEPS - _MIN_STEPS),
            data={"room": room, "expires": int(self._clock.date()) + _SECONDS},
            hmac_secret=tokens.key("challenge"),
            hmac_key_secret=tokens.key("challenge solution"),
        )
        challenge: dict[str, Any] = (await self._workers.run(make)).to_dict()
        return challenge

    def accept(self, room: str, tokens: Tokens, solution: object) -> str:
        """Return the id of a new guest for a solution. Raise `Refused` if it is wrong, late, or was accepted before."""
        import altcha  # noqa: PLC0415

        try:
            payload = _payload(solution)
            parameters, data = payload.challenge.parameters, payload.challenge.parameters.data
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise _wrong() from None
        result = altcha.verify_solution(
            payload, tokens.key("challenge"), hmac_key_secret=tokens.key("challenge solution")
        )
        # Once it is verified, the parameters are those that a server made.
        if not result.verified or data["room"] != room:
            raise _wrong()
        now = self._clock.date()
        if data["expires"] < now:
            raise Refused("challenge_required", "The challenge was solved too late. Ask for another one.")
        self._use(parameters.nonce, data["expires"], now)
        return f"{CHECKED}{Tokens.new_id()}"

    def _use(self, nonce: str, expires: float, now: float) -> None:
        """Remember a solution until its challenge expires. Raise `Refused` if it was accepted before."""
        if nonce in self._used:
            raise Refused("challenge_required", "This solution was used before. Ask for another challenge.")
        while self._used:
            oldest = next(iter(self._used))
            if self._used[oldest] >= now:
                break
            del self._used[oldest]
        if len(self._used) >= _MAX_USED:
            raise Refused("rate_limited", "Too many people come in now. Wait 10 seconds.", 10.0)
        self._used[nonce] = expires


def _payload(solution: object) -> Any:  # noqa: ANN401 -- an `altcha.Payload`, which is imported late
    """A solution as the library has it, from its JSON or the Base64 form of that. Raise `ValueError` and the like."""
    import altcha  # noqa: PLC0415

    if isinstance(solution, Mapping) and len(str(solution)) <= _LONGEST:
        return altcha.Payload.from_dict(dict(solution))
    if isinstance(solution, str) and len(solution) <= _LONGEST:
        return altcha.Payload.from_base64(solution)
    raise ValueError


def _wrong() -> Refused:
    return Refused("challenge_required", "This does not solve a challenge of this room. Ask for another one.")
