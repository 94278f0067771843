"""What waits for moderators: reports and held messages. Nothing that people write becomes markup, there or elsewhere."""

from __future__ import annotations

from playwright.async_api import expect

import pychat
from tests.browser.test_moderation import HOSTILE, Site, card, choose, more, open_panel, site

__all__ = ["site"]


async def test_a_report_reaches_the_moderators(site: Site) -> None:
    """Anybody reports a message with a reason; the number stands on the shield; deleting the message closes the report."""
    grace, eve, ada = await site.user("grace"), await site.guest("Eve"), await site.user("ada")
    await eve.say("rude")
    await ada.sees("rude")
    await more(ada, "rude", "Report")
    await card(ada).get_by_label("What is wrong with it?").fill("not nice")
    await card(ada).get_by_role("button", name="Report").click()
    await expect(ada.part("toast-text")).to_have_text("The moderators have your report.")
    await expect(grace.part("moderation-badge")).to_have_text("1")
    await expect(grace.part("moderation-button")).to_have_accessible_name("Moderation, 1 waiting")
    panel = await open_panel(grace, "Queue")
    await expect(panel).to_contain_text("rude")
    await expect(panel).to_contain_text("Reported by Ada: not nice")
    await panel.get_by_role("button", name="Eve").click()
    await grace.root.get_by_role("button", name="Mute…").click()
    await card(grace).get_by_role("button", name="Mute").click()
    await expect(grace.root.locator(".order-sheet").get_by_role("status").filter(has_text="is muted")).to_be_visible()
    await grace.part("toast-undo").click()
    await expect(grace.part("toast-text")).to_have_text("Undone.")
    await panel.get_by_role("button", name="Delete").click()
    await expect(panel.get_by_text("Nothing waits for you.")).to_be_visible()
    await ada.sees("Message deleted")
    await expect(grace.part("moderation-badge")).to_be_hidden()


async def test_a_held_message_waits(site: Site) -> None:
    """Its author sees it as waiting, nobody else sees it; approved, everybody has it once; rejected, the author reads why."""

    @site.room.on("message")
    def links(message: pychat.Message) -> None:
        if "https:" in message.text:
            raise pychat.Held("a link")

    grace, eve, ada = await site.user("grace"), await site.guest("Eve"), await site.user("ada")
    await eve.say("see https://a.example")
    held = eve.message("see https://a.example")
    await expect(held).to_have_attribute("data-state", "held")
    await expect(held.locator(".send-error")).to_contain_text("until a moderator approves it")
    await eve.page.reload()
    await expect(held).to_have_attribute("data-state", "held")
    await ada.sees()
    panel = await open_panel(grace, "Queue")
    await expect(panel).to_contain_text("Held: a link")
    await panel.get_by_role("button", name="Approve").click()
    await ada.sees("see https://a.example")
    await expect(held).to_have_attribute("data-state", "sent")
    await eve.say("and https://b.example")
    await panel.get_by_role("button", name="Reject").click()
    await card(grace).get_by_label("Reason").fill("no adverts")
    await card(grace).get_by_role("button", name="Reject").click()
    await expect(eve.message("and https://b.example").locator(".send-error")).to_contain_text("no adverts")
    await ada.sees("see https://a.example")


async def test_nothing_that_people_write_becomes_markup(site: Site) -> None:
    """Names, reasons, topics, titles, pins and reports are shown letter by letter, to those who read them and in the panel."""
    grace, ada = await site.user("grace"), await site.user("ada")
    eve = await site.guest("<b>Eve</b>")
    await eve.say(HOSTILE)
    await grace.sees(HOSTILE)
    await more(grace, HOSTILE, "Pin")
    await expect(ada.part("pin-list")).to_contain_text(HOSTILE)
    await grace.part("about-edit").click()
    await card(grace).get_by_label("Title").fill(HOSTILE)
    await card(grace).get_by_label("Topic").fill(HOSTILE)
    await card(grace).get_by_role("button", name="Save").click()
    await expect(ada.part("topic")).to_have_text(HOSTILE)
    await more(ada, HOSTILE, "Report")
    await card(ada).get_by_label("What is wrong with it?").fill(HOSTILE)
    await card(ada).get_by_role("button", name="Report").click()
    ask = await choose(grace, "Eve", "Mute…")
    await ask.get_by_label("Reason").fill(HOSTILE)
    await ask.get_by_role("button", name="Mute").click()
    await expect(eve.part("read-only-text")).to_contain_text(HOSTILE)
    for tab in ("Queue", "People", "Log"):
        await expect(await open_panel(grace, tab)).to_contain_text(HOSTILE)
    for window in (grace, ada, eve):
        assert await window.page.locator(".app :is(img, b b)").count() == 0
        await expect(window.page).to_have_title(HOSTILE)
