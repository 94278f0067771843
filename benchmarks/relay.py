"""How many messages a second a server takes from eight clients with 64 in flight each, all acknowledged.

pychat acknowledges what is stored; Node's Socket.IO relays and stores nothing. Every delivery is checked: all there, in
order, nothing twice, or the run fails. Run it with `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.servers import GENERATOR_CORE, Measured, pychat_server, socketio_server

CLIENTS, IN_FLIGHT = 8, 64


class Sender:
    """One Socket.IO client, on a bare WebSocket so that the generator is not the bottleneck."""

    def __init__(self, number: int, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.number = number
        self.socket = socket
        self.sent = self.acknowledged = 0
        self.heard: list[str] = []
        self.open = True

    async def say_next(self) -> None:
        """Send the next message."""
        await self.socket.send_str(f'42{self.sent}["message","{self.number}:{self.sent} {"x" * 56}"]')
        self.sent += 1

    async def run(self) -> None:
        """Keep messages in flight while the run is open, then until all are acknowledged."""
        for _ in range(IN_FLIGHT):
            await self.say_next()
        async for message in self.socket:
            data = message.data
            if data.startswith("43"):
                self.acknowledged += 1
                if '"ok":true' not in data:
                    raise SystemExit(f"refused: {data}")
                if self.open:
                    await self.say_next()
            elif data.startswith("42"):
                self.heard.append(data)
            elif data == "2":
                await self.socket.send_str("3")

    def check(self, senders: list[Sender]) -> None:
        """Everything that the others sent must have come, in order."""
        heard: dict[int, int] = {}
        for data in self.heard:
            event, argument, *_ = json.loads(data[2:])
            if event == "message":
                author, _, number = argument["message"].partition(" ")[0].partition(":")
                if heard.get(int(author), 0) != int(number):
                    raise SystemExit(f"client {self.number} heard {argument['message'][:12]} out of order")
                heard[int(author)] = int(number) + 1
        expected = {each.number: each.sent for each in senders if each is not self and each.sent}
        if heard != expected:
            raise SystemExit(f"client {self.number} heard {heard}, not {expected}")


async def connect(http: aiohttp.ClientSession, url: str, number: int) -> Sender:
    """Connect, and take a name."""
    socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0, compress=0)
    await socket.receive_str()
    await socket.send_str("40{}")
    while not (await socket.receive_str()).startswith("40"):
        pass
    await socket.send_str(f'42999999["setPseudo","Sender {number}"]')
    while not (await socket.receive_str()).startswith("43999999"):
        pass
    return Sender(number, socket)


async def measure(server: Measured, seconds: float) -> tuple[float, float]:
    """Messages a second, and microseconds of the server's processor for each."""
    async with aiohttp.ClientSession() as http:
        senders = [await connect(http, server.url, number) for number in range(CLIENTS)]
        tasks = [asyncio.create_task(sender.run()) for sender in senders]
        await asyncio.sleep(seconds / 4)
        begun, cpu, before = time.monotonic(), server.cpu(), sum(sender.acknowledged for sender in senders)
        await asyncio.sleep(seconds)
        taken, used = time.monotonic() - begun, server.cpu() - cpu
        count = sum(sender.acknowledged for sender in senders) - before
        for sender in senders:
            sender.open = False
        async with asyncio.timeout(30):
            while any(sender.acknowledged < sender.sent for sender in senders):
                await asyncio.sleep(0.05)
            total = sum(sender.sent for sender in senders)
            while any(sum('"message",' in each for each in s.heard) < total - s.sent for s in senders):
                await asyncio.sleep(0.1)
        for sender in senders:
            await sender.socket.close()
        await asyncio.gather(*tasks)
        for sender in senders:
            sender.check(senders)
        return count / taken, used / count * 1e6


def main() -> None:
    """Measure the servers in turn, several times; print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {GENERATOR_CORE})
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(given.rounds):
            store = f"sqlite:{Path(folder) / f'{turn}.db'}"
            for start in (socketio_server, partial(pychat_server, store), partial(pychat_server, "memory:")):
                with start() as server:
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        rate, cost = runner.run(measure(server, given.seconds))
                    rates.setdefault(server.name, []).append(rate)
                    costs.setdefault(server.name, []).append(cost)
    peer = next(iter(rates))
    print(f"{CLIENTS} clients, {IN_FLIGHT} in flight, 64-byte texts; {platform.machine()}, {os.cpu_count()} cores, ")
    print(f"Python {platform.python_version()}; server on one core, clients on another; median of {given.rounds}.\n")
    print(f"{'server':34}{'messages/s':>12}{'ratio':>8}{'µs CPU/message':>16}{'ratio':>8}")
    for name, found in rates.items():
        rate, cost = statistics.median(found), statistics.median(costs[name])
        faster, cheaper = rate / statistics.median(rates[peer]), statistics.median(costs[peer]) / cost
        print(f"{name:34}{rate:12,.0f}{faster:8.2f}{cost:16.0f}{cheaper:8.2f}")


if __name__ == "__main__":
    main()
