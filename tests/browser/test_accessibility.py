"""No state of the page breaks a rule that axe-core knows."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.states import STATES, stage

#: The states that differ most, for each run of the tests; the others are in `make a11y`.
CORE = ("guest, phone", "room", "room, Arabic, phone", "menu of a person", "moderation: settings")


async def _check(browser: Browser, *names: str) -> dict[str, list[str]]:
    expect.set_options(timeout=15_000)
    found = {}
    async with stage(browser) as at:
        for name in names:
            state = STATES[name]
            try:
                wrong = await violations(await state.play(at, dict(state.options)))
                found[name] = [f"{one['impact']}: {one['id']}: {node}" for one in wrong for node in one["nodes"]]
            except AssertionError as error:  # the others still say what they find
                found[name] = [f"not reached: {str(error).splitlines()[0]}"]
            finally:
                await at.clear()
            print(f"{name:28}{len(found[name]):4}", *found[name], sep="\n      " if found[name] else " ")  # noqa: T201  # for `make a11y`
    return {name: wrong for name, wrong in found.items() if wrong}


async def test_the_page_keeps_the_rules_of_accessibility(browser: Browser) -> None:
    """On a desktop, on a phone, in Arabic, and with dialogs open, axe-core finds nothing."""
    assert {} == await _check(browser, *CORE)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_state_keeps_the_rules_of_accessibility(browser: Browser) -> None:
    """In none of the states that people meet, whatever the window and the theme, does axe-core find anything."""
    assert {} == await _check(browser, *(name for name in STATES if name not in CORE))
