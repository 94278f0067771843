"""Measure the page in Chromium, against the targets; `--beside DIR` measures another checkout in turn with this one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from tests.browser.chromium import chromium

HERE = Path(__file__).resolve().parents[2]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
#: 1.6 Mbit/s, and the way there and back of a mobile network, as Lighthouse takes them.
SLOW = {"offline": False, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8, "latency": 150}

# A key is timed from the moment when the browser got it until the frame that follows its work is drawn.
_WATCH = """() => {
  window.tasks = []; window.keys = [];
  const seen = (list) => tasks.push(...list.getEntries().map((one) => one.duration));
  new PerformanceObserver(seen).observe({type: "longtask"});
  addEventListener("keydown", ({timeStamp}) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => keys.push(performance.now() - timeStamp);
      channel.port2.postMessage(0);
    });
  }, true);
}"""
_USABLE = """() => new Promise((resolve) => {
  const name = () => document.querySelector("[data-part=name-input]");
  const look = () => name()?.checkVisibility() ? resolve(performance.now()) : setTimeout(look, 5);
  look();
})"""
_ELEMENTS = """() => {
  const lines = [...document.querySelectorAll(".messages > .message")];
  return lines.reduce((sum, line) => sum + 1 + line.querySelectorAll("*").length, 0) / lines.length;
}"""

Found = dict[str, str]
Cell = Callable[[Browser, "Chatter"], Awaitable[Found]]


class Chatter:
    """The server, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def pour(self, rate: int, seconds: int = 0) -> None:
        """Let people talk; without `seconds`, `rate` messages come at once."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{rate} {seconds}\n".encode())
        assert await self._process.stdout.readline() == b"done\n"


@contextlib.asynccontextmanager
async def chatter(checkout: Path) -> AsyncIterator[Chatter]:
    """Start the server of that checkout."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("chatter.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(checkout / "src")},
    )
    assert process.stdin
    assert process.stdout
    yield Chatter(process, (await process.stdout.readline()).decode().strip())
    process.stdin.close()
    await process.wait()


@contextlib.asynccontextmanager
async def joined(browser: Browser, url: str, options: dict[str, Any]) -> AsyncIterator[Page]:
    """A page of somebody with a name."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    await page.goto(url)
    await page.fill("[data-part=name-input]", "Ada")
    await page.click("[data-part=name-button]")
    await page.wait_for_selector("[data-part=composer]", state="visible")
    yield page
    await context.close()


async def _talk(
    browser: Browser, room: Chatter, rate: int, slower: int, options: dict[str, Any]
) -> tuple[list[float], list[float]]:
    """The long tasks, and the times of keys, in milliseconds, while messages come for ten seconds."""
    async with joined(browser, room.url, options) as page:
        devtools = await page.context.new_cdp_session(page)
        await room.pour(200)
        await page.wait_for_timeout(1000)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await page.focus("[data-part=text]")
        await page.evaluate(_WATCH)
        await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = await _worked(devtools)
        pouring = asyncio.create_task(room.pour(rate, 10))
        while not pouring.done():
            await page.keyboard.press("x")
            await asyncio.sleep(0.15)
        worked = await _worked(devtools) - before
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        tasks, keys = await page.evaluate("[tasks, keys]")
        return tasks, keys, worked / (rate * 10) * 1000


async def _worked(devtools: CDPSession) -> float:
    """Seconds that the page's thread has worked."""
    told = await devtools.send("Performance.getMetrics")
    return next(float(one["value"]) for one in told["metrics"] if one["name"] == "TaskDuration")


async def desktop(browser: Browser, room: Chatter) -> Found:
    """100 messages a second."""
    tasks, keys, worked = await _talk(browser, room, 100, 1, DESKTOP)
    worst = f", longest {max(tasks):.0f} ms" if tasks else ""
    return {
        "long tasks": f"{len(tasks)}{worst}",
        "key to frame, median": f"{statistics.median(keys):.0f} ms",
        "processor, a message": f"{worked:.1f} ms",
    }


