"""Draws the icons of an installed chat: favicon.svg as PNG files in src/pychat/assets/icons/. Needs Chromium."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.browser.chromium import chromium

ASSETS = Path(__file__).parent.parent / "src" / "pychat" / "assets"
#: By name: pixels, the part of the width that the drawing takes, and the colour around it. What is cut to another shape
#: (maskable, and Apple's) has no transparent corners, and a margin.
ICONS = {
    "192": (192, 1.0, "transparent"),
    "512": (512, 1.0, "transparent"),
    "maskable": (512, 0.8, "#0b6e5d"),
    "apple": (180, 0.9, "#0b6e5d"),
}
PAGE = """<style>
html {{ background: {}; }}
body {{ margin: 0; display: grid; place-items: center; height: 100vh; }}
svg {{ width: {}%; }}
</style>{}"""


async def draw() -> None:
    """Take a picture of each."""
    drawing = (ASSETS / "favicon.svg").read_text("utf-8")
    async with chromium() as browser:
        for name, (pixels, part, colour) in ICONS.items():
            page = await browser.new_page(viewport={"width": pixels, "height": pixels})
            await page.set_content(PAGE.format(colour, part * 100, drawing))
            await page.screenshot(path=ASSETS / "icons" / f"{name}.png", omit_background=True)
            await page.close()


if __name__ == "__main__":
    asyncio.run(draw())
