"""What Lighthouse says of the page, on a desktop and on a phone. `make lighthouse` prints it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

from pychat import ChatRoom
from tests.browser.server import Server

TOOL = Path(__file__).parents[2] / "benchmarks" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
FIGURES = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
)


async def report(url: str, *options: str) -> dict[str, Any]:
    """Run it once."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    process = await asyncio.create_subprocess_exec(
        *("node", str(TOOL), url, "--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}"),
        *("--chrome-flags=--headless=new --no-sandbox", *options),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"CHROME_PATH": chromium},
    )
    out, _ = await process.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


async def main() -> None:
    """Both tables, and what is not perfect."""
    room = ChatRoom("lobby", title="The lobby")
    server = Server(room)
    await server.start()
    for number in range(40):
        await room.post(
            f"Message {number}: the kettle is on, and there is cake.", author=("Ada", "Bob", "Eve")[number % 3]
        )
    try:
        for name, options in (("desktop", ["--preset=desktop"]), ("mobile", [])):
            found = await report(server.url, *options)
            scores = [f"{category} {found['categories'][category]['score'] * 100:.0f}" for category in CATEGORIES]
            figures = [f"{figure} {found['audits'][figure]['displayValue']}" for figure in FIGURES]
            print(f"{name}: {', '.join(scores)}\n  {', '.join(figures)}")  # noqa: T201  # its purpose
            # A machine that does other things too has a low one, and then the figures of performance mean little.
            print(f"  speed of this machine {found['environment']['benchmarkIndex']:.0f}")  # noqa: T201
            for category in found["categories"].values():
                for part in category["auditRefs"]:
                    audit = found["audits"][part["id"]]
                    if part["weight"] and audit["score"] is not None and audit["score"] < 0.995:
                        print(f"  {audit['score']:.2f} {part['id']}: {audit['title']} {audit.get('displayValue', '')}")  # noqa: T201
    finally:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