async def phone(browser: Browser, room: Chatter) -> Found:
    """20 messages a second, with a quarter of the processor."""
    _, keys, worked = await _talk(browser, room, 20, 4, PHONE)
    return {
        "phone: key to frame, median": f"{statistics.median(keys):.0f} ms",
        "phone: processor, a message": f"{worked:.1f} ms",
    }


async def elements(browser: Browser, room: Chatter) -> Found:
    """What stands in the document for a message."""
    await room.pour(200)
    async with joined(browser, room.url, DESKTOP) as page:
        await page.wait_for_selector(".messages > .message")
        return {"elements a message": f"{await page.evaluate(_ELEMENTS):.1f}"}


async def heap(browser: Browser, room: Chatter) -> Found:
    """What the page holds after thousands of messages."""
    found = {}
    async with joined(browser, room.url, DESKTOP) as page:
        devtools = await page.context.new_cdp_session(page)
        for count in (10_000, 50_000):
            while (said := found.get("said", 0)) < count:
                await room.pour(1_000)
                found["said"] = said + 1_000
                await page.get_by_text(f"({said + 999})").first.wait_for(state="attached", timeout=60_000)
            await devtools.send("HeapProfiler.collectGarbage")
            used = (await devtools.send("Runtime.getHeapUsage"))["usedSize"]
            nodes = await page.evaluate("document.querySelectorAll('*').length")
            found[count] = f"{used / 1e6:.1f} MB, {nodes} elements"
    return {"heap after 10,000": found[10_000], "heap after 50,000": found[50_000]}


async def cold(browser: Browser, room: Chatter) -> Found:
    """The first visit."""
    found = {}
    for name, slow in (("here", False), ("1.6 Mbit/s, 4× CPU", True)):
        times = []
        for _ in range(3):
            context = await browser.new_context(**DESKTOP)
            page = await context.new_page()
            devtools = await context.new_cdp_session(page)
            if slow:
                await devtools.send("Network.enable")
                await devtools.send("Network.emulateNetworkConditions", SLOW)
                await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
            await page.goto(room.url, wait_until="commit")
            times.append(await page.evaluate(_USABLE))
            await context.close()
        found[f"usable, {name}"] = f"{statistics.median(times) / 1000:.2f} s"
    return found


CELLS: dict[str, Cell] = {"desktop": desktop, "phone": phone, "elements": elements, "heap": heap, "cold": cold}
TARGETS = {
    "long tasks": "none over 50 ms",
    "key to frame, median": "50 ms",
    "phone: key to frame, median": "80 ms",
    "elements a message": "10",
    "heap after 10,000": "",
    "heap after 50,000": "the same",
    "usable, here": "0.3 s",
    "usable, 1.6 Mbit/s, 4× CPU": "1.5 s",
}


async def measure(cells: list[str], checkouts: list[Path]) -> list[Found]:
    """Each cell in each checkout, in turn."""
    found: list[Found] = [{} for _ in checkouts]
    async with chromium() as browser:
        for cell in cells:
            for checkout, into in zip(checkouts, found, strict=True):
                async with chatter(checkout) as room:
                    try:
                        into.update(await CELLS[cell](browser, room))
                    except Exception as error:  # the other cells still say what they find
                        into[cell] = str(error).splitlines()[0]
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.browser", description=__doc__)
    parser.add_argument("cells", nargs="*", help=f"which to measure, of {', '.join(CELLS)}; all if none is named")
    parser.add_argument("--beside", type=Path, metavar="DIR", help="another checkout, whose assets are built")
    given = parser.parse_args()
    checkouts = [*([given.beside] if given.beside else []), HERE]
    found = asyncio.run(measure(given.cells or list(CELLS), checkouts))
    print(f"Load of the machine before and now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in dict.fromkeys(key for each in found for key in each):
        columns = "".join(f"{each.get(name, ''):>26}" for each in found)
        print(f"{name:30}{columns}   target: {TARGETS.get(name, '')}")


if __name__ == "__main__":
    main()
