"""A server where people talk as fast as it is told: `RATE SECONDS` on a line of standard input, answered with `done`.

With `SECONDS` of 0, `RATE` messages come at once. It runs with any checkout that is on PYTHONPATH.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from aiohttp import web

import pychat
from pychat import ChatRoom
from pychat.domain.limits import Limits

TEXTS = (
    "Good morning!",
    "Has anybody seen the figures of last week? I had put them on the shelf by the window.",
    "https://example.com/figures?week=46",
    "Thank you, that is it. I will look at them after lunch, and tell you what I think.",
    "👍",
    "Lunch?",
)
BATCH = 50


async def main() -> None:
    """Serve on a free port, print the address, and obey."""
    room = ChatRoom("lobby", title="The lobby", limits=Limits(rate=0))
    runner = web.AppRunner(pychat.aiohttp_app(room), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
    loop = asyncio.get_running_loop()
    numbers = itertools.count()

    async def post() -> None:
        number = next(numbers)
        # People say two or three things in a row, as people do.
        await room.post(f"{TEXTS[number % len(TEXTS)]} ({number})", author=f"Person {number // 3 % 20}")

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        rate, seconds = map(int, line.split())
        begun = loop.time()
        for number in range(rate * (seconds or 1)):
            await post()
            if seconds:
                await asyncio.sleep(max(0.0, begun + (number + 1) / rate - loop.time()))
            elif number % BATCH == 0:
                await asyncio.sleep(0)
        print("done", flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
