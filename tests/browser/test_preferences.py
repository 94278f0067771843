"""What a person prefers: the settings, the keys, and what tells of messages while nobody looks."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.test_rooms import HIDE

HEARD = """() => {
  window.told = [];
  window.notes = 0;
  const { Notification: Real, OscillatorNode: Tone } = window;
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      window.told.push(`${title}: ${options.body}`);
    }
  };
  window.OscillatorNode = class extends Tone {
    constructor(...all) {
      super(...all);
      window.notes += 1;
    }
  };
}"""


async def test_preferences_take_effect_at_once_and_stay(opened: Open) -> None:
    """The dialog changes theme, size, density, layout; another tab follows; a reload keeps it; the keys work anywhere."""
    ada = await opened("Ada")
    other = await opened(context=ada.page.context)
    keys, html, frame = ada.page.keyboard, ada.page.locator("html"), ada.page.locator(".frame")
    await expect(frame).to_have_attribute("data-layout", "stream")
    await ada.part("settings-button").click()
    dialog = ada.page.get_by_role("dialog", name="Settings")
    for group, option in (
        ("Theme", "Dark"),
        ("Size of text", "Large"),
        ("Density", "Compact"),
        ("Messages", "In bubbles"),
    ):
        await dialog.get_by_role("group", name=group).get_by_role("radio", name=option).check()
    for window in (ada, other):
        await expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(window.page.locator(".frame")).to_have_attribute("data-layout", "bubbles")
        await expect(window.page.locator(".frame")).to_have_attribute("data-density", "compact")
    await dialog.get_by_role("button", name="Done").click()
    await expect(ada.part("text")).to_be_focused()
    await ada.reload()
    assert ("dark", "large") == tuple([await html.get_attribute(name) for name in ("data-theme", "data-size")])
    await ada.live()
    # What is typed anywhere goes to the message box; `?` there is text, elsewhere it shows the keys.
    await ada.page.locator("h1").click()
    await keys.type("why?")
    await expect(ada.part("text")).to_have_value("why?")
    await ada.page.locator("h1").click()
    await keys.press("?")
    await expect(ada.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await keys.press("Escape")
    await expect(ada.part("text")).to_be_focused()
    await keys.press("Control+,")
    await expect(dialog).to_be_visible()
    await keys.press("Escape")
    await ada.reload()
    await ada.live()
    # The first thing that Tab finds leads past everything.
    skip = ada.page.locator("a[href], button, input, textarea, [tabindex='0']").first
    await skip.focus()
    await expect(skip).to_be_in_viewport(ratio=1)
    await expect(skip).to_have_text("Go to the message box")
    await keys.press("Enter")
    await expect(ada.part("text")).to_be_focused()


@pytest.mark.slow
async def test_one_tab_tells_of_messages_while_nobody_looks(opened: Open) -> None:
    """Mentions and direct messages sound and notify once; nothing does while a tab is looked at, nor in a muted room."""
    ben, ada = await opened("Ben"), await opened("Ada")
    await ada.page.context.grant_permissions(["notifications"])
    second = await opened(context=ada.page.context)
    tabs = (ada, second)
    for tab in tabs:
        await tab.page.evaluate(f"({HEARD})()")

    async def told() -> list[str]:
        return [each for tab in tabs for each in await tab.page.evaluate("window.told")]

    async def noted() -> int:
        return sum([await tab.page.evaluate("window.notes") for tab in tabs])

    async def settled(text: str) -> None:
        await ben.say(text)
        for tab in tabs:
            await expect(tab.message(text)).to_be_visible()
        # As long as a tab waits for the others.
        await ada.page.wait_for_timeout(1000)

    await ada.page.evaluate("localStorage.setItem('pychat:preferences', JSON.stringify({notify: 'mentions'}))")
    for tab in tabs:
        await tab.reload()
        await tab.live()
        await tab.page.evaluate(f"({HEARD})()")
    await settled("@Ada while you look")
    assert [] == await told()
    for tab in tabs:
        await tab.page.evaluate(HIDE, True)
    await settled("nothing for you")
    assert ([], 0) == (await told(), await noted())
    await settled("@Ada are you there?")
    await expect(ada.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/png"))
    assert (["Ben in The lobby: @Ada are you there?"], 2) == (await told(), await noted())
