"""Checks a page with axe-core, the engine that the auditors use: WCAG 2.2 A and AA, and its best practices."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from playwright.async_api import Page

__all__ = ["Violation", "violations"]

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Styles are read where they stand; axe would fetch them again, against the page's policy.
_RUN = """async () => {
  await Promise.all(document.getAnimations()
    .map(one => one.effect.getComputedTiming().iterations === Infinity || one.finished.catch(() => {})));
  const {violations} = await axe.run(document, {preload: false, resultTypes: ["violations"]});
  return violations.map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map(node => node.html.slice(0, 160))}));
}"""


class Violation(TypedDict):
    """One rule, and the elements that break it."""

    id: str
    impact: str
    nodes: list[str]


async def violations(page: Page) -> list[Violation]:
    """What axe finds wrong with the page as it stands."""
    await page.evaluate(_SCRIPT.read_text("utf-8"))
    found: list[Violation] = await page.evaluate(_RUN)
    return found
