"""Small things that were wrong once: each is asked for here, in a few long visits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.states import ARABIC, PHONE, Stage, stage
from tests.browser.window import Window

# Where the keyboard would go on from; the page itself is nowhere.
_FOCUS = "(document.activeElement ?? document.body).closest('.app') !== null"
_SHOWN = """(one) => {
  const {left, top, right, bottom} = one.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const at = [[x, top + 2], [x, bottom - 2], [left + 2, y], [right - 2, y]];
  return at.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def at(browser: Browser) -> AsyncIterator[Stage]:
    """A chat where something was said."""
    expect.set_options(timeout=15_000)
    async with stage(browser) as it:
        yield it


async def _focused(window: Window) -> bool:
    return bool(await window.page.evaluate(_FOCUS))


async def test_details_with_a_mouse(at: Stage) -> None:
    """Actions are not cut, the focus is never lost, errors stand where one looks, and people have their whole names."""
    for number in range(60):
        await at.lobby.post(f"line {number}", author=f"Person {number % 3}")
    await at.window("grace")
    ada = await at.window("ada")
    text = await at.speak(ada)
    scroll = ada.part("scroll")
    rows = ada.root.locator(".message:has(.text)")
    view = await scroll.evaluate("one => (({top, bottom}) => [top, bottom])(one.getBoundingClientRect())")
    seen = [
        row
        for row in await rows.all()
        if view[0] <= await row.evaluate("one => one.querySelector('.text').getBoundingClientRect().top") < view[1] - 30
    ]
    for row in (seen[0], seen[len(seen) // 2], seen[-1]):
        await row.locator(".text").hover(position={"x": 4, "y": 4})
        await expect(ada.part("message-actions")).to_be_visible()
        assert await ada.part("message-actions").evaluate(_SHOWN), "the actions are cut or covered"
    await ada.do(text, "react")
    await ada.root.locator("[data-part=picker] [data-emoji]").first.click()
    await expect(ada.message(text).locator(".reaction")).to_have_count(1)
    assert await _focused(ada)
    await ada.do(text, "react")
    await ada.part("picker-other").fill("abc")
    await ada.part("picker-other").press("Enter")
    error = ada.part("picker-error")
    await expect(error).not_to_be_empty()
    assert await error.evaluate(_SHOWN), "the error of the picker is covered"
    await ada.page.keyboard.press("Escape")
    assert await _focused(ada)
    await scroll.evaluate("one => one.scrollTo(0, 0)")
    await ada.part("latest").click()
    await expect(ada.part("latest")).to_be_hidden()
    assert await _focused(ada)
    grace = ada.root.locator(".person", has_text="Grace")
    cut = "one => [...one.querySelectorAll('bdi')].some((word) => word.scrollWidth > word.clientWidth + 1 && word.clientWidth > 0)"
    assert not await grace.evaluate(cut), "the list of people cuts a short name or its role"


async def test_a_quiet_room_is_left_alone(at: Stage) -> None:
    """While nothing happens, nothing in the log is written anew: a screen reader would read it again."""
    page = await at.page(session="ada")
    await page.clock.install()
    await page.reload()
    ada = Window(page, "")
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.messages.last).to_be_visible()
    await page.clock.run_for(1_000)
    await ada.part("messages").evaluate(
        """(list) => {
          window.changes = [];
          new MutationObserver((found) => changes.push(...found.map((one) => `${one.type} ${one.target.nodeName}`)))
            .observe(list, {subtree: true, childList: true, characterData: true, attributes: true});
        }"""
    )
    await page.clock.run_for(35_000)
    assert [] == await page.evaluate("changes")


async def test_ones_own_reactions_are_seen_in_forced_colours(at: Stage) -> None:
    """What one has chosen looks different where the system takes all colours away."""
    ada, eve = await at.window("ada", forced_colors="active"), await at.window("eve")
    text = await at.speak(ada)
    for window, emoji in ((ada, 0), (eve, 1)):
        await window.do(text, "react")
        await window.root.locator("[data-part=picker] [data-emoji]").nth(emoji).click()
    await expect(ada.message(text).locator(".reaction")).to_have_count(2)
    await ada.page.mouse.move(5, 5)
    looks = """all => all.map((one) => {
      const {backgroundColor, color, borderTopColor, borderTopWidth, borderTopStyle, outlineStyle} = getComputedStyle(one);
      return [backgroundColor, color, borderTopColor, borderTopWidth, borderTopStyle, outlineStyle].join();
    })"""
    mine, theirs = await ada.message(text).locator(".reaction").evaluate_all(looks)
    assert mine != theirs


async def test_all_of_the_log_is_printed(at: Stage) -> None:
    """A long log takes as many pages as it needs, and ends with the newest message."""
    for number in range(120):
        await at.lobby.post(f"line {number}", author="Ben")
    ada = await at.window("ada")
    await expect(ada.message("line 119")).to_be_visible()
    printed = await ada.page.pdf()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 1


async def test_a_narrow_box_has_equal_edges(at: Stage) -> None:
    """The message box has the same space on both sides."""
    around = '<pychat-room src="/chat/" room="lobby" style="width:300px;height:500px"></pychat-room>'
    page = await at.page(at.host.page(around), "ada")
    box = page.locator("[part=box]")
    await expect(box).to_be_visible()
    left, right = await box.evaluate(
        """one => {
          const [inner, outer] = [one, one.closest(".frame")].map((each) => each.getBoundingClientRect());
          return [inner.left - outer.left, outer.right - inner.right];
        }"""
    )
    assert abs(left - right) < 2, (left, right)


async def test_a_removed_person_is_told_so(at: Stage) -> None:
    """The banner says that one was removed, and why, and offers no way round it."""
    eve = await at.window("eve")
    member = next(member for member in at.lobby.members if member.name == "Eve")
    await at.lobby.moderation.kick(member, reason="calm down")
    await expect(eve.part("banner-text")).to_contain_text("calm down")
    await expect(eve.part("banner-text")).to_contain_text(re.compile("removed", re.IGNORECASE))
    await expect(eve.part("banner-button")).to_be_hidden()
    await expect(eve.page.get_by_text("Reload")).to_have_count(0)
    await expect(eve.part("composer")).to_be_hidden()
    await eve.page.reload()
    await expect(eve.part("barred-text")).to_contain_text("calm down")
    await expect(eve.part("composer")).to_be_hidden()


async def test_unsent_words_belong_to_a_person(at: Stage) -> None:
    """Another person at the same browser does not find what the first one wrote and did not send."""
    ada = await at.window("ada")
    await ada.part("text").fill("for nobody else")
    where = f"{at.host.url}/chat/"
    await ada.page.context.add_cookies([{"name": "session", "value": "eve", "url": where}])
    await ada.page.reload()
    await expect(ada.part("composer")).to_be_visible()
    await expect(ada.part("text")).to_have_value("")
    await ada.page.context.add_cookies([{"name": "session", "value": "ada", "url": where}])
    await ada.page.reload()
    await expect(ada.part("text")).to_have_value("for nobody else")


async def test_details_without_scripts_and_on_a_phone(at: Stage) -> None:
    """Nothing waits for ever; on a phone there are names for fields, and fingers find large targets."""
    plain = await at.page("/chat/", java_script_enabled=False)
    assert "Connecting" not in await plain.locator("body").inner_text()
    phone = await at.window("ada", **PHONE)
    text = await at.speak(phone)
    assert (
        await phone.root.evaluate("""() => {
      const end = (what) => [...document.querySelectorAll(what)].at(-1).getBoundingClientRect().right;
      return Math.abs(end(".own .text") - end(".box"));
    }""")
        <= 1
    ), "own messages and the message box do not end at the same edge"
    await phone.do(text, "")
    await expect(phone.part("message-menu")).to_be_focused()
    await phone.page.keyboard.press("ArrowUp")
    await expect(phone.part("message-delete")).to_be_focused()
    small = """(all) => all.filter((one) => one.checkVisibility()).map((one) => [one.getBoundingClientRect(), one.outerHTML])
      .filter(([{width, height}]) => width < 44 || height < 44).map(([, html]) => html.slice(0, 120))"""
    assert [] == await phone.root.locator("dialog[open] :is(button, [href])").evaluate_all(small)
    await phone.page.keyboard.press("Escape")
    assert [] == await phone.root.locator(".top :is(button, [href]), .composer button").evaluate_all(small)


async def test_details_from_right_to_left(at: Stage) -> None:
    """Hints of empty fields stand where the language begins, arrow keys go where they point, and the help says so."""
    ada = await at.window("ada", **ARABIC)
    direction = "one => getComputedStyle(one).direction"
    for part in ("text", "finder-input"):
        assert await ada.part(part).evaluate(direction) == "rtl"
    await ada.part("text").fill("left")
    assert await ada.part("text").evaluate(direction) == "ltr"
    await ada.part("text").fill("")
    await ada.do(await at.speak(ada), "react")
    picks = ada.root.locator("[data-part=picker] [data-emoji]")
    await picks.first.focus()
    await ada.page.keyboard.press("ArrowLeft")
    await expect(picks.nth(1)).to_be_focused()
    await ada.page.keyboard.press("Escape")
    await ada.part("scroll").focus()
    await ada.page.keyboard.press("?")
    await expect(ada.root.locator("dialog[open] kbd", has_text="←")).to_have_count(1)


async def test_a_conversation_of_two_is_no_room(at: Stage) -> None:
    """It does not say that a person begins, and offers nobody to change its title."""
    await at.window("eve")
    grace = await at.window("grace")
    await expect(grace.part("about-edit")).to_be_visible()
    await grace.root.locator(".person", has_text="Eve").click()
    await grace.part("person-direct").click()
    await expect(grace.part("title")).to_have_text("Eve")
    await grace.say("Just us")
    await grace.has_sent("Just us")
    await expect(grace.part("origin")).to_be_hidden()
    await expect(grace.part("about-edit")).to_be_hidden()
