"""The Redis store: one room on many servers. The scripts in `lua/` run inside Redis, each atomically."""

from __future__ import annotations

from pychat.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
