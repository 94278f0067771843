"""The Redis store: one room on many servers. What happens in Redis is in `lua/`, each step in one piece."""

from __future__ import annotations

from pychat.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
